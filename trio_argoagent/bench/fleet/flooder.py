"""A spoke that floods, on a machine of its own as far as one machine allows.

Its API server and what changes there are a process, and its agent is that one's child: all that it has in
common with a quiet agent are the principal and the hub, and the processors.

``python -m trio_argoagent.bench.fleet.flooder ORDER`` waits for the Applications, gives each a status, prints
a line, and then changes one status after the other: one for each byte of its standard input.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs
import trio

from trio_argoagent.bench.children import child, last_word, line
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.fleet.writer import change_of
from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import NAMESPACE
from trio_argoagent.testing.machine import LOOPBACK, Machine, Pki
from trio_argoagent.testing.processes.fleet import OURS, Fleet
from trio_argoagent.testing.processes.program import Program, environment

CHANGE: Final = b"."
"""What a process of this kind is told for each change."""


@attrs.frozen
class Order:
    """Who floods.

    Attributes:
        agent: its name.
        folder: its certificate, key and CA are there, and it keeps there what it needs.
        port: of the principal.
        apps: that it has.
        entries: resources in a status.
    """

    agent: str
    folder: str
    port: int
    apps: int
    entries: int

    @property
    def identity(self) -> tuple[Path, ...]:
        """The files of the CA, its certificate and its key."""
        return tuple(Path(self.folder, name) for name in ("ca.crt", "tls.crt", "tls.key"))

    @property
    def errors(self) -> Path:
        """What its process says before it ends."""
        return Path(self.folder, "errors")


@asynccontextmanager
async def open_flooder(fleet: Fleet, agent: str, apps: int, entries: int) -> AsyncIterator[trio.Process]:
    """Another agent of a fleet while the block lasts, in step; it changes a status for each ``CHANGE``.

    Args:
        fleet: whose principal and hub it has.
        agent: its name.
        apps: that it has.
        entries: resources in a status.

    Raises:
        UserError: it has ended before it was in step.
        trio.TooSlowError: it is not in step within ``rig.PATIENCE``.
    """
    arrivals, user = rig.Arrivals(fleet.hub), fleet.hub.local("setup")
    await fleet.hub.add_agents(agent)
    for number in range(apps):
        await user.create(APPLICATIONS, application(rig.app_name(number), namespace=agent))
    with tempfile.TemporaryDirectory() as folder:
        order = Order(agent, folder, fleet.port, apps, entries)
        for file, content in zip(order.identity, (fleet.pki.ca, *fleet.pki.agent(agent)), strict=True):
            file.write_bytes(content)
        command = [sys.executable, "-m", __name__, json.dumps(attrs.asdict(order))]
        with order.errors.open("wb") as errors:
            async with child(command, stderr=errors) as process:
                with trio.fail_after(rig.PATIENCE):
                    if not await line(process):
                        raise UserError(f"the flooder has ended: {last_word(order.errors.read_text())}")
                    for number in range(apps):
                        await arrivals.wait(agent, number, number)
                yield process


async def run(order: Order) -> None:
    """The process, until its standard input ends."""
    env, folder = real_env(), Path(order.folder)
    machine = Machine(order.agent, Pki.create(env), env, folder)
    argocd, there = machine.local("argocd"), rig.Arrivals(machine, lambda app: f"{0:040x}")

    async def change(number: int) -> None:
        patch = change_of("status", number, order.entries)
        await argocd.patch(APPLICATIONS, NAMESPACE, rig.app_name(number % order.apps), patch)

    async with trio.open_nursery() as nursery:
        await nursery.start(machine.run)
        await machine.make_namespaces(NAMESPACE)
        command, log = (*OURS, *_options(order, machine)), folder / "agent.log"
        nursery.start_soon(Program(order.agent, command, environment(folder), log).run)
        for number in range(order.apps):
            await there.wait(NAMESPACE, number, 0)
            await change(number)
        sys.stdout.write("\n")
        sys.stdout.flush()
        async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as told:
            number = order.apps
            async for changes in told:
                for _ in changes:
                    await change(number)
                    number += 1
        nursery.cancel_scope.cancel()


def _options(order: Order, machine: Machine) -> tuple[str, ...]:
    """Of the agent."""
    ca, certificate, key = order.identity
    return (
        "agent", f"--kubeconfig={machine.kubeconfig}", "--redis-addr=", f"--server-address={LOOPBACK}",
        f"--server-port={order.port}", f"--agent-mode={Mode.MANAGED.value}", f"--root-ca-path={ca}",
        f"--tls-client-cert={certificate}", f"--tls-client-key={key}",
    )  # fmt: skip


if __name__ == "__main__":
    trio.run(run, Order(**json.loads(sys.argv[1])))
