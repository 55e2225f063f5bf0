"""A fleet whose certificates come from ``ctl`` and by tokens, in Secrets that its processes follow."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trio

from trio_argoagent.cli import ctl_pki, ctl_token
from trio_argoagent.cli.key_options import Order
from trio_argoagent.cli.vaults import ClusterVault
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, Machine, Pki

from . import hurried
from .programs import START_TIMEOUT, Fleet, Spoke, environment


class Certified(Fleet):
    """A managed agent with a certificate that ``ctl`` has put there, and two that came with tokens.

    All clusters are contexts of one kubeconfig, and the hub's is not the current one.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.west = Spoke("west", Mode.MANAGED, self._machine("west"))
        self.spokes = (*self.spokes, self.west)
        for each in (self.principal, *(spoke.agent for spoke in self.spokes)):
            each.command = hurried.COMMAND
            each.environ |= hurried.environment()
        self._kubeconfig = folder / "fleet.kubeconfig"

    def principal_arguments(self, port: int, pki: Pki | None = None) -> Sequence[str]:
        """See ``Fleet``."""
        return (
            "principal", f"--kubeconfig={self.hub.kubeconfig}", f"--listen-host={LOOPBACK}",
            "--redis-server-address=", f"--listen-port={port}",
        )  # fmt: skip

    def agent_arguments(self, spoke: Spoke, port: int, pki: Pki | None = None) -> Sequence[str]:
        """See ``Fleet``."""
        return (
            "agent", f"--kubeconfig={spoke.machine.kubeconfig}", f"--server-address={LOOPBACK}",
            "--redis-addr=", f"--server-port={port}", f"--agent-mode={spoke.mode.value}",
        )  # fmt: skip

    async def prepare(self) -> None:
        """Make the CA and what it certifies."""
        self._write_kubeconfig()
        you = self.hub.local("you")
        vault = ClusterVault(you, NAMESPACE)
        await ctl_pki.init(vault, Order(), self.env, force=False)
        await ctl_pki.issue_server(vault, "principal", (LOOPBACK,), Order(), self.env, upsert=False)
        await self.ctl("pki", "issue", "agent", "east", "--agent-context", "east")
        await self.ctl("pki", "propagate", "--agent-context", "east")
        for spoke in (self.edge, self.west):
            made = await ctl_token.create(you, NAMESPACE, spoke.name, 3600.0, self.env)
            spoke.agent.environ["ARGOCD_AGENT_BOOTSTRAP_TOKEN"] = made.token.text

    def _write_kubeconfig(self) -> None:
        merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": "west"}
        for machine in (self.hub, *(spoke.machine for spoke in self.spokes)):
            one = json.loads(machine.kubeconfig.read_text())
            for part in ("clusters", "users", "contexts"):
                merged.setdefault(part, []).extend(one[part])
        self._kubeconfig.write_text(json.dumps(merged))

    async def ctl(self, *arguments: str) -> str:
        """What a command on the hub prints; it must succeed."""
        command = (sys.executable, "-m", "trio_argoagent", "ctl", *arguments)
        where = ("--kubeconfig", str(self._kubeconfig), "--principal-context", "hub")
        with trio.fail_after(START_TIMEOUT):
            done = await trio.run_process(
                (*command, *where), capture_stdout=True, capture_stderr=True, check=False, env=environment()
            )
        assert isinstance(done, subprocess.CompletedProcess)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


async def held(machine: Machine, secret: str) -> dict[str, bytes]:
    """What a Secret of this cluster holds."""
    found = await machine.local("test").get(SECRETS, NAMESPACE, secret)
    return {name: base64.b64decode(text) for name, text in found.get("data").items()}
