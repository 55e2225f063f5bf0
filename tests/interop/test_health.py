"""Both programs as real processes, asked as a kubelet and a person ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import trio

from ..unit.runtime.observing.asking import ask, held_port
from .programs import START_TIMEOUT, Fleet, Program, one_spoke

pytestmark = pytest.mark.processes
POLL = 0.05
"""Seconds between two looks: what is asked for tells nobody when it changes."""


class Asked:
    """A program and the ports that it is asked at."""

    def __init__(self, program: Program, prefix: str, ports: ExitStack) -> None:
        self.health, self.metrics, self.debug = (ports.enter_context(held_port()) for _ in range(3))
        program.environ = {
            f"{prefix}_HEALTH_CHECK_PORT": str(self.health),
            f"{prefix}_METRICS_PORT": str(self.metrics),
            f"{prefix}_PPROF_PORT": str(self.debug),
        }

    async def status(self, path: str) -> int:
        """Of its answer; 0: nobody listens."""
        try:
            return (await ask(self.health, path))[0]
        except OSError:
            return 0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for it."""
    with trio.fail_after(START_TIMEOUT):
        while not await condition():  # noqa: ASYNC110 (it is asked over HTTP)
            await trio.sleep(POLL)


async def check_up(agent: Asked, principal: Asked) -> None:
    """Both are well, and say how they are."""
    for each in (agent, principal):
        for path in ("/livez", "/healthz", "/readyz"):
            assert await ask(each.health, path) == (200, "ok\n")
    status, said = await ask(agent.health, "/readyz?verbose")
    assert status == 200
    assert "[+]certificates ok: links: CN=east" in said
    assert "[+]link ok: connected as east since " in said
    assert "event loop: at most " in said
    _, said = await ask(principal.health, "/readyz?verbose")
    assert "[+]listener ok: agents may dial\n" in said
    assert "agents: 1 of 1 connected\n" in said
    status, tasks = await ask(agent.debug, "/debug/tasks")
    assert status == 200
    assert "Agent.run" in tasks and "Uplink.run" in tasks and "observing /livez" in tasks
    assert (await ask(agent.metrics, "/metrics"))[0] in (200, 503)


async def test_what_a_kubelet_sees(tmp_path: Path) -> None:
    """While the hub is away the agent passes every probe, and says what is the matter."""
    with ExitStack() as ports:
        async with one_spoke(tmp_path) as fleet:
            agent = Asked(fleet.east.agent, "ARGOCD_AGENT", ports)
            principal = Asked(fleet.principal, "ARGOCD_PRINCIPAL", ports)
            await start(fleet)

            async def linked() -> bool:
                return await agent.status("/readyz/link") == 200

            async def parted() -> bool:
                return await agent.status("/readyz/link") == 503

            await until(linked)
            await check_up(agent, principal)
            await fleet.principal.kill()
            await until(parted)
            for path in ("/livez", "/healthz", "/readyz"):
                assert await ask(agent.health, path) == (200, "ok\n")
            assert await principal.status("/livez") == 0
            assert await fleet.east.agent.stop() == 0


async def start(fleet: Fleet) -> None:
    """The principal, and the agent."""
    await fleet.hub.add_agents("east")
    port = await fleet.start_principal()
    fleet.east.agent.arguments = fleet.agent_arguments(fleet.east, port)
    await fleet.nursery.start(fleet.east.agent.run)
