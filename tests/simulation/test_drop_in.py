"""An installation is switched over from argocd-agent, and back: nothing goes, nothing is made anew.

What argocd-agent leaves on both clusters is built here by its documented rules; what it would do with what we
leave is its decision table, as a function.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import LogEntry, Verb
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, CONFIG_MAPS
from trio_argoagent.principal.program import IDENTITY
from trio_argoagent.sync import names
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project, application, samples
from trio_argoagent.testing.fleet import (
    EVERYWHERE,
    NAMESPACE,
    PRINCIPAL,
    PRODUCT,
    Fleet,
    SpokePlan,
    open_fleet,
)
from trio_argoagent.testing.scheduling import simulate

Value = dict[str, Any]
PRINCIPAL_UID: Final = "0d4f6f1e-8f0a-4f3c-9d55-0c2f6f1f9a11"
LAST_UPDATED: Final = "argocd-agent.argoproj.io/last-updated"
UPDATED: Final = {LAST_UPDATED: "2026-01-01T00:00:00Z"}
KEPT: Final = ("annotations", "finalizers", "labels")


class Decision(enum.Enum):
    """What argocd-agent does with an Application that it is sent, and one that stands there."""

    CREATE = "create"
    UPDATE = "update in place"
    TRANSITION = "update in place, for another principal"
    ADOPT = "adopt, by policy"
    MISMATCH = "recreate or upsert, by policy"


def decide(existing: Object | None, incoming_uid: str, principal_uid: str) -> Decision:
    """Its decision table for create and spec-update, in its order."""
    if existing is None:
        return Decision.CREATE
    source = existing.annotations.get(names.SOURCE_UID, "")
    ruler = existing.annotations.get(names.PRINCIPAL_UID, "")
    if ruler and ruler != principal_uid:
        return Decision.TRANSITION
    if not incoming_uid or source == incoming_uid:
        return Decision.UPDATE
    if source and not ruler:
        return Decision.TRANSITION
    return Decision.MISMATCH if source else Decision.ADOPT


def _metadata(obj: Object, namespace: str, stamps: Mapping[str, str], name: str = "") -> Value:
    """What it writes of one object's metadata on the other cluster."""
    given = obj.value()["metadata"]
    meta = {part: given[part] for part in KEPT if part in given}
    annotations = {**meta.get("annotations", {}), names.SOURCE_UID: obj.meta.uid, **stamps}
    return meta | {"name": name or obj.meta.name, "namespace": namespace, "annotations": annotations}


def _copy(app: Object) -> Value:
    """A hub's Application on a managed spoke."""
    value, spec = app.value(), app.get("spec")
    spec["destination"] = {"name": "in-cluster", "namespace": spec["destination"]["namespace"]}
    stamps = {names.PRINCIPAL_UID: PRINCIPAL_UID}
    return value | {"metadata": _metadata(app, NAMESPACE, stamps), "spec": spec}


def _project_copy(project: Object) -> Value:
    """A hub's AppProject on a managed spoke."""
    spec = project.get("spec")
    here = {"name": "in-cluster", "server": "https://kubernetes.default.svc"}
    spec["destinations"] = [each | here for each in spec["destinations"]]
    kept = {name: part for name, part in spec.items() if name not in ("sourceNamespaces", "roles")}
    return project.value() | {"metadata": _metadata(project, NAMESPACE, {}), "spec": kept}


def _mirror(app: Object, agent: str) -> Value:
    """An autonomous spoke's Application on the hub, its finalizers and status included."""
    spec = app.get("spec")
    spec["destination"] = {"name": agent, "namespace": spec["destination"]["namespace"]}
    spec["project"] = f"{agent}-{spec['project'] or 'default'}"
    value = app.value() | {"metadata": _metadata(app, agent, UPDATED), "spec": spec}
    value.pop("operation", None)
    for child in value.get("status", {}).get("resources", ()):
        if child["kind"] == "Application":
            child["namespace"] = agent
    return value


