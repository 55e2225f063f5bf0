"""Syncs, refreshes and deletions on the hub, answered by an agent that is spoken by hand."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from trio_argoagent.errors import Forbidden, Unauthorized
from trio_argoagent.model.keys import Kind, Verb
from trio_argoagent.model.objects import Object, decode
from trio_argoagent.model.records import Outcome, Result
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.sync import names
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.testing.argocd.applications import app_project, application

from .hub import HUB, Agent, Hub, app_key, open_hub, value

SYNC = app_key().of(Kind.INTENT, Verb.SYNC)
REFRESH = app_key().of(Kind.INTENT, Verb.REFRESH)


def sent(agent: Agent, key: Any) -> list[m.RecordMessage]:
    """The records of one key that the agent was sent."""
    return [r for r in agent.heard if isinstance(r, m.RecordMessage) and r.record.key == key]


def answer(agent: Agent, message: m.RecordMessage, outcome: Outcome, **more: Any) -> None:
    """Answer one record."""
    agent.say(m.Results((structs.replace(Result(message.number, outcome), **more),)))


async def settle(agent: Agent) -> None:
    """Comparison: the agent holds nothing."""
    await trio.sleep(0.2)
    if any(isinstance(message, m.Buckets) for message in agent.heard):
        agent.say(m.Leaf(bytes(range(256)), (), True))
    await trio.sleep(0.2)


async def ask(hub: Hub, **fields: Any) -> Object:
    """Set fields of the one Application as a hub's user would."""
    return await hub.users.patch(APPLICATIONS, "edge", "web", MergePatch(fields))


def refreshing(moment: str) -> dict[str, Any]:
    """Argo CD's refresh."""
    return {"metadata": {"annotations": {names.REFRESH: "normal", names.REFRESH_TIMESTAMP: moment}}}


async def start(hub: Hub) -> Agent:
    """An Application on the hub, and its agent."""
    await hub.users.create(APPLICATIONS, application("web", namespace="edge"))
    agent = await hub.join("edge")
    await settle(agent)
    return agent


STATUS: dict[str, Any] = {
    "status": {"health": {"status": "Healthy"}, "reconciledAt": "2026-01-01T00:00:00Z"},
    "operation": None,
    "intent": "",
    "refresh": False,
}


async def test_an_answer_to_an_earlier_refresh(autojump_clock: MockClock) -> None:
    """It does not take the later one off the hub."""
    async with open_hub("edge") as hub:
        agent = await start(hub)
        await ask(hub, **refreshing("1"))
        await trio.sleep(0.2)
        (first,) = sent(agent, REFRESH)
        await ask(hub, **refreshing("2"))
        await trio.sleep(0.2)
        answer(agent, first, Outcome.APPLIED, asof="5")
        app = hub.app("edge")
        assert app is not None
        record = value(app_key(kind=Kind.STATUS), STATUS, uid=app.meta.uid)
        assert (await agent.ask(record)).outcome is Outcome.APPLIED
        app = hub.app("edge")
        assert app is not None
        assert names.REFRESH in app.annotations


@pytest.mark.parametrize("asof", ["5", ""])
async def test_an_answered_refresh_leaves_the_hub(asof: str, autojump_clock: MockClock) -> None:
    """With the status that is as new as the spoke's write, or that cannot be compared with it."""
    async with open_hub("edge") as hub:
        agent = await start(hub)
        await ask(hub, **refreshing("1"))
        await trio.sleep(0.2)
        (first,) = sent(agent, REFRESH)
        answer(agent, first, Outcome.APPLIED, asof=asof)
        app = hub.app("edge")
        assert app is not None
        await agent.ask(value(app_key(kind=Kind.STATUS), STATUS, uid=app.meta.uid))
        app = hub.app("edge")
        assert app is not None
        assert names.REFRESH not in app.annotations


async def test_a_status_from_before_the_refresh_does_not_answer_it(autojump_clock: MockClock) -> None:
    """Its asof is below that of the spoke's refresh write."""
    async with open_hub("edge") as hub:
        agent = await start(hub)
        await ask(hub, **refreshing("1"))
        await trio.sleep(0.2)
        (first,) = sent(agent, REFRESH)
        answer(agent, first, Outcome.APPLIED, asof="8")
        app = hub.app("edge")
        assert app is not None
        await agent.ask(value(app_key(kind=Kind.STATUS), STATUS, uid=app.meta.uid))
        app = hub.app("edge")
        assert app is not None
        assert names.REFRESH in app.annotations


