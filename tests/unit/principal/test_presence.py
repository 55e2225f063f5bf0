"""Who is connected: asked by an operator, answered by the live links."""

from __future__ import annotations

import random

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.model.records import Outcome, Result
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS
from trio_argoagent.principal import presence
from trio_argoagent.principal.presence import Answer, Fleet, Live, Numbers, read_answer
from trio_argoagent.replication.memory import MAX_TEXT, name_of
from trio_argoagent.stream.protocol import messages
from trio_argoagent.testing.argocd.applications import application

from .hub import HUB, open_hub


async def test_an_answer_is_of_now(autojump_clock: MockClock) -> None:
    """Each question is answered anew, by the links that live."""
    async with open_hub("edge", "west") as hub:
        await hub.join("edge")
        first = await presence.ask(hub.users, HUB, "w1")
        assert first is not None and list(first.connected) == ["edge"]
        hub.network.cut("edge")
        await hub.join("west")
        second = await presence.ask(hub.users, HUB, "w2")
        assert second is not None and list(second.connected) == ["west"]
        assert not second.connected["west"].contested


async def test_a_question_is_answered_once(autojump_clock: MockClock) -> None:
    """Agents come and go: while nobody asks, nothing is written."""
    async with open_hub("edge") as hub:
        await presence.ask(hub.users, HUB, "w1")
        before = hub.find(CONFIG_MAPS, HUB, name_of(""))
        await hub.join("edge")
        await trio.sleep(60)
        after = hub.find(CONFIG_MAPS, HUB, name_of(""))
        assert before is not None and after is not None
        assert after.meta.resource_version == before.meta.resource_version


async def test_all_about_one_agent(autojump_clock: MockClock) -> None:
    """Where its link comes from; nothing of others, and of nobody whom the principal does not follow."""
    async with open_hub("edge", "west") as hub:
        await hub.join("edge")
        found = await presence.ask(hub.users, HUB, "w1", "edge")
        assert found is not None and found.about is not None
        assert found.about.address == "edge:0"
        assert list(found.connected) == ["edge"]
        stranger = await presence.ask(hub.users, HUB, "w2", "west")
        assert stranger is not None and stranger.about is None
        plain = await presence.ask(hub.users, HUB, "w3")
        assert plain is not None and plain.about is None


async def test_all_agents_in_numbers(autojump_clock: MockClock) -> None:
    """Also of one that is away: what it lacks is named when it is asked about, the oldest first."""
    async with open_hub("edge", "west") as hub:
        agent = await hub.join("edge")
        for name in ("web", "api"):
            await hub.users.create(APPLICATIONS, application(name, namespace="edge"))
        await trio.sleep(1)
        if any(isinstance(message, messages.Buckets) for message in agent.heard):
            agent.say(messages.Leaf(bytes(range(256)), (), True))
        await trio.sleep(1)
        first, _ = (each for each in agent.heard if isinstance(each, messages.RecordMessage))
        agent.say(messages.Results((Result(first.number, Outcome.REJECTED, "no room"),)))
        await trio.sleep(30)
        found = await presence.ask(hub.users, HUB, "w1", presence.ALL)
        assert found is not None and found.fleet is not None and found.about is None
        numbers = found.fleet.numbers["edge"]
        assert (numbers.wanted, numbers.unsettled, numbers.refused, numbers.links) == (2, 2, 1, 1)
        assert 30 <= numbers.oldest <= 40
        told = await presence.ask(hub.users, HUB, "w2", "edge")
        assert told is not None and told.about is not None
        assert [each.state for each in told.about.waiting] == ["refused", "in flight"]
        assert told.about.waiting[0].what == f"Application argocd/{first.record.key.name}"
        assert told.about.waiting[0].reason == "no room"
        hub.network.cut("edge")
        await trio.sleep(10)
        away = await presence.ask(hub.users, HUB, "w3", presence.ALL)
        assert away is not None and away.fleet is not None
        assert away.fleet.numbers["edge"].unsettled == 2


@pytest.mark.parametrize(("agents", "told"), [(3, True), (3000, True), (10_000, False)])
def test_a_large_fleet(agents: int, told: bool) -> None:
    """It fits into what a ConfigMap remembers, and comes out as it went in; the largest without numbers."""
    chance = random.Random(1)
    names = [f"cluster-{number:05}-{chance.getrandbits(32):08x}" for number in range(agents)]
    numbers = {name: Numbers(*(chance.randrange(300) for _ in range(7))) for name in names}
    live = {name: Live(1_800_000_000 + chance.randrange(100_000)) for name in names}
    text = presence.encode(Answer("w *", live, fleet=Fleet(numbers, {}, 0)))
    assert len(text) <= MAX_TEXT
    assert read_answer(text) == Answer("w *", live, fleet=Fleet(numbers, {}, 0) if told else None)


def test_an_answer_that_is_none() -> None:
    """Whatever stands there."""
    assert read_answer("") is None
    assert read_answer("{") is None
