"""Fleets whose programs can do different things."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.stream.protocol.negotiation import Offer, spoken
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

PLANS = (SpokePlan("m1"), SpokePlan("a1", Mode.AUTONOMOUS))


@pytest.mark.parametrize(
    ("principal", "agent", "chosen"),
    [(1, 2, 1), (2, 1, 1), (2, 2, 2), (3, 1, 1), (2, 4, 2), (4, 3, 3)],
    ids=lambda newest: f"protocol-{newest}",
)
def test_neighbouring_protocols(principal: int, agent: int, chosen: int) -> None:
    """Programs up to two versions apart replicate, whichever side is the newer one.

    The later versions differ from this one in nothing but their number.
    """
    welcomes: list[int] = []
    offers = {PRINCIPAL: Offer(spoken(principal)), "m1": Offer(spoken(agent)), "a1": Offer(spoken(agent))}

    def look(name: str, up: bool, frame: bytes) -> None:
        said = codec.decode(frame)
        if isinstance(said, messages.Welcome):
            welcomes.append(said.protocol)

    async def main() -> None:
        async with open_fleet(PLANS, offers=offers) as fleet:
            fleet.network.on_frame = look
            await fleet.hub_as("user").create(APPLICATIONS, application("web", namespace="m1"))
            await fleet.spoke_as("a1", "user").create(APPLICATIONS, application("web", namespace=NAMESPACE))
            await fleet.wait_consistent()

    simulate(main, seed=3)
    assert welcomes == [chosen] * len(PLANS)


def test_protocols_too_far_apart() -> None:
    """The agent is told which side has to be upgraded, the hub too, and nothing is replicated."""
    told: list[str] = []

    async def main() -> None:
        async with open_fleet(PLANS[:1], offers={PRINCIPAL: Offer(spoken(4))}) as fleet:
            fleet.observers.append(lambda program, event: told.append(f"{event.name}: {event.text}"))
            await fleet.hub_as("user").create(APPLICATIONS, application("web", namespace="m1"))
            await trio.sleep(30)
            assert fleet.differences()
            assert fleet.network.links("m1") == 0

    simulate(main, seed=3)
    text = "the agent speaks protocol 1, the principal 2 to 4: upgrade the agent"
    assert f"link-refused: {text}" in told
    assert f"link-refused: version: {text}" in told