def ids(records: list[m.RecordMessage]) -> list[str]:
    """The ids of intents."""
    return [decode(r.record.body)["id"] for r in records if r.record.body is not None]


async def test_a_rejection_of_an_earlier_sync(autojump_clock: MockClock) -> None:
    """The sync that stands now was not rejected, and is still to be answered."""
    async with open_hub("edge") as hub:
        agent = await start(hub)
        await ask(hub, operation={"sync": {"revision": "one"}})
        await trio.sleep(0.2)
        (first,) = sent(agent, SYNC)
        await ask(hub, operation=None)
        await ask(hub, operation={"sync": {"revision": "two"}})
        await trio.sleep(0.2)
        answer(agent, first, Outcome.REJECTED, reason="cannot")
        await trio.sleep(5)
        app = hub.app("edge")
        assert app is not None
        assert app.get("operation")["sync"] == {"revision": "two"}
        assert (app.get("status") or {}).get("operationState") is None


async def test_a_rejected_sync_is_answered(autojump_clock: MockClock) -> None:
    """In one patch: the operation goes, its state says why."""
    async with open_hub("edge") as hub:
        agent = await start(hub)
        await ask(hub, operation={"sync": {"revision": "one"}})
        await trio.sleep(0.2)
        answer(agent, sent(agent, SYNC)[0], Outcome.REJECTED, reason="cannot")
        await trio.sleep(5)
        app = hub.app("edge")
        assert app is not None
        assert app.get("operation") is None
        state = app.get("status")["operationState"]
        assert (state["phase"], state["message"]) == ("Error", "cannot")


@pytest.mark.parametrize("error", [Forbidden("no"), Unauthorized("who?")])
async def test_a_request_is_stamped_once_we_are_allowed_to(
    error: Exception, autojump_clock: MockClock
) -> None:
    """The refusal of one moment must not lose it: no event will remind us."""
    async with open_hub("edge") as hub:
        agent = await start(hub)
        hub.script.refuse("patch", error)
        await ask(hub, operation={"sync": {"revision": "one"}})
        await trio.sleep(10)
        assert len(set(ids(sent(agent, SYNC)))) == 1


async def test_a_cascade_is_stripped_only_when_it_was_carried_out(autojump_clock: MockClock) -> None:
    """Not by the answer to the record before it, nor by one of a dead link."""
    async with open_hub("edge") as hub:
        agent = await start(hub)
        (create,) = sent(agent, app_key())
        answer(agent, create, Outcome.APPLIED)
        await trio.sleep(1)
        await hub.users.delete(APPLICATIONS, "edge", "web")
        await trio.sleep(5)
        app = hub.app("edge")
        assert app is not None
        last = sent(agent, app_key())[-1]
        assert last.record.body is not None
        assert decode(last.record.body)["deleting"] is True
        answer(agent, create, Outcome.APPLIED)
        await trio.sleep(5)
        assert hub.app("edge") is not None
        answer(agent, last, Outcome.APPLIED)
        await trio.sleep(5)
        assert hub.app("edge") is None


@pytest.mark.parametrize(
    "destination",
    [{"server": "https://[broken", "namespace": "*"}, {"server": "http://[::1", "namespace": "*"}],
)
async def test_a_project_that_names_no_url(destination: dict[str, str], autojump_clock: MockClock) -> None:
    """A user's slip in one AppProject must not end the principal."""
    async with open_hub("edge") as hub:
        agent = await start(hub)
        odd = app_project("odd", namespace=HUB, destinations=[destination], sourceNamespaces=["*"])
        await hub.users.create(APP_PROJECTS, odd)
        good = app_project("good", namespace=HUB, destinations=[{"name": "*"}], sourceNamespaces=["*"])
        await hub.users.create(APP_PROJECTS, good)
        await trio.sleep(1)
        keys = [r.record.key.name for r in agent.heard if isinstance(r, m.RecordMessage)]
        assert "good" in keys
        assert "odd" not in keys


def test_a_regular_expression_that_cannot_be() -> None:
    """It matches nobody."""
    spec = {"destinations": [{"name": "*"}], "sourceNamespaces": ["/a{99999999999999}/", "/(/"]}
    assert not NamespaceMapping("edge", "argocd", HUB, autonomous=False).admits(spec)