def _project_mirror(project: Object, agent: str) -> Value:
    """An autonomous spoke's AppProject on the hub."""
    spec = project.get("spec") | {"sourceNamespaces": [agent]}
    spec["destinations"] = [each | {"name": agent, "server": "*"} for each in spec["destinations"]]
    meta = _metadata(project, NAMESPACE, UPDATED, f"{agent}-{project.meta.name}")
    return project.value() | {"metadata": meta, "spec": spec}


async def _users_work(fleet: Fleet) -> None:
    """What the owners have made, with what argocd-agent keeps of itself on the hub."""
    hub, spoke = fleet.hub_as("user"), fleet.spoke_as("a1", "user")
    identity = {"name": IDENTITY, "namespace": NAMESPACE}
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": identity}
    await hub.create(CONFIG_MAPS, kept | {"data": {"principal-uid": PRINCIPAL_UID}})
    team = {
        **EVERYWHERE,
        "roles": [{"name": "dev", "policies": ["p, proj:team:dev, applications, get, team/*, allow"]}],
    }
    await hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **team))
    await spoke.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE))
    for cluster, namespace in ((hub, "m1"), (spoke, NAMESPACE)):
        for app in samples(namespace):
            await cluster.create(APPLICATIONS, app)
        noted = {"labels": {"team": "web"}, "annotations": {"a": "1", names.NOTIFIED: "{}"}}
        await cluster.create(APPLICATIONS, application("noted", namespace=namespace, metadata=noted))


def _all(server: ApiServer, namespace: str) -> list[Object]:
    return list(oracle.objects(server, APPLICATIONS, namespace).values())


def _projects(server: ApiServer) -> list[Object]:
    return [
        o
        for o in oracle.objects(server, APP_PROJECTS, NAMESPACE).values()
        if not o.meta.name.startswith("a1-")
    ]


async def _managed_copies(fleet: Fleet) -> None:
    """argocd-agent has brought the hub's objects to m1, and its statuses back."""
    agent, principal = fleet.spoke_as("m1", "argocd-agent"), fleet.hub_as("argocd-agent")
    for project in _projects(fleet.hub):
        await agent.create(APP_PROJECTS, _project_copy(project))
    for app in _all(fleet.hub, "m1"):
        await agent.create(APPLICATIONS, _copy(app))
    await trio.sleep(60)
    for copy in _all(fleet.spokes["m1"].server, NAMESPACE):
        await _show(principal, copy, "m1")


async def _show(hub: LocalCluster, copy: Object, namespace: str) -> None:
    found = await hub.get(APPLICATIONS, namespace, copy.meta.name)
    value = found.value() | {"status": copy.get("status")}
    value["metadata"].setdefault("annotations", {}).update(UPDATED)
    await hub.replace(APPLICATIONS, value)


async def _autonomous_mirrors(fleet: Fleet) -> None:
    """argocd-agent has mirrored all of a1's on the hub."""
    principal, spoke = fleet.hub_as("argocd-agent"), fleet.spokes["a1"].server
    for project in oracle.objects(spoke, APP_PROJECTS, NAMESPACE).values():
        await principal.create(APP_PROJECTS, _project_mirror(project, "a1"))
    for app in _all(spoke, NAMESPACE):
        await principal.create(APPLICATIONS, _mirror(app, "a1"))


def _since(server: ApiServer, seen: int) -> list[LogEntry]:
    """What we have written on Argo CD's objects since then."""
    entries = list(server.log)[seen:]
    return [e for e in entries if e.actor in PRODUCT and e.resource in (APPLICATIONS, APP_PROJECTS)]


async def _run_ours(fleet: Fleet, seconds: float) -> Mapping[str, Counter[str]]:
    """Run our programs for so long; returns how often each object of each cluster was patched."""
    servers = {"hub": fleet.hub, **{name: spoke.server for name, spoke in fleet.spokes.items()}}
    seen = {name: len(server.log) for name, server in servers.items()}
    fleet.start(PRINCIPAL, "m1", "a1")
    await trio.sleep(seconds)
    await fleet.wait_consistent()
    patched = {}
    for name, server in servers.items():
        entries = _since(server, seen[name])
        assert {entry.verb for entry in entries} <= {Verb.UPDATE}, f"{name}: something was made or removed"
        patched[name] = Counter(f"{e.resource.plural}/{e.namespace}/{e.name}" for e in entries)
    for program in (PRINCIPAL, "m1", "a1"):
        fleet.kill(program)
    await trio.sleep(1)
    return patched


