"""Who is connected: asked by an operator, answered by the live links."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.principal import presence
from trio_argoagent.principal.presence import read_answer
from trio_argoagent.replication.memory import name_of

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


def test_an_answer_that_is_none() -> None:
    """Whatever stands there."""
    assert read_answer("") is None
    assert read_answer("{") is None
