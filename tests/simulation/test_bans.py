"""One agent breaks the protocol, again and again, through all its reconnects; the fleet around it works."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio

from trio_argoagent.errors import LinkError, LinkRefused
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, EVENTS
from trio_argoagent.model.rulings import Decision
from trio_argoagent.principal import presence
from trio_argoagent.principal.bans import FIRST
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.fleet import NAMESPACE, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

PLANS = (SpokePlan("bad"), SpokePlan("good"), SpokePlan("free", Mode.AUTONOMOUS))
ROUNDS = 2
"""Bans, one after the other."""


async def rave(fleet: Fleet) -> LinkRefused:
    """With the agent's certificate: dial, say what is no message, and dial again; until there is a ban."""
    for _ in range(20):
        try:
            async with fleet.network.dialer("bad").dial() as link:
                link.send_nowait(b"\xc1nonsense")
                with suppress(LinkError):
                    while await link.receive():
                        pass
        except LinkRefused as exc:
            return exc
    raise AssertionError("it may go on for ever")


async def edit(fleet: Fleet) -> None:
    """The neighbours' users change something all the time."""
    number = 0
    while True:
        number += 1
        await fleet.apply(application("web", namespace="good", syncPolicy=automated(), path=f"v{number}"))
        await fleet.apply(application("web", syncPolicy=automated(), path=f"v{number}"), "free")
        await trio.sleep(4)


def decided(fleet: Fleet, decision: Decision) -> list[str]:
    """About whom."""
    return [ruling.agent for _, ruling in fleet.rulings if ruling.decision is decision]


@pytest.mark.parametrize("level", [1, 2])
def test_who_breaks_the_protocol_stays_outside(level: int) -> None:
    """Struck, then out for longer each time; the neighbours lose no link and no change; then it is let in."""

    async def story() -> None:
        async with open_fleet(PLANS, seed=3, level=level) as fleet:
            await fleet.apply(application("web", namespace="bad", syncPolicy=automated()))
            await fleet.wait_synced()
            fleet.crash("bad")
            await trio.sleep(1)
            begun, refusals = trio.current_time(), list[LinkRefused]()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(edit, fleet)
                for _ in range(ROUNDS):
                    refusals.append(await rave(fleet))
                    answer = await presence.ask(fleet.hub_as("user"), NAMESPACE, "word")
                    assert answer is not None and 0 < answer.banned["bad"] <= refusals[-1].retry_after
                    if len(refusals) < ROUNDS:
                        await trio.sleep(refusals[-1].retry_after)
                await fleet.apply(application("new", namespace="bad", syncPolicy=automated()))
                out = trio.current_time()
                fleet.start("bad")
                await fleet.until(lambda: "new" in found(fleet))
                nursery.cancel_scope.cancel()
            assert trio.current_time() - out >= refusals[-1].retry_after - 1
            assert [each.retry_after for each in refusals] == [FIRST, 2 * FIRST]
            assert all(each.reason == "banned" for each in refusals)
            assert set(decided(fleet, Decision.STRUCK)) == set(decided(fleet, Decision.BANNED)) == {"bad"}
            assert decided(fleet, Decision.STRUCK).count("bad") == 3 + 1
            told = [(event.name, event.agent) for at, _, event in fleet.events if at > begun]
            assert ("banned", "bad") in told
            assert not [each for each in told if each[0].startswith("link") and each[1] != "bad"]
            seen = oracle.objects(fleet.hub, EVENTS, NAMESPACE).values()
            assert any("bad has broken the protocol too often" in each.get("message") for each in seen)
            await fleet.wait_synced()

    def found(fleet: Fleet) -> list[str]:
        return list(oracle.objects(fleet.spokes["bad"].server, APPLICATIONS, NAMESPACE))

    simulate(story, seed=3)
