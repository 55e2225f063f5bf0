"""Who is let in, who is not and what it is told, and what happens to the link before."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import Unavailable
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.principal.links import HANDSHAKE_TIMEOUT
from trio_argoagent.principal.program import IDENTITY
from trio_argoagent.stream.protocol import messages as m

from .hub import EMPTY, HUB, open_hub


async def test_welcome(autojump_clock: MockClock) -> None:
    """An agent learns its name, the hub's uid, and what the hub holds of it."""
    async with open_hub("edge") as hub:
        agent = await hub.dial("edge")
        welcome = await agent.hear(m.Welcome)
        assert (welcome.agent, welcome.root) == ("edge", EMPTY)
        found = hub.find(CONFIG_MAPS, HUB, IDENTITY)
        assert found is not None
        assert found.get("data") == {"principal-uid": welcome.principal_uid}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"cluster_uid": "c2"}, m.Reason.IDENTITY),
        ({"mode": Mode.AUTONOMOUS}, m.Reason.MODE),
        ({"namespace": "elsewhere"}, m.Reason.MODE),
        ({"mapping": "destination"}, m.Reason.MAPPING),
        ({"protocols": (9, 12)}, m.Reason.VERSION),
    ],
)
async def test_refusals(more: dict[str, Any], reason: m.Reason, autojump_clock: MockClock) -> None:
    """A known agent that comes back as something else is refused, and the link it has stays up."""
    async with open_hub("edge") as hub:
        first = await hub.join("edge")
        second = await hub.dial("edge", **more)
        refusal = await second.hear(m.Refuse)
        assert refusal.reason is reason
        assert refusal.retry_after > 0
        await second.wait_end()
        assert not first.ended


@pytest.mark.parametrize("name", [HUB, "Bad_Name", "-x", "a" * 64])
async def test_names_that_cannot_be(name: str, autojump_clock: MockClock) -> None:
    """The name becomes a namespace of the hub, and must never be Argo CD's own."""
    async with open_hub() as hub:
        agent = await hub.dial(name)
        assert (await agent.hear(m.Refuse)).reason is m.Reason.IDENTITY
        assert hub.principal.status() == ()


async def test_another_first_message(autojump_clock: MockClock) -> None:
    """Who does not greet gets no answer, and nobody else notices."""
    async with open_hub("edge") as hub:
        rude = await hub.dial("edge", m.Ping(b"x"))
        await rude.wait_end()
        await hub.join("edge")


async def test_no_hello(autojump_clock: MockClock) -> None:
    """A silent link is given up."""
    async with open_hub("edge") as hub:
        hub.network.connect("edge")
        await trio.sleep(HANDSHAKE_TIMEOUT + 1)
        assert hub.network.links("edge") == 0


async def test_a_refused_agent_that_has_gone(autojump_clock: MockClock) -> None:
    """A refusal that nobody hears is a broken link, not a failure of the principal."""
    async with open_hub("edge") as hub:
        agent = await hub.dial("edge", mapping="destination")
        other = agent.link.other
        assert other is not None
        other.broken = "reset"
        await trio.sleep(5)
        assert [event.name for event in hub.events] == ["link-refused", "link-broken"]


async def test_the_newest_link_wins(autojump_clock: MockClock) -> None:
    """The old one ends first, and is told that it was replaced."""
    async with open_hub("edge") as hub:
        first = await hub.join("edge")
        second = await hub.join("edge")
        await first.wait_end()
        assert (await _last(first)).reason is m.Reason.REPLACED
        assert not second.ended
        (status,) = hub.principal.status()
        assert (status.connected, status.links) == (True, 2)


async def _last(agent: Any) -> m.Goodbye:
    goodbye = agent.heard[-1]
    assert isinstance(goodbye, m.Goodbye)
    return goodbye


async def test_many_links_at_once(autojump_clock: MockClock) -> None:
    """Of a crowd with one certificate exactly one stays."""
    async with open_hub("edge") as hub:
        crowd = [await hub.dial("edge") for _ in range(10)]
        await trio.sleep(5)
        assert sum(not agent.ended for agent in crowd) == 1
        assert hub.network.links("edge") == 1


async def test_an_identity_without_uid(autojump_clock: MockClock) -> None:
    """A ConfigMap that somebody else made, empty, is completed: else no agent could be welcomed."""
    empty = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": IDENTITY, "namespace": HUB}}
    async with open_hub("edge", identity=empty) as hub:
        agent = await hub.join("edge")
        found = hub.find(CONFIG_MAPS, HUB, IDENTITY)
        assert found is not None
        assert found.get("data") == {"principal-uid": (await agent.hear(m.Welcome)).principal_uid}


async def test_a_hub_that_is_away_at_the_start(autojump_clock: MockClock) -> None:
    """The principal waits for it."""
    async with open_hub("edge") as hub:
        principal = hub.principal
        hub.script.refuse("get", Unavailable("away"))
        assert await principal._identity() == principal._links.principal_uid
