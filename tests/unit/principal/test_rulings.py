"""What a principal decides about agents is told to its auditor: whom it was about, what, and why."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.errors import Unavailable
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import CONFIG_MAPS, SECRETS
from trio_argoagent.model.rulings import Decision, Ruling
from trio_argoagent.net.tls import fingerprint
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.holds import CONFIRM, confirmation
from trio_argoagent.replication.memory import name_of
from trio_argoagent.runtime.config import SelfRegistration
from trio_argoagent.stream.protocol import messages as m

from .hub import HUB, Hub, app_key, open_hub

EDGE = fingerprint(b"edge/0")
"""Of the first certificate of the agent."""


def decisions(hub: Hub) -> list[Decision]:
    """In their order."""
    return [ruling.decision for ruling in hub.rulings]


async def test_an_agent_comes_for_the_first_time(autojump_clock: MockClock) -> None:
    """It is pinned, and then admitted: by whom it has proven to be, from where."""
    async with open_hub("edge") as hub:
        await hub.join("edge", cluster_uid="c9")
        assert hub.rulings == [
            Ruling(Decision.PINNED, "link", "v1 managed argocd c9", "edge", EDGE, "edge:0"),
            Ruling(Decision.ADMITTED, "link", "managed", "edge", EDGE, "edge:0"),
        ]


async def test_an_agent_without_a_secret(autojump_clock: MockClock) -> None:
    """Refused with what it was told; or registered, where that is wanted."""
    async with open_hub() as hub:
        agent = await hub.dial("edge")
        told = await agent.hear(m.Refuse)
        assert hub.rulings == [Ruling(Decision.REFUSED, "link", told.detail, "edge", EDGE, "edge:0")]
    async with open_hub(registration=SelfRegistration("https://proxy")) as hub:
        await hub.join("edge")
        assert decisions(hub) == [Decision.REGISTERED, Decision.ADMITTED]


async def test_an_agent_of_the_other_mode(autojump_clock: MockClock) -> None:
    """It has a decision of its own."""
    async with open_hub("edge") as hub:
        await hub.join("edge")
        agent = await hub.dial("edge", mode=Mode.AUTONOMOUS)
        await agent.hear(m.Refuse)
        assert decisions(hub)[2:] == [Decision.MODE_REFUSED]


async def test_a_removed_agent(autojump_clock: MockClock) -> None:
    """What it had ends; nobody asked for that over a connection."""
    async with open_hub("edge") as hub:
        await hub.join("edge")
        await hub.users.delete(SECRETS, HUB, "cluster-edge")
        await trio.sleep(1)
        assert hub.rulings[-1] == Ruling(Decision.REVOKED, "link", "edge has been taken off the hub", "edge")


async def test_a_hub_that_is_away_decides_nothing(autojump_clock: MockClock) -> None:
    """Who dials then is told to come back: that says nothing of who it is."""
    async with open_hub("edge") as hub:
        hub.script.refuse("patch", Unavailable("away"))
        agent = await hub.dial("edge")
        assert (await agent.hear(m.Refuse)).reason is m.Reason.NOT_READY
        assert hub.rulings == []


async def test_held_deletions(autojump_clock: MockClock) -> None:
    """That they are held, and that a person has confirmed them."""
    name = "a" * 32
    async with open_hub("east") as hub:
        agent = await hub.join("east")
        agent.say(m.Held(name, "because", 1, (app_key(),)))
        await trio.sleep(5)
        patch = MergePatch({"data": {CONFIRM: confirmation(name, trio.current_time())}})
        await hub.users.patch(CONFIG_MAPS, HUB, name_of("east"), patch)
        await agent.hear(m.Confirm)
        asked = f"deletions of set {name}"
        assert hub.rulings[2:] == [
            Ruling(Decision.HELD, asked, "because", "east"),
            Ruling(Decision.CONFIRMED, asked, "confirm in the hub's ConfigMap", "east"),
        ]
