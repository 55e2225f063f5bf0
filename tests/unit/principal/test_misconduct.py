"""Who breaks the protocol too often stays outside for a while, through all reconnects; nobody else does."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.model.identity import Peer
from trio_argoagent.model.resources import EVENTS
from trio_argoagent.model.rulings import Decision, Ruling
from trio_argoagent.principal import presence
from trio_argoagent.principal.agents import PATIENCE
from trio_argoagent.principal.bans import FIRST
from trio_argoagent.principal.gatekeeper import Gatekeeper
from trio_argoagent.stream.protocol import messages as m

from .hub import HUB, Agent, Hub, open_hub

STRIKES = 3
"""In a row: the third brings a ban."""
EAST = Peer("east", "A" * 64, "192.0.2.1:5")


async def misbehave(hub: Hub, name: str = "edge") -> Agent:
    """Join, and say what no agent may say."""
    agent = await hub.join(name, instance=f"i{trio.current_time()}")
    agent.link.send_nowait(b"nonsense")
    await agent.wait_end()
    return agent


async def ban(hub: Hub, name: str = "edge") -> None:
    """Misbehave until it is enough."""
    for _ in range(STRIKES):
        await misbehave(hub, name)


async def test_three_strikes(autojump_clock: MockClock) -> None:
    """The ban is told with its end, then the agent is let in again; the other one never notices."""
    async with open_hub("edge", "other") as hub:
        other = await hub.join("other", cluster_uid="c2")
        await ban(hub)
        refused = await (await hub.dial("edge")).hear(m.Refuse)
        assert (refused.reason, refused.retry_after) == (m.Reason.BANNED, FIRST)
        assert "edge has broken the protocol too often, and is let in again in 10 s" in refused.detail
        decisions = [ruling.decision for ruling in hub.rulings if ruling.agent == "edge"]
        assert decisions.count(Decision.STRUCK) == STRIKES
        assert decisions[-2:] == [Decision.BANNED, Decision.BANNED]
        assert ("banned", "edge") in [(event.name, event.agent) for event in hub.events]
        await trio.sleep(FIRST)
        await hub.join("edge", instance="k")
        assert not other.ended


async def test_the_next_ban_is_longer(autojump_clock: MockClock) -> None:
    """Whoever goes on right afterwards is out at once, for twice as long."""
    async with open_hub("edge") as hub:
        await ban(hub)
        await trio.sleep(FIRST)
        await misbehave(hub)
        assert (await (await hub.dial("edge")).hear(m.Refuse)).retry_after == 2 * FIRST


async def test_another_certificate_is_somebody_else(autojump_clock: MockClock) -> None:
    """A ban is of who has misbehaved: with a new certificate the agent is let in."""
    async with open_hub("edge") as hub:
        await ban(hub)
        hub.network.renew("edge")
        await hub.join("edge", instance="k")


async def test_a_hub_that_does_not_answer(autojump_clock: MockClock) -> None:
    """A ban that cannot be told does not keep those after it from being told."""
    async with open_hub("edge", "other") as hub:
        hub.script.waits["create"] = 100_000.0
        await ban(hub)
        await trio.sleep(1.0)
        hub.script.waits.clear()
        await ban(hub, "other")
        await trio.sleep(PATIENCE + 1.0)
        (event,) = (await hub.users.list(EVENTS, HUB)).items
        assert event.get("message").startswith("agent other was not let in: other has broken the protocol")


async def test_what_a_network_does_is_no_misbehaviour(autojump_clock: MockClock) -> None:
    """Links that break, that say nothing, that go half open, however many."""
    async with open_hub("edge") as hub:
        for number in range(30):
            agent = await hub.join("edge", instance=f"i{number}")
            (agent.link.tear_down if number % 2 else agent.link.swallow)(*["gone"] * (number % 2))
            silent = hub.network.connect("edge")
            await trio.sleep(20)
            silent.tear_down("gone")
            await trio.sleep(100)
        assert not [each for each in hub.rulings if each.decision in (Decision.STRUCK, Decision.BANNED)]


async def test_a_live_link_ends(autojump_clock: MockClock) -> None:
    """Misbehaviour on another connection, with the same certificate, costs the link as well."""
    async with open_hub("edge") as hub:
        edge = await hub.join("edge")
        for _ in range(STRIKES):
            hub.principal.gatekeeper.strike(Peer("edge", hub.network.fingerprint("edge")), "it guesses")
        await edge.wait_end()
        goodbye = edge.heard[-1]
        assert isinstance(goodbye, m.Goodbye)
        assert goodbye.reason is m.Reason.BANNED


async def test_nobody_bans_anybody_else(autojump_clock: MockClock) -> None:
    """Without the key of its certificate: by the same name, from the same address, or as nobody."""
    async with open_hub("edge") as hub:
        edge = await hub.join("edge")
        who = hub.network.fingerprint("edge")
        for liar in (Peer("edge", "B" * 64, "edge:0"), Peer("", "", "edge:0"), Peer("other", who, "edge:0")):
            for _ in range(3 * STRIKES):
                hub.principal.gatekeeper.strike(liar, "it lies")
        await trio.sleep(5)
        assert not edge.ended
        await hub.join("edge", instance="k")


async def test_an_operator_sees_it(autojump_clock: MockClock) -> None:
    """What the principal answers who asks."""
    async with open_hub("edge") as hub:
        await ban(hub)
        answer = await presence.ask(hub.users, HUB, "word")
        assert answer is not None
        assert 0 < answer.banned["edge"] <= FIRST


async def test_strangers_have_an_address_only(autojump_clock: MockClock) -> None:
    """A site's network counts as one; who shows a certificate gets through from there all the same."""
    rulings: list[Ruling] = []
    keeper = Gatekeeper(rulings.append)
    for number in range(STRIKES):
        keeper.strike(Peer("", "", f"[2001:db8::{number}]:{number}"), "too many PING frames")
    refused = keeper(Peer("", "", "[2001:db8::ff]:9"))
    assert refused is not None
    assert (refused.status, refused.retry_after) == (429, FIRST)
    assert dict(refused.headers)["retry-after"] == "10"
    assert refused.text.startswith("2001:db8::/64 has broken the protocol too often")
    assert keeper(Peer("", "", "[2001:db8:1::ff]:9")) is None
    assert keeper(EAST) is None
    assert keeper.outside() == {}


async def test_strikes_without_bans(autojump_clock: MockClock) -> None:
    """Whoever asks whether it keeps to the protocol has to break it; that is on record all the same."""
    rulings: list[Ruling] = []
    keeper = Gatekeeper(rulings.append, bans=False)
    for _ in range(3 * STRIKES):
        keeper.strike(EAST, "it asks")
    assert keeper(EAST) is None and keeper.outside() == {}
    assert [ruling.decision for ruling in rulings] == [Decision.STRUCK] * (3 * STRIKES)
