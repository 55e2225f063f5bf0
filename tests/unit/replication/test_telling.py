"""Refusals on an API server: conditions, and Events where there can be none."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.errors import Throttled, Unavailable
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome
from trio_argoagent.model.resources import APPLICATIONS, EVENTS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.replication import happenings
from trio_argoagent.replication.happenings import Happenings, Involved
from trio_argoagent.replication.refusals import Refusals
from trio_argoagent.replication.telling import Telling
from trio_argoagent.sync import conditions

from .world import NAMESPACE, World, make_env, open_world

APP = Key(Kind.APPLICATION, NAMESPACE, "web")
PROJECT = Key(Kind.APP_PROJECT, NAMESPACE, "team")
NO, YES = Outcome.REJECTED, Outcome.APPLIED


async def itself(subject: Involved) -> Involved:
    """What an Event is about."""
    await trio.lowlevel.checkpoint()
    return subject


@attrs.define
class Side:
    """A world, and what tells in it."""

    world: World
    telling: Telling
    settled: set[Key]
    reports: list[str]

    def said(self) -> str:
        """What the Application says."""
        return conditions.said(self.world.now().get("status") or {})

    def events(self) -> list[Object]:
        """All Events."""
        return [Object.parse(item.json) for item in self.world.server.list(EVENTS, NAMESPACE).items]


@contextlib.asynccontextmanager
async def telling() -> AsyncIterator[Side]:
    """A side at work."""
    async with open_world() as world, trio.open_nursery() as nursery:
        settled: set[Key] = set()
        reports: list[str] = []
        standing = Refusals(
            lambda key: (key.namespace, key.name), settled.__contains__, "agent m1", "the hub"
        )
        env = make_env()
        told = Happenings(world.executor._cluster, env, itself)
        side = Telling(
            world.executor, standing, told, lambda kind, name: Key(kind, *name), env, reports.append
        )
        nursery.start_soon(side.run)
        yield Side(world, side, settled, reports)
        nursery.cancel_scope.cancel()


async def test_a_refusal_is_written_once_and_taken_back(autojump_clock: MockClock) -> None:
    """And told once to whoever listens."""
    async with telling() as side:
        await side.world.add()
        side.telling.heard(APP, NO, "no")
        await trio.sleep(60)
        assert side.said().startswith("agent m1: no")
        assert side.world.script.calls.count("patch") == 1
        assert len(side.reports) == 1
        side.settled.add(APP)
        side.telling.heard(APP, YES, "")
        await trio.sleep(1)
        assert side.said() == ""
        assert side.world.now().get("status") == {}


async def test_a_server_that_is_busy_is_asked_again(autojump_clock: MockClock) -> None:
    """What is refused is not forgotten for that."""
    async with telling() as side:
        await side.world.add()
        side.world.script.refuse("patch", Throttled("busy", retry_after=2.0))
        side.world.script.refuse("patch", Unavailable("down"))
        side.telling.heard(APP, NO, "no")
        await trio.sleep(4)
        assert side.said()


async def test_who_removes_it_sees_it_again(autojump_clock: MockClock) -> None:
    """As long as it stands."""
    async with telling() as side:
        await side.world.add()
        side.telling.heard(APP, NO, "no")
        await trio.sleep(1)
        await side.world.users.patch(
            APPLICATIONS, NAMESPACE, "web", MergePatch({"status": {"conditions": None}})
        )
        await trio.sleep(5)
        assert side.said()


async def test_what_mends_itself_unheard_is_seen_to_be_over(autojump_clock: MockClock) -> None:
    """Nothing is told when the replica's own object becomes what is wanted."""
    async with telling() as side:
        await side.world.add()
        side.telling.heard(APP, NO, "no")
        await trio.sleep(1)
        side.settled.add(APP)
        await trio.sleep(5)
        assert side.said() == ""


async def test_a_condition_of_a_predecessor_waits_for_what_is_known(autojump_clock: MockClock) -> None:
    """It goes when the other side is known to hold what it should."""
    async with telling() as side:
        obj = await side.world.add()
        step = conditions.show(obj, "from before", "2026-01-01T00:00:00Z")
        assert step is not None
        old = {"status": {"conditions": [{"type": "AgentError", "message": "from before"}]}}
        obj = await side.world.users.patch(APPLICATIONS, NAMESPACE, "web", MergePatch(old))
        await wait_all_tasks_blocked()
        side.telling.look(obj)
        await trio.sleep(5)
        assert side.said() == "from before"
        side.settled.add(APP)
        side.telling.look(obj)
        await trio.sleep(1)
        assert side.said() == ""


async def test_a_project_is_told_as_an_event_that_is_counted(autojump_clock: MockClock) -> None:
    """Written again before the server forgets it, and not more often."""
    async with telling() as side:
        side.telling.heard(PROJECT, NO, "no")
        await trio.sleep(happenings.RENEW - 1)
        (event,) = side.events()
        assert event.get("count") == 1
        assert event.get("involvedObject")["name"] == "team"
        assert event.get("message").startswith("AppProject team: agent m1: no")
        await trio.sleep(20)
        assert [each.get("count") for each in side.events()] == [2]


async def test_an_event_that_fails_is_tried_again_soon(autojump_clock: MockClock) -> None:
    """A server that is down for a moment hides nothing."""
    async with telling() as side:
        for _ in range(3):
            side.world.script.refuse("create", Unavailable("down"))
        side.telling.heard(PROJECT, NO, "no")
        await trio.sleep(20)
        assert len(side.events()) == 1


async def test_a_flood_of_events_is_bounded(autojump_clock: MockClock) -> None:
    """The others are told as time goes on."""
    async with telling() as side:
        for number in range(happenings.BURST + 20):
            side.telling.heard(Key(Kind.APP_PROJECT, NAMESPACE, f"p{number}"), NO, "no")
        await trio.sleep(60)
        assert len(side.events()) == happenings.BURST
        await trio.sleep(2 * happenings.RENEW)
        assert len(side.events()) > happenings.BURST


async def test_an_application_that_is_gone_here_is_told_as_an_event(autojump_clock: MockClock) -> None:
    """Its deletion is what is refused."""
    async with telling() as side:
        side.telling.heard(APP, Outcome.PENDING, "it is forbidden")
        await trio.sleep(4)
        assert not side.events()
        await trio.sleep(6)
        assert "Application web: agent m1: it is forbidden" in side.events()[0].get("message")


@pytest.mark.parametrize("name", ["x" * 253, "web"])
async def test_an_events_name_is_no_longer_than_names_may_be(name: str, autojump_clock: MockClock) -> None:
    """Whatever it is about."""
    async with telling() as side:
        side.telling.heard(Key(Kind.APP_PROJECT, NAMESPACE, name), NO, "no")
        await trio.sleep(1)
        assert len(side.events()[0].meta.name) <= 253
