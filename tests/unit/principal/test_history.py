"""The links that an agent had before, and why they ended."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import LinkBroken
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.principal import presence
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.principal.history import KEPT, REASON, SILENT, History
from trio_argoagent.principal.presence import PastLink
from trio_argoagent.stream.protocol import messages

from .hub import HUB, Hub, open_hub
from .test_revocation import block


async def reasons(hub: Hub, word: str, agent: str = "edge") -> list[str]:
    """Why its links ended, the newest first."""
    found = await presence.ask(hub.users, HUB, word, agent)
    assert found is not None and found.about is not None
    return [each.reason for each in found.about.links]


async def test_why_links_end(autojump_clock: MockClock) -> None:
    """Whoever ends one says why; where nobody does, that is said. The link that lives is not among them."""
    async with open_hub("edge", "west") as hub:
        agent = await hub.join("edge")
        assert await reasons(hub, "w1") == []
        agent.say(messages.Goodbye(messages.Reason.SHUTDOWN, "the agent stops"))
        await agent.wait_end()
        await hub.join("edge")
        hub.network.cut("edge")
        await trio.sleep(5)
        hub.network.heal("edge")
        last = await hub.join("edge")
        last.say(messages.Leaf(b"", (), True))  # Which nobody has asked for.
        await last.wait_end()
        first = await hub.join("edge")
        await hub.join("edge", instance="another")
        await first.wait_end()
        replaced, broken, cut, stopped = await reasons(hub, "w2")
        assert replaced == "another process with this agent's certificate has taken over"
        assert "leaf" in broken.lower()
        assert cut and cut not in (broken, stopped)
        assert stopped == "the agent stops"
        await hub.join("west")
        assert await reasons(hub, "w3", "west") == []


async def test_an_agent_that_comes_back_begins_anew(autojump_clock: MockClock) -> None:
    """What is followed no more is forgotten, the link that ended with it included."""
    async with open_hub("edge") as hub:
        agent = await hub.join("edge")
        agent.say(messages.Goodbye(messages.Reason.SHUTDOWN, "the agent stops"))
        await agent.wait_end()
        agent = await hub.join("edge")
        (secret,) = hub.principal.hub.secrets.objects.values()
        await hub.users.delete(SECRETS, HUB, secret.meta.name)
        await agent.wait_end()
        await trio.sleep(1)
        assert hub.principal.peers == {}
        await hub.users.create(SECRETS, make_secret("edge", HUB))
        await trio.sleep(1)
        await hub.join("edge")
        assert await reasons(hub, "w1") == []


async def test_whoever_is_blocked_keeps_its_history(autojump_clock: MockClock) -> None:
    """The agent is the same one: its links are those before, and the one that was ended."""
    async with open_hub("edge") as hub:
        for _ in range(2):
            agent = await hub.join("edge")
            agent.say(messages.Goodbye(messages.Reason.SHUTDOWN, "the agent stops"))
            await agent.wait_end()
        agent = await hub.join("edge")
        await block(hub, hub.network.fingerprint("edge"))
        await agent.wait_end()
        await trio.sleep(1)
        blocked, *before = await reasons(hub, "w1")
        assert "is blocked on the hub" in blocked
        assert before == ["the agent stops"] * 2


def test_it_is_bounded() -> None:
    """In number and in length, whatever an agent says and how often it comes."""
    clock = iter(range(1_000))
    history = History(("edge",), lambda: float(next(clock)))
    for number in range(KEPT + 5):
        with history.link("edge") as ending:
            ending.why = f"{number}\n" + "x" * 10_000
    with history.link("west"):
        pass
    kept = history.of("edge")
    assert len(kept) == KEPT
    assert kept[0].since == 2 * (KEPT + 4) and kept[0].until == kept[0].since + 1
    assert all(len(each.reason) <= REASON and "\n" not in each.reason for each in kept)
    assert history.of("west") == ()
    history.forget("edge")
    history.forget("nobody")
    assert history.of("edge") == ()


def test_what_went_wrong() -> None:
    """An error goes on its way, and is the reason; a clean end without a word is one, too."""
    history = History(("edge",), lambda: 5.0)
    with pytest.raises(ExceptionGroup), history.link("edge"):
        raise ExceptionGroup("", [LinkBroken("no answer for 60 s"), ValueError("a bug of ours")])
    with pytest.raises(LinkBroken), history.link("edge"):
        raise LinkBroken("the connection was reset")
    with history.link("edge"):
        pass
    assert history.of("edge") == (
        PastLink(5, 5, SILENT),
        PastLink(5, 5, "the connection was reset"),
        PastLink(5, 5, "no answer for 60 s"),
    )
