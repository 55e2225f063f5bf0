"""Owners and children: who made an Application does not travel, and whose child it is stays true."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import trio

from trio_argoagent.apiserver.core.values import Verb
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.program import IDENTITY
from trio_argoagent.testing.argocd.applications import automated
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL

from .helpers import Scene, play


@pytest.mark.parametrize("mode", list(Mode))
def test_owner_references_stay_at_home(mode: Mode) -> None:
    """The other cluster has no such owner: its garbage collector would take the copy away at once."""

    async def story(scene: Scene) -> None:
        owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "set", "uid": "u-1"}
        await scene.create("web", metadata={"ownerReferences": [owner | {"controller": True}]})
        await scene.until(lambda: scene.on_spoke("web") is not None and scene.on_hub("web") is not None, 20)
        copy = scene.on_spoke("web") if mode is Mode.MANAGED else scene.on_hub("web")
        assert copy is not None and copy.meta.owner_references is None

    play(story, mode=mode, watched=False)


def test_a_mirrored_parent_names_its_children_where_they_are() -> None:
    """On the hub, children are mirrors too; a link that points into the spoke's namespace leads nowhere."""

    async def story(scene: Scene) -> None:
        await scene.create("parent", "apps", syncPolicy=automated())
        await scene.until(lambda: "Application" in _children(scene.on_spoke("parent")), 60)
        await scene.agree()
        here, there = _children(scene.on_hub("parent")), _children(scene.on_spoke("parent"))
        assert here.keys() == there.keys()
        assert (here["Application"], there["Application"]) == ({"a1"}, {NAMESPACE})

    play(story, mode=Mode.AUTONOMOUS)


def _children(app: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in ((app.get("status") or {}).get("resources") or ()) if app is not None else ():
        found.setdefault(each["kind"], set()).add(each.get("namespace", ""))
    return found


def test_a_failover_to_another_hub_and_back_makes_nothing_anew() -> None:
    """Other identity, other uids, other specs, twice: each copy is patched once each time."""

    async def story(scene: Scene) -> None:
        names = [f"web{number}" for number in range(4)]
        for name in names:
            await scene.create(name, cascade=False)
        await scene.agree()
        for identity, revision in (("standby", "v2"), ("first", "v1")):
            scene.fleet.crash(PRINCIPAL)
            await trio.sleep(1)
            patch = MergePatch({"data": {"principal-uid": identity}})
            await scene.hub.patch(CONFIG_MAPS, NAMESPACE, IDENTITY, patch)
            for name in names:
                made = await scene.hub.get(APPLICATIONS, "m1", name)
                await scene.hub.delete(APPLICATIONS, "m1", name)
                source = made.get("spec")["source"] | {"targetRevision": revision}
                await scene.create(name, cascade=False, source=source)
            version = scene.spoke.server.rv
            scene.fleet.start(PRINCIPAL)
            await scene.agree()
            ours = [e for e in scene.spoke.server.log if e.rv > version and e.actor == "agent"]
            writes = Counter((e.verb, e.name) for e in ours if e.resource == APPLICATIONS)
            assert writes == {(Verb.UPDATE, name): 1 for name in names}

    play(story)
