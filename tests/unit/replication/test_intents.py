"""Intents on a spoke, over a real API server in process."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.errors import OutcomeUnknown, RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Outcome, Record
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.replication import intents
from trio_argoagent.replication.intents import Intents
from trio_argoagent.replication.workers import Achieved
from trio_argoagent.sync import names
from trio_argoagent.sync.intents import EXPIRED
from trio_argoagent.sync.replica import Work

from .world import NAMESPACE, World, open_world


def key(verb: Verb, name: str = "web") -> Key:
    """The key of an intent."""
    return Key(Kind.INTENT, NAMESPACE, name, verb)


def work(verb: Verb, uid: str, name: str = "web", **body: Any) -> Work:
    """One intent to bring about."""
    return Work(key(verb, name), Record(key(verb, name), uid, "D", "7", canonical(body)), again=False)


def trade(world: World) -> Intents:
    """The trade of intents on this world, as an autonomous agent has it."""
    return Intents(world.executor, lambda obj: obj.meta.uid, lambda key: None)


async def achieve(intents: Intents, work: Work) -> Achieved:
    """Bring it about, now."""
    done = await intents.bring_about(work)
    assert isinstance(done, Achieved)
    return done


async def test_a_sync_whose_answer_was_lost_starts_once(autojump_clock: MockClock) -> None:
    """The id on the object tells that it was started."""
    async with open_world() as world:
        app = await world.add()
        world.script.lose("patch", OutcomeUnknown("no answer"))
        ask = work(Verb.SYNC, app.meta.uid, id="i1", operation={"sync": {"revision": "one"}})
        assert (await achieve(trade(world), ask)).outcome is Outcome.APPLIED
        assert world.script.calls.count("patch") == 1
        await world.users.patch(APPLICATIONS, NAMESPACE, "web", MergePatch({"operation": None}))
        await wait_all_tasks_blocked()
        assert (await achieve(trade(world), ask)).outcome is Outcome.APPLIED
        assert world.now().get("operation") is None


@pytest.mark.parametrize("verb", [Verb.SYNC, Verb.REFRESH])
async def test_another_object_of_that_name(verb: Verb, autojump_clock: MockClock) -> None:
    """It is not touched: what was asked for is not there."""
    async with open_world() as world:
        await world.add()
        ask = work(verb, "another uid", id="i1", operation={"sync": {}}, value="normal")
        assert (await achieve(trade(world), ask)).outcome is Outcome.PENDING
        assert "patch" not in world.script.calls


async def test_a_refresh_is_asked_for_once(autojump_clock: MockClock) -> None:
    """Also when the controller has taken it off and the link asks again; the version is that of our write."""
    async with open_world() as world:
        app = await world.add()
        mine = trade(world)
        ask = work(Verb.REFRESH, app.meta.uid, id="r1", value="normal")
        first = await achieve(mine, ask)
        assert first.asof == world.now().meta.resource_version
        patch = MergePatch({"metadata": {"annotations": {names.REFRESH: None}}})
        await world.users.patch(APPLICATIONS, NAMESPACE, "web", patch)
        await wait_all_tasks_blocked()
        second = await achieve(mine, ask)
        assert (second.outcome, second.asof) == (Outcome.APPLIED, first.asof)
        assert names.REFRESH not in world.now().annotations


async def test_what_is_remembered_is_bounded(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No record ever tells that an answered refresh is over."""
    monkeypatch.setattr(intents, "MAX_REFRESHED", 3)
    async with open_world() as world:
        mine = trade(world)
        for n in range(10):
            app: Object = await world.add(f"app-{n}")
            await achieve(mine, work(Verb.REFRESH, app.meta.uid, f"app-{n}", id=f"r{n}", value="normal"))
        assert [key.name for key in mine._refreshed] == ["app-7", "app-8", "app-9"]


async def test_the_time_that_is_left_runs_from_the_first_try(autojump_clock: MockClock) -> None:
    """A sync that had to wait is not started later; the same one with more time left does not live longer."""
    async with open_world() as world:
        app = await world.add()
        mine = trade(world)
        ask = work(Verb.SYNC, app.meta.uid, id="i1", operation={"sync": {}}, left=10.0)
        elsewhere = work(Verb.SYNC, "another uid", id="i1", operation={"sync": {}}, left=10.0)
        assert (await achieve(mine, elsewhere)).outcome is Outcome.PENDING
        await trio.sleep(11.0)
        again = work(Verb.SYNC, app.meta.uid, id="i1", operation={"sync": {}}, left=60.0)
        late = await achieve(mine, again)
        assert (late.outcome, late.reason) == (Outcome.REJECTED, EXPIRED)
        assert world.now().get("operation") is None
        # What is told of it now is another request.
        assert (await achieve(mine, ask)).outcome is Outcome.APPLIED


@pytest.mark.parametrize("left", ["soon", -1.0, None])
async def test_a_time_that_makes_no_sense(left: Any, autojump_clock: MockClock) -> None:
    """It is the principal's fault."""
    async with open_world() as world:
        app = await world.add()
        with pytest.raises(RemoteProtocolError, match="left is no number"):
            await achieve(trade(world), work(Verb.SYNC, app.meta.uid, id="i1", operation={}, left=left))
