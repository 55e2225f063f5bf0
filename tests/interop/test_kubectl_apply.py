"""kubectl's server-side apply and what comes with it, against the embedded server."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS

from . import definitions
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
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: c1}
data: DATA
"""
OWNED = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: NAME
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: c1, uid: UID, blockOwnerDeletion: true}]
"""


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    """A fresh server and a fresh home."""
    async with at_home(tmp_path) as made:
        yield made


def config(**data: str) -> str:
    """A ConfigMap."""
    return CONFIG.replace("DATA", str(data))


async def test_apply_creates_changes_and_leaves_alone(kubectl: Kubectl) -> None:
    """A second time is no write; what the file says no longer is removed."""
    server = kubectl.world.server
    assert "serverside-applied" in await kubectl.apply_there(config(a="1", b="1"))
    rv = server.rv
    await kubectl.apply_there(config(a="1", b="1"))
    assert server.rv == rv
    await kubectl.apply_there(config(a="2"))
    assert server.get(CONFIG_MAPS, "default", "c1").value["data"] == {"a": "2"}


async def test_conflicts(kubectl: Kubectl) -> None:
    """Kubectl names the other manager and the field, and can be told to take it."""
    await kubectl.apply_there(APPLICATION.replace("PATH", "one"))
    changed = APPLICATION.replace("PATH", "two")
    complaint = await kubectl.apply_there(changed, "--field-manager=other", fails=True)
    assert 'conflict with "kubectl": .spec.source.path' in complaint
    assert "--force-conflicts" in complaint
    await kubectl.apply_there(changed, "--field-manager=other", "--force-conflicts")
    stored = kubectl.world.server.get(APPLICATIONS, "default", "guestbook")
    assert stored.value["spec"]["source"]["path"] == "two"
    shown = await kubectl.run("get", "app", "guestbook", "-o", "yaml", "--show-managed-fields")
    assert "manager: other" in shown
    assert "manager" not in await kubectl.run("get", "app", "guestbook", "-o", "yaml")


async def test_fields_that_do_not_exist(kubectl: Kubectl) -> None:
    """They are named, and nothing is stored."""
    bad = APPLICATION.replace("path: PATH", "paht: x")
    assert ".spec.source.paht: field not declared in schema" in await kubectl.apply_there(bad, fails=True)
    assert not kubectl.world.server.list(APPLICATIONS).items


async def test_from_client_side_to_server_side(kubectl: Kubectl) -> None:
    """Kubectl takes over what it has applied before: a value changes, and a field goes."""
    await kubectl.apply(config(a="1", b="1"))
    await kubectl.run("patch", "cm", "c1", "-p", '{"data": {"c": "1"}}')
    await kubectl.apply_there(config(a="2"))
    stored = kubectl.world.server.get(CONFIG_MAPS, "default", "c1")
    assert stored.value["data"] == {"a": "2", "c": "1"}
    managers = {entry["manager"] for entry in stored.metadata["managedFields"]}
    assert "kubectl" in managers
    assert "kubectl-client-side-apply" not in managers


@pytest.mark.skipif(shutil.which("diff") is None, reason="diff is not on PATH")
@pytest.mark.parametrize("how", [(), ("--server-side",)])
async def test_diff(kubectl: Kubectl, how: tuple[str, ...]) -> None:
    """What an apply would change, and nothing is changed; then nothing."""
    await kubectl.apply(APPLICATION.replace("PATH", "one"), *how)
    rv = kubectl.world.server.rv
    command = ["kubectl", "diff", *how, "-f", "-"]
    for path, code in (("two", 1), ("one", 0)):
        with trio.fail_after(PATIENCE):
            done = await trio.run_process(
                command, stdin=APPLICATION.replace("PATH", path).encode(), capture_stdout=True,
                capture_stderr=True, check=False, env=kubectl.environment,
            )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert (b"+    path: two" in done.stdout) is bool(code)
    assert kubectl.world.server.rv == rv


async def test_edit(kubectl: Kubectl) -> None:
    """An editor changes one field, of a custom and of a built-in kind."""
    editor = kubectl.home / "editor"
    editor.write_text('#!/bin/sh\nsed -i -e "s/: one$/: two/" "$1"\n')
    editor.chmod(0o755)
    kubectl.environment["KUBE_EDITOR"] = str(editor)
    await kubectl.apply(APPLICATION.replace("PATH", "one"))
    await kubectl.run("create", "configmap", "c1", "--from-literal=k=one")
    await kubectl.run("edit", "app", "guestbook")
    await kubectl.run("edit", "cm", "c1")
    server = kubectl.world.server
    assert server.get(APPLICATIONS, "default", "guestbook").value["spec"]["source"]["path"] == "two"
    assert server.get(CONFIG_MAPS, "default", "c1").value["data"] == {"k": "two"}


async def test_dry_run_on_the_server(kubectl: Kubectl) -> None:
    """Each kind of write, and nothing is stored."""
    rv = kubectl.world.server.rv
    await kubectl.apply_there(config(a="1"), "--dry-run=server")
    await kubectl.apply(config(a="1"), "--dry-run=server")
    await kubectl.run("create", "configmap", "c2", "--dry-run=server")
    assert kubectl.world.server.rv == rv


async def test_deleting_owners(kubectl: Kubectl) -> None:
    """Orphan leaves the dependents, foreground waits for them, the usual takes them along."""
    server = kubectl.world.server
    for cascade, left in (("orphan", {"c2"}), ("foreground", set()), ("background", set())):
        await kubectl.run("create", "configmap", "c1")
        uid = server.get(CONFIG_MAPS, "default", "c1").uid
        await kubectl.apply_there(OWNED.replace("NAME", "c2").replace("UID", uid), "--force-conflicts")
        await kubectl.run("delete", "cm", "c1", f"--cascade={cascade}")
        if cascade == "background":
            await kubectl.run("wait", "cm/c2", "--for=delete", "--timeout=90s")
        assert {item.name for item in server.list(CONFIG_MAPS).items} == left


async def test_long_lists_in_chunks(kubectl: Kubectl) -> None:
    """Page by page, all of them."""
    for number in range(5):
        await kubectl.run("create", "configmap", f"c{number}")
    names = [row[0] for row in cells(await kubectl.run("get", "cm", "--chunk-size=2", "--no-headers"))]
    assert names == [f"c{number}" for number in range(5)]


@definitions.needed
async def test_argo_cd_s_own_definitions(kubectl: Kubectl) -> None:
    """They are applied in place of the shipped ones, twice, and what they say is enforced."""
    for file in definitions.FILES:
        for _ in range(2):
            await kubectl.run("apply", "--server-side", "--force-conflicts", "-f", str(file))
    await kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=90s")
    await kubectl.apply_there(APPLICATION)
    deep = "app.spec.sources.kustomize.patches.target"
    assert "labelSelector" in await kubectl.run("explain", deep)
    bad = APPLICATION.replace("path: PATH", "kustomize: {replicas: [{name: x, count: {}}]}")
    assert "spec.source.kustomize.replicas[0].count" in await kubectl.apply_there(bad, fails=True)
    # Known to Argo CD's definition only: the shipped one keeps it as it is sent.
    bad = APPLICATION.replace("path: PATH", "helm: {parameters: [{name: x, vlaue: y}]}")
    assert 'unknown field "spec.source.helm.parameters[0].vlaue"' in await kubectl.apply(bad, fails=True)
