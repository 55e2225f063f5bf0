"""kubectl against the embedded server: what a person does with it on a hub or a spoke."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, CONFIG_MAPS, NAMESPACES, SECRETS

from .kubectl_kit import MARKS, PATIENCE, Kubectl, at_home, cells

pytestmark = MARKS

APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: guestbook, labels: {team: a}}
spec:
  project: default
  source: {repoURL: https://example.com/repo, path: PATH, targetRevision: HEAD}
  destination: {server: https://kubernetes.default.svc, namespace: guestbook}
"""
EVERYTHING = """
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: team-a, namespace: demo}
spec: {sourceRepos: ["*"], destinations: [{server: "*", namespace: VALUE}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c1, namespace: demo}
data: {k: VALUE}
---
apiVersion: v1
kind: Secret
metadata: {name: s1, namespace: demo}
stringData: {k: VALUE}
"""


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    """A fresh server and a fresh home."""
    async with at_home(tmp_path) as made:
        yield made


async def test_apply_creates_changes_and_leaves_alone(kubectl: Kubectl) -> None:
    """Twice the same is unchanged; a change arrives, and only that is a write."""
    first = APPLICATION.replace("PATH", "one")
    assert await kubectl.apply(first) == "application.argoproj.io/guestbook created\n"
    rv = kubectl.world.server.rv
    assert await kubectl.apply(first) == "application.argoproj.io/guestbook unchanged\n"
    assert kubectl.world.server.rv == rv
    changed = await kubectl.apply(APPLICATION.replace("PATH", "two"))
    assert changed == "application.argoproj.io/guestbook configured\n"
    stored = kubectl.world.server.get(APPLICATIONS, "default", "guestbook").value
    assert stored["spec"]["source"]["path"] == "two"
    assert stored["metadata"]["generation"] == 2


async def test_apply_of_many_kinds(kubectl: Kubectl) -> None:
    """Built-in kinds and a project in one file, created and then changed; then deleted with it."""
    server = kubectl.world.server
    await kubectl.apply(EVERYTHING.replace("VALUE", "one"))
    changed = await kubectl.apply(EVERYTHING.replace("VALUE", "two"))
    assert [line.split()[-1] for line in changed.splitlines()] == ["unchanged"] + ["configured"] * 3
    assert server.get(CONFIG_MAPS, "demo", "c1").value["data"] == {"k": "two"}
    assert server.get(SECRETS, "demo", "s1").value["data"] == {"k": "dHdv"}
    assert server.get(APP_PROJECTS, "demo", "team-a").value["spec"]["destinations"][0]["namespace"] == "two"
    # The namespace is first, and takes the rest with it, so some of them may be gone already.
    await kubectl.run("delete", "-f", "-", "--ignore-not-found", stdin=EVERYTHING)
    assert "demo" not in [item.name for item in server.list(NAMESPACES).items]


async def test_apply_lets_the_server_validate(kubectl: Kubectl) -> None:
    """An unknown field is an error that names it, on creation and on change."""
    bad = APPLICATION.replace("path: PATH", "paht: x")
    assert 'unknown field "spec.source.paht"' in await kubectl.apply(bad, fails=True)
    await kubectl.apply(APPLICATION)
    assert 'unknown field "spec.source.paht"' in await kubectl.apply(bad, fails=True)


async def test_get(kubectl: Kubectl) -> None:
    """The columns of each kind, wide or not, and whole objects."""
    await kubectl.apply(APPLICATION)
    status = {"sync": {"status": "Synced", "revision": "abc"}, "health": {"status": "Healthy"}}
    await kubectl.run("patch", "app", "guestbook", "--type=merge", "-p", json.dumps({"status": status}))
    assert cells(await kubectl.run("get", "app"))[1] == ["guestbook", "Synced", "Healthy"]
    wide = cells(await kubectl.run("get", "apps", "-o", "wide"))[1]
    assert wide == ["guestbook", "Synced", "Healthy", "abc", "default"]
    everywhere = cells(await kubectl.run("get", "applications", "-A", "--no-headers"))
    assert everywhere == [["default", "guestbook", "Synced", "Healthy"]]
    whole = json.loads(await kubectl.run("get", "app", "guestbook", "-o", "json"))
    assert whole == kubectl.world.server.get(APPLICATIONS, "default", "guestbook").value
    assert "repoURL: https://example.com/repo" in await kubectl.run("get", "app", "guestbook", "-o", "yaml")
    assert "NotFound" in await kubectl.run("get", "app", "nobody", fails=True)


