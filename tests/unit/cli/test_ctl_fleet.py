"""``trio-argoagent ctl fleet status``: what the table says, and the principal's answer behind it."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.cli import ctl_agent_show, ctl_fleet
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import Pin, read_entry
from trio_argoagent.principal.holds import HELD, HeldEntry
from trio_argoagent.principal.presence import About, Answer, Fleet, Live, Numbers, PastLink, Waiting
from trio_argoagent.replication.memory import LABEL, name_of
from trio_argoagent.sync.mapping import Style
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import SpokePlan, open_fleet

from ..principal.hub import HUB, open_hub
from .test_ctl import EAST
from .validation.sights import cluster_secret

NOW = 1_800_000_000.0
PIN = Pin(Mode.MANAGED, "argocd", "uid-1")


def row(agent: str, **more: Any) -> ctl_fleet.Row:
    """One line."""
    entry = attrs.evolve(read_entry(cluster_secret(agent)), pin=PIN)
    return attrs.evolve(ctl_fleet.Row(entry, None, None, None), **more)


def test_the_table() -> None:
    """One line an agent; what is not known is not guessed; below, what waits for a person."""
    live = Live(int(NOW) - 7300, contested=True)
    rows = [
        row("east", live=live, numbers=Numbers(120, 3, 75, 1, 240, 2, 4), held=EAST),
        row("west"),
    ]
    fleet = Fleet({}, {"argocd/web": "south"}, 3)
    status = ctl_fleet.Status(NOW, rows, Answer("w", {"east": live}, fleet=fleet))
    assert ctl_fleet.as_text(status).splitlines() == [
        "NAME  MODE     LINK            LINKS  WANTED  UNSETTLED  OLDEST  REFUSED  MIRRORED  PENDING  HELD",
        "east  managed  2h (contested)  4      120     3          1m      1        240       2        3",
        "west  managed  no              -      -       -          -       -        -         -        -",
        "1 of 2 connected",
        "Application argocd/web waits for south, which is no agent",
        "2 more Applications wait for an agent",
        "east: 3 deletions are held: because; see: trio-argoagent ctl deletes list east",
    ]
    document = ctl_fleet.as_document(status)
    assert document["agents"]["east"]["oldestSeconds"] == 75
    assert document["agents"]["west"]["connectedSince"] is None
    assert (document["unclaimed"], document["unclaimedTotal"]) == ({"argocd/web": "south"}, 3)


def test_without_a_principal() -> None:
    """Nobody knows who is connected; the agents are listed all the same."""
    lines = ctl_fleet.as_text(ctl_fleet.Status(NOW, [row("east")], None)).splitlines()
    assert lines[1].split()[:3] == ["east", "managed", "?"]
    assert lines[2] == "no principal answers: nothing is known of links"
    assert ctl_fleet.as_text(ctl_fleet.Status(NOW, [], None)).startswith("the hub knows no agent")


def test_an_older_principal() -> None:
    """It tells who is connected, and no numbers."""
    answer = Answer("w", {"east": Live(int(NOW))})
    lines = ctl_fleet.as_text(ctl_fleet.Status(NOW, [row("east", live=answer.connected["east"])], answer))
    assert "tells no numbers" in lines


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (-5, "0s"), (59.9, "59s"), (60, "1m"), (86_399, "23h"), (864_000, "10d")]
)
def test_spans(seconds: float, text: str) -> None:
    """In the largest unit."""
    assert ctl_fleet.span(seconds) == text


async def test_of_a_principal(autojump_clock: MockClock) -> None:
    """Its live links, its feeds and its held deletions come together."""
    async with open_hub("edge", "west") as hub:
        await hub.join("edge")
        await hub.users.create(APPLICATIONS, application("web", namespace="edge"))
        held = msgspec.json.encode(HeldEntry("a" * 32, "why", 2, ())).decode()
        metadata = {"name": name_of("west"), "namespace": HUB, "labels": {LABEL: "true"}}
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {HELD: held}}
        await hub.users.create(CONFIG_MAPS, value)
        status = await ctl_fleet.look(hub.users, HUB, "w1", NOW)
        edge, west = status.rows
        assert edge.live is not None and edge.numbers is not None
        assert (edge.numbers.wanted, edge.numbers.unsettled, edge.held) == (1, 1, None)
        assert west.live is None and west.held is not None and west.held.total == 2


async def test_applications_that_wait_for_an_agent(autojump_clock: MockClock) -> None:
    """By destination: named with the agent that is missing, until it names one."""
    async with open_fleet([SpokePlan("m1")], style=Style.DESTINATION) as fleet:
        users, wrong = fleet.hub_as("users"), {"destination": {"name": "m9", "namespace": "x"}}
        await users.create(APPLICATIONS, application("web", namespace="m1", **wrong))
        await trio.sleep(5)
        (found,) = (await ctl_fleet.look(users, HUB, "w1", NOW)).rows
        status = await ctl_fleet.look(users, HUB, "w2", NOW)
        assert "Application m1/web waits for m9, which is no agent" in ctl_fleet.as_text(status)
        assert ctl_fleet.as_document(status)["unclaimedTotal"] == 1
        assert found.live is not None and found.numbers is not None
        assert (found.numbers.unsettled, found.numbers.refused) == (0, 0)
        right = MergePatch({"spec": {"destination": {"name": "m1"}}})
        await users.patch(APPLICATIONS, "m1", "web", right)
        await trio.sleep(5)
        status = await ctl_fleet.look(users, HUB, "w3", NOW)
        assert ctl_fleet.as_document(status)["unclaimed"] == {}


def test_inspecting_an_agent_at_work() -> None:
    """How far it is, and what it does not hold with the reason."""
    waiting = Waiting("Application argocd/web", "refused", 90, "no room")
    past = PastLink(int(NOW) - 60, int(NOW) - 5, "the agent stops")
    about = About("F" * 64, "192.0.2.1:5", Numbers(3, 1, 90, 1, 6, 0, 2), (waiting,), "77", links=(past,))
    answer = Answer("w edge", {"edge": Live(int(NOW))}, about)
    view = ctl_agent_show.View(read_entry(cluster_secret()), {}, answer, EAST, None)
    text = ctl_agent_show.as_text(view)
    for part in (
        "connected since 2027-01-15T08:00:00Z",
        "192.0.2.1:5",
        "F" * 64,
        "3 objects wanted, 1 of all not settled",
        "Application argocd/web refused for 1m: no room",
        "2027-01-15T07:59:00Z to 2027-01-15T07:59:55Z: the agent stops",
        "3 (because); see: trio-argoagent ctl deletes list edge",
    ):
        assert part in text
    document = ctl_agent_show.as_document(view)
    assert document["consistentAsOf"] == "77"
    assert document["waiting"] == [
        {"what": "Application argocd/web", "state": "refused", "seconds": 90, "reason": "no room"}
    ]
