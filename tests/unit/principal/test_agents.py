"""Agents come, go and come back with their cluster secrets."""

from __future__ import annotations

import attrs
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import Conflict, Unavailable
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import EVENTS, NAMESPACES, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import clusters
from trio_argoagent.principal.clusters import PINNED, Pin, make_secret, read_pin
from trio_argoagent.runtime.config import SelfRegistration
from trio_argoagent.stream.protocol import messages as m

from .hub import HUB, Agent, Hub, open_hub

NAME = "cluster-edge"


def secret(hub: Hub, name: str = NAME) -> Object:
    """A cluster secret of the hub."""
    found = hub.find(SECRETS, HUB, name)
    assert found is not None
    return found


async def goodbye(agent: Agent) -> m.Goodbye:
    """What the principal ended a link with."""
    await agent.wait_end()
    last = agent.heard[-1]
    assert isinstance(last, m.Goodbye)
    return last


async def test_the_first_that_comes_is_pinned(autojump_clock: MockClock) -> None:
    """Before it is welcomed, so that no crash forgets it."""
    async with open_hub("edge") as hub:
        await hub.join("edge", cluster_uid="c9")
        assert read_pin(secret(hub).annotations[PINNED]) == Pin(Mode.MANAGED, "argocd", "c9")


@pytest.mark.parametrize("error", [Unavailable("away"), Conflict("it has changed")])
async def test_a_pin_that_cannot_be_written_at_once(error: Exception, autojump_clock: MockClock) -> None:
    """Nobody is welcomed unpinned; the agent is told to come back, or never notices."""
    async with open_hub("edge") as hub:
        hub.script.refuse("patch", error)
        first = await hub.dial("edge")
        await trio.sleep(3)
        if isinstance(error, Conflict):
            assert isinstance(first.heard[0], m.Welcome)
        else:
            assert (await first.hear(m.Refuse)).reason is m.Reason.NOT_READY
            await hub.join("edge")
        assert PINNED in secret(hub).annotations


async def test_a_pin_of_before_the_start(autojump_clock: MockClock) -> None:
    """A principal that starts anew knows who is who, before anybody dials."""
    pin = Pin(Mode.AUTONOMOUS, "argocd", "c1")
    async with open_hub() as hub:
        await hub.users.create(SECRETS, make_secret("edge", HUB, pin=pin))
        await trio.sleep(1)
        (status,) = hub.principal.status()
        assert (status.name, status.mode, status.connected) == ("edge", Mode.AUTONOMOUS, False)
        refused = await hub.dial("edge")
        assert (await refused.hear(m.Refuse)).reason is m.Reason.MODE
        await hub.join("edge", mode=Mode.AUTONOMOUS)


async def test_an_unknown_agent(autojump_clock: MockClock) -> None:
    """It is refused with a reason, the hub shows an Event, and it is let in once it has a secret."""
    async with open_hub() as hub:
        stranger = await hub.dial("edge")
        refusal = await stranger.hear(m.Refuse)
        assert refusal.reason is m.Reason.UNKNOWN_AGENT
        assert 0 < refusal.retry_after <= 30
        await trio.sleep(1)
        (event,) = hub.server.list(EVENTS, HUB).items
        about = Object.parse(event.json)
        assert about.get("involvedObject")["name"] == NAME
        assert "no cluster secret" in about.get("message")
        await hub.users.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "edge"}}
        )
        await hub.users.create(SECRETS, make_secret("edge", HUB))
        await trio.sleep(1)
        await hub.join("edge")


async def test_a_secret_removed(autojump_clock: MockClock) -> None:
    """The link ends in less than a second, with a goodbye that says why; the agent is forgotten."""
    async with open_hub("edge", "west") as hub:
        agent, other = await hub.join("edge"), await hub.join("west")
        began = trio.current_time()
        await hub.users.delete(SECRETS, HUB, NAME)
        said = await goodbye(agent)
        assert trio.current_time() - began < 1
        assert said.reason is m.Reason.UNKNOWN_AGENT
        assert [status.name for status in hub.principal.status()] == ["west"]
        assert not other.ended
        again = await hub.dial("edge")
        assert (await again.hear(m.Refuse)).reason is m.Reason.UNKNOWN_AGENT


async def test_a_secret_made_anew(autojump_clock: MockClock) -> None:
    """Another registration under the old name: whoever comes first is pinned anew."""
    async with open_hub("edge") as hub:
        agent = await hub.join("edge")
        await hub.users.delete(SECRETS, HUB, NAME)
        await hub.users.create(SECRETS, make_secret("edge", HUB))
        assert (await goodbye(agent)).reason is m.Reason.UNKNOWN_AGENT
        await trio.sleep(1)
        await hub.join("edge", cluster_uid="c2", mode=Mode.AUTONOMOUS)


async def test_an_agent_that_is_pinned_anew(autojump_clock: MockClock) -> None:
    """Once its pin is taken away the one that is connected goes on, until another one comes."""
    async with open_hub("edge") as hub:
        first = await hub.join("edge")
        refused = await hub.dial("edge", cluster_uid="c2")
        assert "ctl agent repin edge" in (await refused.hear(m.Refuse)).detail
        patch = MergePatch({"metadata": {"annotations": {PINNED: None}}})
        await hub.users.patch(SECRETS, HUB, NAME, patch)
        await trio.sleep(5)
        assert not first.ended
        second = await hub.join("edge", cluster_uid="c2")
        await first.wait_end()
        assert not second.ended
        assert read_pin(secret(hub).annotations[PINNED]).cluster_uid == "c2"
        (status,) = hub.principal.status()
        assert (status.connected, status.links) == (True, 1)


