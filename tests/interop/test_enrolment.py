"""From a one-time token to a link, with real processes: nothing is copied but the token."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from trio_argoagent.cli import ctl_token
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.pki import keys
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE

from ..unit.principal.enrolling import put_authority
from .programs import START_TIMEOUT, Fleet, one_spoke

pytestmark = pytest.mark.processes


@asynccontextmanager
async def issuing(folder: Path) -> AsyncIterator[Fleet]:
    """A hub with a principal that issues certificates, and a spoke whose agent has not been started."""
    async with one_spoke(folder) as fleet:
        await fleet.hub.add_agents("east")
        await put_authority(fleet.hub.local("you"), fleet.pki.authority)
        port = await fleet.start_principal()
        fleet.east.agent.arguments = (
            "agent", f"--kubeconfig={fleet.east.machine.kubeconfig}", f"--server-address={LOOPBACK}",
            f"--server-port={port}", "--agent-mode=managed", "--redis-addr=",
        )  # fmt: skip
        yield fleet


async def test_from_a_token_to_a_link(tmp_path: Path) -> None:
    """The agent makes its key, keeps it in its Secret, and needs the token once; no log shows its secret."""
    async with issuing(tmp_path) as fleet:
        hub, spoke, agent = fleet.hub.local("you"), fleet.east.machine.local("you"), fleet.east.agent
        made = await ctl_token.create(hub, NAMESPACE, "east", 600.0, real_env())
        agent.environ = {"ARGOCD_AGENT_BOOTSTRAP_TOKEN": made.token.text}
        with trio.fail_after(START_TIMEOUT):
            await fleet.nursery.start(agent.run)
            await agent.wait_said("enrolled")
            await agent.wait_said("link-up")
        kept = await spoke.get(SECRETS, NAMESPACE, "argocd-agent-client-tls")
        assert set(kept.get("data")) == {"tls.crt", "tls.key"}
        await agent.kill()
        before = len(agent.lines)
        with trio.fail_after(START_TIMEOUT):
            await fleet.nursery.start(agent.run)
            await agent.wait_said("token-ignored", before)
            await agent.wait_said("link-up", before)
        now = await spoke.get(SECRETS, NAMESPACE, "argocd-agent-client-tls")
        assert now.get("data") == kept.get("data")
    told = json.dumps(agent.lines + fleet.principal.lines)
    assert made.token.secret not in told and '"enrolled"' in told


async def test_a_certificate_that_is_due(tmp_path: Path) -> None:
    """One that was made by hand, and is past two thirds of its life, is another one at once, and is used."""
    async with issuing(tmp_path) as fleet:
        spoke, agent, now = fleet.east.machine.local("you"), fleet.east.agent, fleet.env.now()
        key = keys.new_key()
        pem = fleet.pki.authority.issue_client(
            key.public_key(), agent="east", serial=7, now=now - 5 * 3600.0, lifetime=6 * 3600.0
        )
        for name, files in (
            ("argocd-agent-client-tls", {"tls.crt": pem, "tls.key": keys.key_pem(key)}),
            ("argocd-agent-ca", {"ca.crt": fleet.pki.ca}),
        ):
            data = {file: base64.b64encode(content).decode() for file, content in files.items()}
            head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}}
            await spoke.create(SECRETS, head | {"data": data})
        with trio.fail_after(START_TIMEOUT):
            await fleet.nursery.start(agent.run)
            await agent.wait_said("certificate-renewed")
            rotated = await agent.wait_said("tls-rotated")
            await agent.wait_said("link-up")
        assert "argocd-agent-client-tls" in rotated["detail"]
        kept = await spoke.get(SECRETS, NAMESPACE, "argocd-agent-client-tls")
        assert kept.get("data")["tls.crt"] != base64.b64encode(pem).decode()
