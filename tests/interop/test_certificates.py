"""A certificate of another CA: both ends say in their logs what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from trio_argoagent.testing.machine import Pki

from .programs import START_TIMEOUT, Program, one_spoke

pytestmark = pytest.mark.processes


async def details(agent: Program, principal: Program) -> tuple[str, str]:
    """What the agent says of being refused, and the principal of somebody it has not let in."""
    with trio.fail_after(START_TIMEOUT):
        ours = await agent.wait_said("link-refused")
        theirs = await principal.wait_said("connection-refused")
    return ours["detail"], theirs["detail"]


async def test_an_agent_of_another_ca(tmp_path: Path) -> None:
    """The agent reads that its certificate is the wrong one; the principal names the option that decides."""
    async with one_spoke(tmp_path) as fleet:
        port = await fleet.start_principal()
        fleet.east.agent.arguments = fleet.agent_arguments(fleet.east, port, Pki.create(fleet.env))
        await fleet.nursery.start(fleet.east.agent.run)
        agent, principal = await details(fleet.east.agent, fleet.principal)
        assert "the principal does not accept our client certificate (unknown ca): it was issued by" in agent
        assert "issue it with the CA of the hub" in agent
        assert "its certificate CN=east (SHA-256 " in principal
        assert "agents need certificates of the CA in --root-ca-path" in principal


async def test_a_principal_of_another_ca(tmp_path: Path) -> None:
    """The agent reads which CA to give it; the principal that somebody does not trust it."""
    async with one_spoke(tmp_path) as fleet:
        fleet.principal.arguments = fleet.principal_arguments(0, Pki.create(fleet.env))
        port = await fleet.start_principal()
        fleet.east.agent.arguments = fleet.agent_arguments(fleet.east, port)
        await fleet.nursery.start(fleet.east.agent.run)
        agent, principal = await details(fleet.east.agent, fleet.principal)
        assert "the principal's certificate is not accepted: " in agent
        assert "--root-ca-path" in agent
        assert "it does not accept our certificate (unknown ca): " in principal
