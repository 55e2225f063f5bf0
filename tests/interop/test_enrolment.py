"""From a one-time token to a link, with real processes: nothing is copied but the token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio

from trio_argoagent.cli import ctl_token
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE

from ..unit.principal.enrolling import put_authority
from .programs import START_TIMEOUT, Fleet

pytestmark = pytest.mark.processes


async def test_from_a_token_to_a_link(tmp_path: Path) -> None:
    """The agent makes its key, keeps it in its Secret, and needs the token once; no log shows its secret."""
    fleet = Fleet(tmp_path)
    async with trio.open_nursery() as nursery:
        fleet.nursery = nursery
        for machine in (fleet.hub, fleet.east.machine):
            await nursery.start(machine.run)
            await machine.make_namespaces(NAMESPACE)
        await fleet.hub.add_agents("east")
        hub, spoke, agent = fleet.hub.local("you"), fleet.east.machine.local("you"), fleet.east.agent
        await put_authority(hub, fleet.pki.authority)
        port = await fleet.start_principal()
        made = await ctl_token.create(hub, NAMESPACE, "east", 600.0, real_env())
        agent.arguments = (
            "agent", f"--kubeconfig={fleet.east.machine.kubeconfig}", f"--server-address={LOOPBACK}",
            f"--server-port={port}", "--agent-mode=managed", "--redis-addr=",
        )  # fmt: skip
        agent.environ = {"ARGOCD_AGENT_BOOTSTRAP_TOKEN": made.token.text}
        with trio.fail_after(START_TIMEOUT):
            await nursery.start(agent.run)
            await agent.wait_said("enrolled")
            await agent.wait_said("link-up")
        kept = await spoke.get(SECRETS, NAMESPACE, "argocd-agent-client-tls")
        assert set(kept.get("data")) == {"tls.crt", "tls.key"}
        await agent.kill()
        before = len(agent.lines)
        with trio.fail_after(START_TIMEOUT):
            await nursery.start(agent.run)
            await agent.wait_said("token-ignored", before)
            await agent.wait_said("link-up", before)
        now = await spoke.get(SECRETS, NAMESPACE, "argocd-agent-client-tls")
        assert now.get("data") == kept.get("data")
        nursery.cancel_scope.cancel()
    told = json.dumps(agent.lines + fleet.principal.lines)
    assert made.token.secret not in told and '"enrolled"' in told