def _play(story: Any) -> None:
    async def main() -> None:
        plans = [SpokePlan("m1"), SpokePlan("a1", Mode.AUTONOMOUS)]
        async with open_fleet(plans, seed=1, start=False) as fleet:
            for spoke in fleet.spokes.values():
                fleet.start(spoke.controller)
            await _users_work(fleet)
            await _managed_copies(fleet)
            await _autonomous_mirrors(fleet)
            await story(fleet)

    simulate(main, seed=1)


def test_switching_over_deletes_nothing_and_patches_each_object_once_at_most() -> None:
    """And what has been taken over costs nothing at the next start."""

    async def story(fleet: Fleet) -> None:
        patched = await _run_ours(fleet, 15)
        for cluster, counted in patched.items():
            assert not {name: n for name, n in counted.items() if n > 1}, cluster
        assert not [name for name in patched["hub"] if name.startswith("applications/m1/")]
        assert not patched["a1"]
        copies = _all(fleet.spokes["m1"].server, NAMESPACE)
        assert len(copies) == len(patched["m1"]) - len(_projects(fleet.hub))
        again = await _run_ours(fleet, 30)
        assert not any(again.values())

    _play(story)


def test_switching_back_is_an_update_in_place_of_everything() -> None:
    """By argocd-agent's own table; and after its update, switching over once more costs one patch again."""

    async def story(fleet: Fleet) -> None:
        await _run_ours(fleet, 15)
        there = fleet.spoke_as("m1", "argocd-agent")
        copies = oracle.objects(fleet.spokes["m1"].server, APPLICATIONS, NAMESPACE)
        for app in _all(fleet.hub, "m1"):
            copy = copies[app.meta.name]
            assert decide(copy, app.meta.uid, PRINCIPAL_UID) is Decision.UPDATE
            assert copy.annotations[names.PRINCIPAL_UID] == PRINCIPAL_UID
            assert not copy.deleting and copy.meta.owner_references is None
            # It replaces the annotations as a whole: our marker goes.
            updated = copy.value() | {part: _copy(app)[part] for part in ("spec",)}
            updated["metadata"] |= {part: _copy(app)["metadata"].get(part) for part in KEPT}
            await there.replace(APPLICATIONS, updated)
        mirrored = oracle.objects(fleet.hub, APPLICATIONS, "a1")
        for app in _all(fleet.spokes["a1"].server, NAMESPACE):
            mirror = mirrored[app.meta.name]
            assert mirror.annotations[names.SOURCE_UID] == app.meta.uid
            assert not mirror.deleting and not mirror.finalizers
        for counted in (await _run_ours(fleet, 15)).values():
            assert not {name: n for name, n in counted.items() if n > 1}

    _play(story)


def test_its_decision_table() -> None:
    """Each row, so that the function that the story trusts is the table."""

    def standing(**annotations: str) -> Object:
        return Object.of({"metadata": {"name": "web", "annotations": annotations}})

    source, ruler = names.SOURCE_UID, names.PRINCIPAL_UID
    assert decide(None, "u1", "p") is Decision.CREATE
    assert decide(standing(**{source: "u0", ruler: "q"}), "u1", "p") is Decision.TRANSITION
    assert decide(standing(**{source: "u0", ruler: "p"}), "", "p") is Decision.UPDATE
    assert decide(standing(**{source: "u1", ruler: "p"}), "u1", "p") is Decision.UPDATE
    assert decide(standing(**{source: "u0"}), "u1", "p") is Decision.TRANSITION
    assert decide(standing(), "u1", "p") is Decision.ADOPT
    assert decide(standing(**{source: "u0", ruler: "p"}), "u1", "p") is Decision.MISMATCH
