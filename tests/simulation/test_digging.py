"""Tunnels beside replication, under all that may befall a fleet; and their judge sees what it should."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from trio_argoagent.agent import targets
from trio_argoagent.stream.tunnels import Tunnels
from trio_argoagent.testing.networks import LEVELS
from trio_argoagent.testing.plan import Options, Plan, draw_plan
from trio_argoagent.testing.trial import run_plan, run_trial


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_that_goes_in_comes_out(seed: int, level: int) -> None:
    """Or whoever uses it is told, and nothing stays open."""
    run_trial(seed, Options(seconds=40.0, level=level, tunnels=True))


def found() -> tuple[str, ...]:
    """What a quiet seed violates with tunnels."""
    return run_plan(draw_plan(1, Options(seconds=20.0, faults=(), tunnels=True))).violations


def test_bytes_that_get_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean end too early, and bytes that are others."""

    async def short(metadata: Mapping[str, str], open_tunnel: targets.OpenTunnel) -> None:
        async with await open_tunnel() as tunnel:
            await tunnel.send_all((await tunnel.receive_some(100))[:-1])

    monkeypatch.setattr(targets, "echo", short)
    assert any("and then a clean end" in each for each in found())

    async def other(metadata: Mapping[str, str], open_tunnel: targets.OpenTunnel) -> None:
        async with await open_tunnel() as tunnel:
            while data := await tunnel.receive_some():
                await tunnel.send_all(data[::-1])

    monkeypatch.setattr(targets, "echo", other)
    assert any("is something else" in each for each in found())


def test_a_tunnel_that_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sooner or later there is no room for others."""
    monkeypatch.setattr(Tunnels, "_gone", lambda self, tunnel: None)
    assert any("found no room" in each for each in found())


def test_a_plan_says_whether_there_are_tunnels() -> None:
    """A saved one replays with them; one of before there were any replays without."""
    plan = draw_plan(1, Options(seconds=5.0, tunnels=True))
    assert Plan.from_json(plan.to_json()) == plan
    assert not Plan.from_json(plan.to_json().replace(', "tunnels": true', "")).options.tunnels
