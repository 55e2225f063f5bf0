"""How long does a hub edit take to the spoke, idle, with embedded API servers?

    python -m benchmarks.propagation [--edits 200] [--processes]

One managed agent, a 4 KB Application, one edit at a time: from the moment the hub's API server has committed
it to the moment the spoke's API server has committed the copy. With ``--processes`` the principal and the
agent are processes of their own, as in real life; the API servers share the benchmark's process.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.demo.fleet import Fleet
from trio_argoagent.demo.settings import Settings
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, UNOBSERVED, Machine, Pki

PADDING = 3500  # bytes of Helm values: the whole Application is about 4 KB


@asynccontextmanager
async def in_process(folder: Path) -> AsyncIterator[tuple[Machine, Machine]]:
    """The demo's fleet with one agent and nothing going on."""
    settings = Settings((("east", Mode.MANAGED),), 0, True, 0.0, (), (), (), 1, "")
    fleet = Fleet(settings, real_env(), folder, lambda event: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(fleet.run)
        yield fleet.hub, fleet.nodes["east"].machine
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def in_processes(folder: Path) -> AsyncIterator[tuple[Machine, Machine]]:
    """Principal and agent as processes."""
    env = real_env()
    pki = Pki.create(env)
    hub, east = (Machine(name, pki, env, folder) for name in ("hub", "east"))
    async with trio.open_nursery() as nursery:
        for machine in (hub, east):
            await nursery.start(machine.run)
        await hub.make_namespaces(NAMESPACE)
        await hub.add_agents("east")
        await east.make_namespaces(NAMESPACE)
        await east.local("setup").create(APP_PROJECTS, app_project("default"))
        pem = {"ca": pki.ca}
        pem["server.crt"], pem["server.key"] = pki.server("principal")
        pem["east.crt"], pem["east.key"] = pki.agent("east")
        for name, content in pem.items():
            (folder / name).write_bytes(content)
        port = free_port()
        base = [sys.executable, "-m", "trio_argoagent"]
        nursery.start_soon(
            _run, [*base, "principal", "--redis-server-address=", "--listen-host", LOOPBACK,
                  "--listen-port", str(port),
                   "--tls-cert", f"{folder}/server.crt", "--tls-key", f"{folder}/server.key",
                   "--root-ca-path", f"{folder}/ca", "--kubeconfig", str(hub.kubeconfig)]
        )  # fmt: skip
        nursery.start_soon(
            _run, [*base, "agent", "--redis-addr=", "--agent-mode", "managed", "--server-address", LOOPBACK,
                   "--server-port", str(port), "--root-ca-path", f"{folder}/ca",
                   "--tls-client-cert", f"{folder}/east.crt", "--tls-client-key", f"{folder}/east.key",
                   "--kubeconfig", str(east.kubeconfig)]
        )  # fmt: skip
        yield hub, east
        nursery.cancel_scope.cancel()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def _run(command: list[str]) -> None:
    environ = {**os.environ, **UNOBSERVED}
    await trio.run_process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ)


async def measure(hub: Machine, east: Machine, edits: int) -> list[float]:
    """Milliseconds of each edit."""
    arrived: dict[str, float] = {}
    event = trio.Event()

    def note(entry: LogEntry) -> None:
        nonlocal event
        if entry.resource == APPLICATIONS and entry.new is not None:
            arrived[entry.new.value["spec"]["source"]["targetRevision"]] = time.perf_counter()
            event.set()

    east.server.subscribe(note)
    helm = {"values": "x" * PADDING}
    app = application("web", namespace="east")
    app["spec"]["source"] |= {"helm": helm, "targetRevision": "start"}
    user = hub.local("user")
    await user.create(APPLICATIONS, app)
    times = []
    for number in range(edits + 1):
        wanted = "start" if number == 0 else f"v{number}"
        if number:
            await trio.sleep(0.02)
            change = MergePatch({"spec": {"source": {"targetRevision": wanted}}})
            await user.patch(APPLICATIONS, "east", "web", change)
        begun = time.perf_counter()
        with trio.fail_after(30):
            while wanted not in arrived:
                await event.wait()
                event = trio.Event()
        if number:
            times.append(1000 * (arrived[wanted] - begun))
    return times


async def main(edits: int, processes: bool) -> None:
    """Measure and print one line of JSON."""
    opened = in_processes if processes else in_process
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as (hub, east):
            times = sorted(await measure(hub, east, edits))
    at = {f"p{q}": round(times[min(len(times) - 1, len(times) * q // 100)], 2) for q in (50, 90, 99)}
    mean = round(statistics.mean(times), 2)
    print(json.dumps({"processes": processes, "n": len(times), **at, "mean": mean}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--processes", action="store_true")
    arguments = parser.parse_args()
    trio.run(main, arguments.edits, arguments.processes)