async def test_create_in_protobuf(kubectl: Kubectl) -> None:
    """Namespaces, Secrets and ConfigMaps as kubectl makes them, and how they are shown."""
    await kubectl.run("create", "namespace", "demo")
    await kubectl.run("create", "-n", "demo", "secret", "generic", "s1", "--from-literal=k=v")
    await kubectl.run("create", "-n", "demo", "configmap", "c1", "--from-literal=k=v", "--from-literal=l=w")
    server = kubectl.world.server
    assert server.get(SECRETS, "demo", "s1").value["data"] == {"k": "dg=="}
    assert server.get(CONFIG_MAPS, "demo", "c1").value["data"] == {"k": "v", "l": "w"}
    assert cells(await kubectl.run("get", "ns", "demo"))[1] == ["demo", "Active", "0s"]
    assert cells(await kubectl.run("get", "-n", "demo", "secret"))[1] == ["s1", "Opaque", "1", "0s"]
    assert cells(await kubectl.run("get", "-n", "demo", "cm"))[1] == ["c1", "2", "0s"]
    assert "already exists" in await kubectl.run("create", "namespace", "demo", fails=True)


async def test_patch_label_annotate(kubectl: Kubectl) -> None:
    """Each kind of change, of custom and of built-in kinds."""
    await kubectl.apply(APPLICATION)
    await kubectl.run("create", "configmap", "c1", "--from-literal=k=v")
    await kubectl.run("label", "app", "guestbook", "tier=web", "team-")
    await kubectl.run("annotate", "app", "guestbook", "argocd.argoproj.io/refresh=hard")
    operations = [{"op": "replace", "path": "/spec/source/path", "value": "p"}]
    await kubectl.run("patch", "app", "guestbook", "--type=json", "-p", json.dumps(operations))
    await kubectl.run("patch", "cm", "c1", "-p", '{"data": {"l": "w"}}')
    server = kubectl.world.server
    app = server.get(APPLICATIONS, "default", "guestbook").value
    assert app["metadata"]["labels"] == {"tier": "web"}
    assert app["metadata"]["annotations"]["argocd.argoproj.io/refresh"] == "hard"
    assert app["spec"]["source"]["path"] == "p"
    assert server.get(CONFIG_MAPS, "default", "c1").value["data"] == {"k": "v", "l": "w"}
    chosen = await kubectl.run("get", "app", "-l", "tier in (web, db)", "-o", "name")
    assert chosen == "application.argoproj.io/guestbook\n"


async def test_describe(kubectl: Kubectl) -> None:
    """An object with its events; a namespace, although there are no quotas here."""
    await kubectl.apply(APPLICATION)
    app = kubectl.world.server.get(APPLICATIONS, "default", "guestbook")
    event: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "guestbook.1", "namespace": "default"},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "name": "guestbook",
            "namespace": "default", "uid": app.uid,
        },
        "type": "Normal",
        "reason": "OperationStarted",
        "message": "alice initiated a sync",
    }  # fmt: skip
    await kubectl.run("create", "-f", "-", stdin=json.dumps(event))
    described = await kubectl.run("describe", "app", "guestbook")
    assert "Target Revision:  HEAD" in described
    assert "alice initiated a sync" in described
    assert "Status:       Active" in await kubectl.run("describe", "ns", "default")


async def test_events_of_both_groups(kubectl: Kubectl) -> None:
    """One of the newer group is shown by ``get`` of either, and by ``events``."""
    await kubectl.apply(APPLICATION)
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "guestbook.2"},
        "eventTime": "2023-11-14T22:13:00.000000Z",
        "reportingController": "argoproj.io/controller",
        "reportingInstance": "controller-0",
        "action": "Sync",
        "reason": "Synced",
        "type": "Normal",
        "regarding": {
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "name": "guestbook",
            "namespace": "default",
        },
        "note": "all is well",
    }  # fmt: skip
    await kubectl.run("create", "-f", "-", stdin=json.dumps(event))
    wanted = ["20s", "Normal", "Synced", "application/guestbook", "all", "is", "well"]
    for name in ("events", "events.v1.events.k8s.io"):
        assert cells(await kubectl.run("get", name))[1] == wanted
    assert "all is well" in await kubectl.run("events", "--for", "application/guestbook")
    whole = await kubectl.run("get", "events.events.k8s.io", "guestbook.2", "-o", "yaml")
    assert "note: all is well" in whole
    assert "message" not in whole
    assert "<string>" in await kubectl.run("explain", "--api-version=events.k8s.io/v1", "event.note")


