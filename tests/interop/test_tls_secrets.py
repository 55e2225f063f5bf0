"""Programs that are told nothing about TLS: everything is in Secrets, and a new CA takes no restart."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

import pytest
import trio

from trio_argoagent.errors import NotFound
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, Machine, Pki

from .programs import START_TIMEOUT, Fleet

pytestmark = pytest.mark.processes
CA: Final = "argocd-agent-ca"


async def put(machine: Machine, name: str, **files: bytes) -> None:
    """A Secret of Argo CD's namespace, in place of what it was; ``tls_crt`` stands for ``tls.crt``."""
    data = {file.replace("_", "."): base64.b64encode(content).decode() for file, content in files.items()}
    cluster = machine.local("operator")
    try:
        await cluster.patch(SECRETS, NAMESPACE, name, MergePatch({"data": data}))
    except NotFound:
        head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}}
        await cluster.create(SECRETS, head | {"data": data})


async def furnish(fleet: Fleet, pki: Pki, roots: bytes) -> None:
    """Both sides trust these roots, and have certificates of that CA."""
    hub, spoke = fleet.hub, fleet.east.machine
    server, client = pki.server("principal"), pki.agent("east")
    await put(hub, CA, ca_crt=roots, tls_crt=pki.ca, tls_key=b"nobody reads it here")
    await put(spoke, CA, ca_crt=roots)
    await put(hub, "argocd-agent-principal-tls", tls_crt=server[0], tls_key=server[1])
    await put(spoke, "argocd-agent-client-tls", tls_crt=client[0], tls_key=client[1])


async def test_a_new_ca_without_a_restart_of_the_principal(tmp_path: Path) -> None:
    """Both programs tell of it; who dials then has it, and the old one is not needed any more."""
    fleet = Fleet(tmp_path)
    old, new = Pki.create(fleet.env), Pki.create(fleet.env)
    async with trio.open_nursery() as nursery:
        with trio.fail_after(START_TIMEOUT):
            for machine in (fleet.hub, fleet.east.machine):
                await nursery.start(machine.run)
                await machine.make_namespaces(NAMESPACE)
            await fleet.hub.add_agents("east")
            await furnish(fleet, old, old.ca)
            plain = f"--listen-host={LOOPBACK}", "--listen-port=0", "--redis-server-address="
            fleet.principal.arguments = ("principal", f"--kubeconfig={fleet.hub.kubeconfig}", *plain)
            await nursery.start(fleet.principal.run)
            said = await fleet.principal.wait_said("listening")
            agent, port = fleet.east.agent, said["detail"].rpartition(":")[2]
            where = f"--server-address={LOOPBACK}", f"--server-port={port}", "--agent-mode=managed"
            config = f"--kubeconfig={fleet.east.machine.kubeconfig}"
            agent.arguments = ("agent", config, *where, "--redis-addr=")
            await nursery.start(agent.run)
            await agent.wait_said("link-up")
            await furnish(fleet, new, old.ca + new.ca)
            for program in (fleet.principal, agent):  # Its CA, and its certificate.
                first = await program.wait_said("tls-rotated")
                await program.wait_said("tls-rotated", program.lines.index(first) + 1)
            since = len(fleet.principal.lines)
            await put(fleet.hub, CA, ca_crt=new.ca)
            await put(fleet.east.machine, CA, ca_crt=new.ca)
            await fleet.principal.wait_said("tls-rotated", since)
            await agent.kill()
            since = len(agent.lines)
            await nursery.start(agent.run)
            await agent.wait_said("link-up", since)
        assert await agent.stop() == 0
        assert await fleet.principal.stop() == 0
        nursery.cancel_scope.cancel()