# Two processes of one agent


async def test_w22_two_processes_with_one_identity(autojump_clock: MockClock) -> None:
    """They take turns no more than twice: then the one that is connected stays, and somebody is told.

    A naive principal lets each newcomer in. Then the two of them replace each other for ever, and each takes
    events that were meant for the other (argocd-agent does not even end the older link).
    """
    async with open_hub("edge") as hub:
        first = await hub.join("edge", instance="p1")
        second = await hub.join("edge", instance="p2")
        assert (await goodbye(first)).reason is m.Reason.REPLACED
        await trio.sleep(65)
        third = await hub.join("edge", instance="p1")
        assert (await goodbye(second)).reason is m.Reason.REPLACED
        for _ in range(5):
            await trio.sleep(65)
            late = await hub.dial("edge", instance="p2")
            refusal = await late.hear(m.Refuse)
            assert refusal.reason is m.Reason.DUPLICATE and refusal.retry_after >= 60
        assert not third.ended
        (status,) = hub.principal.status()
        assert status.contested and status.connected
        assert [event.level for event in hub.events if event.name == "agent-contested"] == ["error"] * 5
        events = [Object.parse(each.json) for each in hub.server.list(EVENTS, HUB).items]
        assert any("two processes" in each.get("message") for each in events)
        await trio.sleep(600)
        (status,) = hub.principal.status()
        assert not status.contested


async def test_the_old_link_has_ended_before_the_new_one_is_served(autojump_clock: MockClock) -> None:
    """Two sessions of one agent would both count on what it holds."""
    async with open_hub("edge") as hub:
        await hub.join("edge", instance="p1")
        await hub.join("edge", instance="p2")
        told = [event.name for event in hub.events if event.name.startswith("link")]
        assert told == ["link-up", "link-replaced", "link-down", "link-up"]


async def test_one_cluster_under_two_names(autojump_clock: MockClock) -> None:
    """That is nobody's fault: a cluster may have two Argo CDs."""
    async with open_hub("edge", "west") as hub:
        agents = [
            await hub.join(name, cluster_uid="c1", namespace=f"argocd-{name}") for name in ("edge", "west")
        ]
        await trio.sleep(60)
        assert not any(agent.ended for agent in agents)
        assert not any(status.contested for status in hub.principal.status())


async def test_a_contested_place_of_a_dead_process(autojump_clock: MockClock) -> None:
    """Nobody is preferred who does not answer: a crash loop is no fight."""
    async with open_hub("edge") as hub:
        for number in range(5):
            agent = await hub.join("edge", instance=f"p{number}")
            await trio.sleep(10)
            other = agent.link.other
            assert other is not None and not agent.ended
            hub.network.half_open("edge")
        await hub.join("edge", instance="p9")


async def test_one_process_that_dials_again(autojump_clock: MockClock) -> None:
    """It only takes the place of its own old link, however often."""
    async with open_hub("edge") as hub:
        for _ in range(6):
            await hub.join("edge", instance="p1")
        (status,) = hub.principal.status()
        assert (status.links, status.contested) == (6, False)


async def test_s857_an_old_link_that_ends_late(autojump_clock: MockClock) -> None:
    """What is shown is the link that lives: an older one's end changes nothing.

    A naive principal has each link's end write "disconnected" (argocd-agent #857): then an agent whose old
    link is given up by the keepalive shows as lost for hours, although it works.
    """
    async with open_hub("edge") as hub:
        await hub.join("edge", instance="p1")
        hub.network.half_open("edge")
        await hub.join("edge", instance="p1")
        for _ in range(10):
            (status,) = hub.principal.status()
            assert status.connected
            await trio.sleep(20)


# Self-registration

OFFERED = SelfRegistration("proxy:9090")


async def test_a_stranger_is_registered(autojump_clock: MockClock) -> None:
    """Its secret is as argocd-agent makes it, and pins it at once."""
    async with open_hub(registration=OFFERED) as hub:
        await hub.join("edge", cluster_uid="c7")
        made = secret(hub)
        assert made.labels[clusters.SELF_REGISTERED] == "true"
        assert read_pin(made.annotations[PINNED]).cluster_uid == "c7"
        assert not any(event.name == "link-refused" for event in hub.events)


async def test_a_client_certificate_for_argo_cd(autojump_clock: MockClock) -> None:
    """It comes from the secret that the option names; without that one nobody is registered."""
    offered = attrs.evolve(OFFERED, client_secret="client")
    async with open_hub(registration=offered) as hub:
        refused = await hub.dial("edge")
        assert '"client" not found' in (await refused.hear(m.Refuse)).detail
        value = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "client", "namespace": HUB},
            "stringData": {"tls.crt": "C", "tls.key": "K", "ca.crt": "A"},
        }
        await hub.users.create(SECRETS, value)
        await hub.join("edge")
        assert "config" in secret(hub).get("data")


async def test_a_secret_of_that_name_that_is_another_ones(autojump_clock: MockClock) -> None:
    """It is not touched, and the agent reads what to do."""
    head = {"name": NAME, "namespace": HUB}
    async with open_hub(registration=OFFERED) as hub:
        await hub.users.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": head})
        before = secret(hub).meta.resource_version
        refused = await hub.dial("edge")
        assert "set them, or remove it" in (await refused.hear(m.Refuse)).detail
        assert secret(hub).meta.resource_version == before
