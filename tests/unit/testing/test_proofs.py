"""What the programs of a fleet know about both sides."""

from __future__ import annotations

from typing import Final

import pytest
import trio
import trio.testing

from trio_argoagent.model.identity import Mode
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import PRINCIPAL, SpokePlan, open_fleet
from trio_argoagent.testing.proofs import proven, wait_proven

PLANS: Final = (SpokePlan("east"), SpokePlan("edge", Mode.AUTONOMOUS))


async def test_proven(autojump_clock: trio.testing.MockClock) -> None:
    """Of all agents, both ways: not without a link, not while one is away, not without the principal."""
    async with open_fleet(PLANS, start=False) as fleet:
        assert not proven(fleet)
        fleet.start(PRINCIPAL, "east")
        await fleet.apply(application("a", namespace="east"))
        await trio.sleep(10)
        assert not proven(fleet)
        fleet.start("edge")
        await wait_proven(fleet)
        assert proven(fleet)
        fleet.cut("east")
        await trio.sleep(1)
        assert not proven(fleet)
        fleet.heal("east")
        assert await wait_proven(fleet) > 0
        fleet.kill(PRINCIPAL)
        await trio.sleep(1)
        assert not proven(fleet)
        with pytest.raises(AssertionError, match="after 5 s: a program does not know it yet"):
            await wait_proven(fleet, 5)


async def test_the_hub_is_read_once(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many agents it is compared with, nothing of the hub's is listed again for each."""
    asked: list[tuple[str, str]] = []
    async with open_fleet([SpokePlan(f"agent-{number}") for number in range(4)]) as fleet:
        await wait_proven(fleet)
        lists = fleet.hub.list

        def count(resource: oracle.Resource, namespace: str = "") -> object:
            asked.append((resource.plural, namespace))
            return lists(resource, namespace)

        monkeypatch.setattr(fleet.hub, "list", count)
        assert fleet.differences() == []
    assert len(asked) == len({*asked})
    assert sum(plural == "applications" for plural, _ in asked) == 4
