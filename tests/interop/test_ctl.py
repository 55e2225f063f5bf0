"""``trio-argoagent ctl`` as its users run it: each command a process of its own, over HTTPS."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from cryptography import x509

from trio_argoagent.cli.secretdata import opaque
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES, SECRETS
from trio_argoagent.pki.names import agent_name
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import NAMESPACE, Machine, Pki

from .programs import START_TIMEOUT, environment

pytestmark = pytest.mark.processes


@asynccontextmanager
async def hub(folder: Path) -> AsyncIterator[tuple[Machine, Pki]]:
    """A hub with a CA, and nothing else."""
    env = real_env()
    pki = Pki.create(env)
    machine = Machine("hub", pki, env, folder)
    async with trio.open_nursery() as nursery:
        await nursery.start(machine.run)
        await machine.make_namespaces(NAMESPACE)
        data = {"tls.crt": pki.ca, "tls.key": pki.authority.key_pem}
        await machine.local("user").create(SECRETS, opaque(NAMESPACE, "argocd-agent-ca", data))
        yield machine, pki
        nursery.cancel_scope.cancel()


async def ctl(machine: Machine, *arguments: str, code: int = 0) -> str:
    """What a command prints; it must end with this code."""
    command: Sequence[str] = (sys.executable, "-m", "trio_argoagent", "ctl", *arguments)
    command = (*command, "--kubeconfig", str(machine.kubeconfig))
    with trio.fail_after(START_TIMEOUT):
        done = await trio.run_process(
            command, capture_stdout=True, capture_stderr=True, check=False, env=environment()
        )
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode()


async def test_watching(tmp_path: Path) -> None:
    """It goes on until it is interrupted, and that is a clean end."""
    async with hub(tmp_path) as (machine, _):
        command = (sys.executable, "-m", "trio_argoagent", "ctl", "fleet", "status", "--watch")
        options = ("--interval", "1", "--kubeconfig", str(machine.kubeconfig))
        process = await trio.lowlevel.open_process(
            (*command, *options), stdout=subprocess.PIPE, env=environment()
        )
        assert process.stdout is not None
        said = b""
        with trio.fail_after(START_TIMEOUT):
            while said.count(b"the hub knows no agent") < 2:
                said += await process.stdout.receive_some()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0
        await process.stdout.aclose()


async def test_an_agent_is_registered_and_looked_at(tmp_path: Path) -> None:
    """Made, listed, inspected, printed, and found good or wanting; with argocd-agentctl's spellings."""
    async with hub(tmp_path) as (machine, pki):
        said = await ctl(machine, "agent", "create", "edge", "-l", "env=prod", "--days", "5")
        assert "Secret argocd/cluster-edge is made" in said
        pem = await ctl(machine, "agent", "dump-tls", "edge", "-t", "cert")
        assert agent_name(x509.load_pem_x509_certificate(pem.encode())) == "edge"
        assert (await ctl(machine, "agent", "print-tls", "edge", "-t", "key")).startswith(
            "-----BEGIN PRIVATE"
        )
        shown = json.loads(await ctl(machine, "agent", "show", "edge"))
        assert (shown["name"], shown["labels"]["env"]) == ("edge", "prod")
        assert list(json.loads(await ctl(machine, "agents", "list", "-l", "env=prod", "-o", "json"))) == [
            "edge"
        ]
        await ctl(machine, "agent", "create", "edge", code=2)
        found = json.loads(await ctl(machine, "check-config", "principal", "-o", "json", code=1))
        texts = [each["text"] for each in found]
        assert any("kubectl create namespace edge" in text for text in texts)
        assert any("there is no Secret argocd/argocd-agent-principal-tls" in text for text in texts)
        local = machine.local("user")
        await local.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "edge"}}
        )
        for name, data in (("argocd-cm", {}), ("argocd-cmd-params-cm", {"application.namespaces": "*"})):
            metadata = {"name": name, "namespace": NAMESPACE}
            value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            await local.create(CONFIG_MAPS, value)
        certificate, key = pki.server("principal")
        identity = {"tls.crt": certificate, "tls.key": key}
        await local.create(SECRETS, opaque(NAMESPACE, "argocd-agent-principal-tls", identity))
        text = await ctl(machine, "validate", "principal")
        assert text.splitlines()[-1].endswith(" 0 fail")
        bundle = tmp_path / "support.tar.gz"
        assert str(bundle) in await ctl(machine, "support-bundle", "--file", str(bundle))
        with tarfile.open(bundle) as tar:
            assert "support/validate.txt" in tar.getnames()