async def test_delete_waits_for_the_finalizer(kubectl: Kubectl) -> None:
    """``kubectl delete`` returns when the object is gone, not when it is marked."""
    await kubectl.apply(APPLICATION)
    hold = '{"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}'
    await kubectl.run("patch", "app", "guestbook", "--type=merge", "-p", hold)
    server = kubectl.world.server
    marked, returned = trio.Event(), trio.Event()

    async def delete() -> None:
        await kubectl.run("delete", "app", "guestbook")
        returned.set()

    unsubscribe = server.subscribe(lambda entry: marked.set() if entry.subject.deleting else None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(delete)
        with trio.fail_after(PATIENCE):
            await marked.wait()
        # Time enough for a kubectl that does not wait to return.
        assert "guestbook" in await kubectl.run("get", "app")
        assert not returned.is_set()
        release = '{"metadata": {"finalizers": null}}'
        await kubectl.run("patch", "app", "guestbook", "--type=merge", "-p", release)
    unsubscribe()
    assert returned.is_set()
    assert not server.list(APPLICATIONS).items


async def test_delete_a_namespace(kubectl: Kubectl) -> None:
    """With all that is in it."""
    await kubectl.run("create", "namespace", "demo")
    await kubectl.apply(APPLICATION, "-n", "demo")
    await kubectl.run("delete", "namespace", "demo")
    assert not kubectl.world.server.list(APPLICATIONS).items


async def test_delete_all(kubectl: Kubectl) -> None:
    """Those of one kind in one namespace."""
    for name in ("c1", "c2"):
        await kubectl.run("create", "configmap", name)
    assert len((await kubectl.run("delete", "cm", "--all")).splitlines()) == 2
    assert not kubectl.world.server.list(CONFIG_MAPS).items


async def test_get_watch(kubectl: Kubectl) -> None:
    """``get -w`` shows a row for what is there, and one for each change."""
    await kubectl.apply(APPLICATION)
    command = ["kubectl", "get", "app", "-w", "--no-headers", "--output-watch-events"]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, env=kubectl.environment)
    assert process.stdout is not None
    rows = b""
    try:
        with trio.fail_after(PATIENCE):
            while b"ADDED" not in rows:
                rows += await process.stdout.receive_some()
            # What happens before kubectl has begun to watch is shown all the same: it says from where.
            patch = '{"status": {"sync": {"status": "OutOfSync"}}}'
            await kubectl.run("patch", "app", "guestbook", "--type=merge", "-p", patch)
            await kubectl.run("delete", "app", "guestbook")
            while b"DELETED" not in rows:
                rows += await process.stdout.receive_some()
    finally:
        process.kill()
        with trio.move_on_after(PATIENCE, shield=True):
            await process.wait()
            await process.stdout.aclose()
    assert cells(rows.decode()) == [
        ["ADDED", "guestbook"],
        ["MODIFIED", "guestbook", "OutOfSync"],
        ["DELETED", "guestbook", "OutOfSync"],
    ]


async def test_wait(kubectl: Kubectl) -> None:
    """For a field that is as wanted."""
    await kubectl.apply(APPLICATION)
    await kubectl.run("patch", "app", "guestbook", "--type=merge", "-p", '{"operation": {"sync": {}}}')
    await kubectl.run("wait", "app/guestbook", "--for=jsonpath={.spec.project}=default", "--timeout=90s")


async def test_discovery(kubectl: Kubectl) -> None:
    """What there is, how it is called, and what its fields are."""
    listed = await kubectl.run("api-resources", "-o", "wide")
    assert "app,apps" in listed
    assert "<string>" in await kubectl.run("explain", "app.spec.destination")
    assert "repoURL" in await kubectl.run("explain", "applications.spec.source")
    assert "the version of" not in await kubectl.run("version")
    assert await kubectl.run("auth", "can-i", "create", "apps") == "yes\n"
    assert "[*]" in await kubectl.run("auth", "can-i", "--list")
    assert "alice" in await kubectl.run("auth", "whoami")
    assert await kubectl.run("get", "--raw", "/readyz") == "ok"


async def test_a_wrong_token(kubectl: Kubectl) -> None:
    """Refused, in kubectl's words."""
    assert "You must be logged in" in await kubectl.run("get", "ns", "--token=wrong", fails=True)
