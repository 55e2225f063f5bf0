"""What a person reads of what the programs say and the API servers log."""

from __future__ import annotations

from pathlib import Path

import pytest

from trio_argoagent.demo.narrator import Narrator
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.events import Event
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.machine import NAMESPACE, USER

from .fleets import idle_fleet

Line = tuple[str, str, str]


@pytest.mark.parametrize(("level", "style"), [("info", ""), ("warning", "yellow"), ("error", "red")])
def test_what_programs_say(level: str, style: str) -> None:
    """Under the agent's name, or the hub's, coloured by how bad it is."""
    told: list[Line] = []
    narrator = Narrator(lambda *line: told.append(line))
    narrator.on_event(Event("link-broken", "west", "the link was cut", level))
    narrator.on_event(Event("hub-unreachable", "", "no answer", level))
    assert told == [("west", "the link was cut", style), ("hub", "no answer", style)]


async def test_the_life_of_an_application(tmp_path: Path) -> None:
    """Creation, copy, status, deletion: one line each; labels and statuses copied by us: none."""
    told: list[Line] = []
    fleet = idle_fleet(tmp_path)
    Narrator(lambda *line: told.append(line)).follow(fleet)
    hub, east = fleet.hub, fleet.nodes["east"].machine
    await hub.make_namespaces("east")
    await east.make_namespaces(NAMESPACE)
    await hub.local(USER).create(APPLICATIONS, application("shop", namespace="east"))
    await east.local("agent").create(APPLICATIONS, application("shop"))
    status = MergePatch({"status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}})
    await east.local("application-controller").patch(APPLICATIONS, NAMESPACE, "shop", status)
    await east.local("application-controller").patch(APPLICATIONS, NAMESPACE, "shop", status)
    await hub.local("principal").patch(APPLICATIONS, "east", "shop", status)
    await hub.local(USER).delete(APPLICATIONS, "east", "shop")
    gone = MergePatch({"metadata": {"finalizers": []}})
    await hub.local("principal").patch(APPLICATIONS, "east", "shop", gone)
    assert told == [
        ("hub", "somebody creates Application shop", "cyan"),
        ("east", "the agent creates Application shop", ""),
        ("east", "Application shop: Synced, Healthy", "green"),
        ("hub", "somebody deletes Application shop", "cyan"),
        ("hub", "the principal deletes Application shop", ""),
    ]


async def test_other_objects_are_not_told(tmp_path: Path) -> None:
    """The programs' own bookkeeping is not what people watch."""
    told: list[Line] = []
    fleet = idle_fleet(tmp_path)
    Narrator(lambda *line: told.append(line)).follow(fleet)
    await fleet.hub.make_namespaces(NAMESPACE)
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": NAMESPACE}}
    await fleet.hub.local(USER).create(CONFIG_MAPS, value)
    assert told == []
