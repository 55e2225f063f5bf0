"""How long an agent waits: for its own cluster before it gives up, and for the principal before it pings."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.agent import Agent
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import Forbidden, Unavailable, UserError, leaves
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.testing.network import Network

from ..replication.world import Script
from .test_uplink import WELCOME, run_spoke, say


class Away(LocalCluster):
    """An API server that answers nothing."""

    async def get(self, *args: Any, **options: Any) -> Any:
        """Never."""
        raise Unavailable("not now")


async def run_away(patience: float) -> None:
    """An agent on such a cluster."""
    chance = random.Random(9)
    env = Env(now=trio.current_time, random=chance, entropy=chance.randbytes)
    cluster = Away(argocd_server(entropy=chance.randbytes), env=env, actor="agent")
    config = AgentConfig("argocd", Mode.MANAGED, patience=patience)
    with trio.fail_after(3600):
        await Agent(config, cluster=cluster, dialer=Network(chance).dialer("edge"), env=env).run()


async def test_a_spoke_that_shows_nothing(autojump_clock: MockClock) -> None:
    """The agent ends when the operator says so, at that time, and in one line; else it waits."""
    with pytest.raises(ExceptionGroup) as caught:
        await run_away(20.0)
    (told,) = leaves(caught.value)
    assert isinstance(told, UserError)
    assert str(told).startswith(
        "--informer-sync-timeout: the spoke has not shown its Applications and AppProjects within 20 s: "
    )
    assert trio.current_time() == pytest.approx(20.0)
    with pytest.raises(trio.TooSlowError):
        await run_away(0.0)


async def test_a_spoke_that_shows_all(autojump_clock: MockClock) -> None:
    """A time that is long enough changes nothing."""
    spoke = await run_spoke(say(WELCOME, stay=500), 100, patience=20.0)
    assert len(spoke.principal.dials) == 1


@pytest.mark.parametrize("patience", [1.0, 10.0])
async def test_a_spoke_whose_secrets_are_not_for_us(patience: float, autojump_clock: MockClock) -> None:
    """What much works without is waited for beyond that: else such an agent would start again for ever."""
    script = Script()
    script.barred = {(verb, SECRETS): Forbidden("secrets is forbidden") for verb in ("list", "watch")}
    spoke = await run_spoke(say(WELCOME, stay=500), 100, gate=script, patience=patience)
    assert len(spoke.principal.dials) == 1


@pytest.mark.parametrize(("keepalive", "least", "most"), [(0.0, 1, 3), (5.0, 9, 12), (60.0, 1, 3)])
async def test_pings(keepalive: float, least: int, most: int, autojump_clock: MockClock) -> None:
    """The shorter silence counts: the principal's 30 s, or what the operator says."""
    spoke = await run_spoke(say(WELCOME, stay=500), 110, keepalive=keepalive)
    assert least <= sum(isinstance(each, m.Ping) for each in spoke.principal.heard) <= most
    assert len(spoke.principal.dials) == 1
