"""Whose certificate is blocked is out at that moment, and nothing that he has said is done any more."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import Forbidden, NotFound, Unreachable
from trio_argoagent.model.fingerprints import BLOCKLIST
from trio_argoagent.model.identity import Mode, Peer
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS
from trio_argoagent.model.rulings import Decision, Ruling
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.blocklist import Blocklist
from trio_argoagent.principal.gatekeeper import BLOCKED_RETRY, Gatekeeper
from trio_argoagent.stream.protocol import messages as m

from ..replication.world import Script
from .hub import HUB, Agent, Hub, app_key, copy_body, open_hub, value

BAD = "A" * 64


async def block(hub: Hub, *names: str, until: str = "") -> None:
    """Put that onto the blocklist, as ``ctl blocklist add`` does."""
    data = dict.fromkeys(names, until)
    try:
        await hub.users.patch(CONFIG_MAPS, HUB, BLOCKLIST, MergePatch({"data": data}))
    except NotFound:
        metadata = {"name": BLOCKLIST, "namespace": HUB}
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        await hub.users.create(CONFIG_MAPS, made)


def said(agent: Agent) -> m.Message:
    """The last thing the principal has said."""
    return agent.heard[-1]


async def test_a_live_link_ends_within_a_second(autojump_clock: MockClock) -> None:
    """With a goodbye that says why; nobody else's does, and the hub's log and audit log say it."""
    async with open_hub("edge", "other") as hub:
        edge, other = await hub.join("edge"), await hub.join("other", cluster_uid="c2")
        fingerprint = hub.network.fingerprint("edge")
        before = trio.current_time()
        await block(hub, fingerprint.lower(), BAD)
        await edge.wait_end()
        assert trio.current_time() - before < 1.0
        goodbye = said(edge)
        assert isinstance(goodbye, m.Goodbye)
        assert goodbye.reason is m.Reason.REVOKED
        assert fingerprint in goodbye.detail
        assert not other.ended
        connected = {status.name: status.connected for status in hub.principal.status()}
        assert connected == {"edge": False, "other": True}
        assert ("agent-revoked", "edge") in [(event.name, event.agent) for event in hub.events]
        assert hub.rulings[-1] == Ruling(
            Decision.REVOKED, "link", goodbye.detail, "edge", fingerprint, "edge:0"
        )


async def test_it_ends_though_nobody_listens(autojump_clock: MockClock) -> None:
    """Whoever takes nothing is cut off all the same."""
    async with open_hub("edge") as hub:
        await hub.join("edge")
        hub.network.half_open("edge")
        await block(hub, hub.network.fingerprint("edge"))
        await trio.sleep(1.0)
        assert hub.network.links("edge") == 0


async def test_it_is_refused_until_it_is_taken_off(autojump_clock: MockClock) -> None:
    """At the door, with the time after which to ask again; another certificate of that agent is welcome."""
    async with open_hub("edge") as hub:
        await hub.join("edge")
        await block(hub, hub.network.fingerprint("edge"))
        await trio.sleep(1)
        refused = await hub.dial("edge")
        answer = await refused.hear(m.Refuse)
        assert (answer.reason, answer.retry_after) == (m.Reason.REVOKED, BLOCKED_RETRY)
        assert hub.rulings[-1].decision is Decision.REVOKED
        hub.network.renew("edge")
        await hub.join("edge")
        await hub.users.delete(CONFIG_MAPS, HUB, BLOCKLIST)
        await trio.sleep(1)
        await hub.join("edge", instance="j")


async def test_what_is_blocked_while_the_hub_takes_note(autojump_clock: MockClock) -> None:
    """Whoever is amid being let in is not."""
    async with open_hub("edge") as hub:
        fingerprint = hub.network.fingerprint("edge")
        hub.script.waits["patch"] = 5.0
        edge = await hub.dial("edge")
        await trio.sleep(1)
        await block(hub, fingerprint)
        assert (await edge.hear(m.Refuse)).reason is m.Reason.REVOKED
        assert not any(isinstance(message, m.Welcome) for message in edge.heard)


async def test_nothing_further_is_applied(autojump_clock: MockClock) -> None:
    """Neither what waits in a queue nor what is amid several writes; what was applied stays as it is."""
    async with open_hub("edge") as hub:
        edge = await hub.join("edge", mode=Mode.AUTONOMOUS)
        await edge.ask(value(app_key("before"), copy_body()))
        hub.script.waits["create"] = 3.0
        for number in range(40):
            await edge.send(value(app_key(f"app-{number}"), copy_body(), uid=f"u{number}"))
        await trio.sleep(1)
        await block(hub, hub.network.fingerprint("edge"))
        await edge.wait_end()
        written = len(hub.server.list(APPLICATIONS, "edge").items)
        await trio.sleep(600)
        apps = hub.server.list(APPLICATIONS, "edge").items
        assert len(apps) == written == 1


async def test_a_whole_agent(autojump_clock: MockClock) -> None:
    """Nothing of it counts, where nothing says when it was issued, or no moment is named; others go on."""
    async with open_hub("edge", "other") as hub:
        edge, other = await hub.join("edge"), await hub.join("other", cluster_uid="c2")
        await block(hub, "agent.edge", until="1971-01-01T00:00:00Z")
        await edge.wait_end()
        assert (await (await hub.dial("edge")).hear(m.Refuse)).reason is m.Reason.REVOKED
        await hub.users.delete(CONFIG_MAPS, HUB, BLOCKLIST)
        await trio.sleep(1)
        edge = await hub.join("edge", instance="j")
        await block(hub, "agent.edge")
        await edge.wait_end()
        assert not other.ended
        refused = await hub.dial("edge")
        assert (await refused.hear(m.Refuse)).reason is m.Reason.REVOKED


async def test_what_it_said_before_it_left(autojump_clock: MockClock) -> None:
    """Blocked while it is away: what is still under way of its last link is dropped."""
    async with open_hub("edge") as hub:
        edge = await hub.join("edge", mode=Mode.AUTONOMOUS)
        hub.script.waits["create"] = 3.0
        await edge.send(value(app_key(), copy_body()))
        await trio.sleep(1)
        edge.link.tear_down("gone")
        await trio.sleep(1)
        await block(hub, hub.network.fingerprint("edge"))
        await trio.sleep(600)
        assert hub.app("edge") is None


async def test_a_list_that_may_not_be_read(autojump_clock: MockClock) -> None:
    """Nobody is let in, which is said; once it can be read, all goes on."""
    script = Script()
    for verb in ("list", "watch"):
        script.barred[verb, CONFIG_MAPS] = Forbidden("no")
    async with open_hub("edge", script=script) as hub:
        await trio.sleep(60)
        (event,) = [event for event in hub.events if event.name == "blocklist-unknown"]
        assert event.level == "error"
        assert "no agent is let in: " in event.text
        with pytest.raises(Unreachable):
            await hub.dial("edge")
        script.barred.clear()
        await trio.sleep(300)
        await hub.join("edge")


async def test_it_stays_in_force_while_the_server_is_away(autojump_clock: MockClock) -> None:
    """What was read once is not forgotten."""
    async with open_hub("edge") as hub:
        fingerprint = hub.network.fingerprint("edge")
        await block(hub, fingerprint)
        await trio.sleep(1)
        for verb in ("list", "watch"):
            hub.script.barred[verb, CONFIG_MAPS] = Forbidden("no")
        hub.server.drop_watches(Forbidden("gone"))
        await trio.sleep(300)
        assert any(event.name == "blocklist-unknown" for event in hub.events)
        assert (await (await hub.dial("edge")).hear(m.Refuse)).reason is m.Reason.REVOKED


async def test_what_is_no_fingerprint(autojump_clock: MockClock) -> None:
    """It blocks nothing, and the log says so."""
    async with open_hub("edge") as hub:
        await block(hub, "ab-cd")
        await trio.sleep(1)
        (event,) = [event for event in hub.events if event.name == "blocklist-unusable"]
        assert "'ab-cd'" in event.text
        await hub.join("edge")


async def test_the_gate_of_a_listener() -> None:
    """It says 403 and why, and tells the auditor whom it has turned away."""
    rulings: list[Ruling] = []
    keeper = Gatekeeper(rulings.append)
    peer = Peer("edge", BAD, "192.0.2.1:5")
    assert keeper(peer) is None
    keeper.blocked = Blocklist(frozenset((BAD,)))
    answer = keeper(peer)
    assert answer is not None
    assert (answer.status, answer.retry_after) == (403, BLOCKED_RETRY)
    assert BAD in answer.text
    assert "\n" not in answer.text
    assert rulings == [Ruling(Decision.REVOKED, "connection", answer.text, "edge", BAD, "192.0.2.1:5")]
