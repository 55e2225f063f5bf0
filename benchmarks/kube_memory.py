"""How much memory do a principal and an agent take, against the number of Applications of about 35 KB?

    python -m benchmarks.kube_memory [--counts 0 100 1000] [--quick]

Both are processes of their own; the API servers are embedded ones in this process. The Applications
are the hub's, their statuses (resources with names and messages that differ, as they do) the spoke's. Printed
is what the kernel counts once all statuses are on the hub: resident now, and at most.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

import trio

from benchmarks.kube_objects import status
from benchmarks.propagation import free_port
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, Machine, Pki

RESOURCES: Final = 150
"""Resources in one status: about 33 KB."""
QUIET: Final = 5.0
"""Seconds without a write on the hub that count as done."""
LIMIT: Final = 600.0
"""Seconds for one fleet."""


def memory(process: trio.Process) -> dict[str, float]:
    """MiB: resident now, and at most."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines())
    return {
        "rss_mib": round(int(fields["VmRSS"].split()[0]) / 1024, 1),
        "peak_mib": round(int(fields["VmHWM"].split()[0]) / 1024, 1),
    }


async def settled(hub: Machine) -> None:
    """Return when the hub's store has not changed for a while."""
    before = -1
    while before != hub.server.rv:
        before = hub.server.rv
        await trio.sleep(QUIET)


async def measure(count: int, folder: Path) -> None:
    """One fleet of one managed agent with so many Applications; print one line of JSON."""
    env = real_env()
    pki = Pki.create(env)
    hub, east = (Machine(name, pki, env, folder) for name in ("hub", "east"))
    pem = {"ca": pki.ca}
    pem["server.crt"], pem["server.key"] = pki.server("principal")
    pem["east.crt"], pem["east.key"] = pki.agent("east")
    for name, content in pem.items():
        (folder / name).write_bytes(content)
    port = free_port()
    common = ["--root-ca-path", f"{folder}/ca"]
    principal = ["principal", "--listen-host", LOOPBACK, "--listen-port", str(port), *common,
                 "--tls-cert", f"{folder}/server.crt", "--tls-key", f"{folder}/server.key",
                 "--kubeconfig", str(hub.kubeconfig)]  # fmt: skip
    agent = ["agent", "--agent-mode", "managed", "--server-address", LOOPBACK, "--server-port", str(port),
             *common, "--tls-client-cert", f"{folder}/east.crt", "--tls-client-key", f"{folder}/east.key",
             "--kubeconfig", str(east.kubeconfig)]  # fmt: skip
    async with trio.open_nursery() as nursery:
        for machine in (hub, east):
            await nursery.start(machine.run)
        await hub.make_namespaces(NAMESPACE)
        await hub.add_agents("east")
        await east.make_namespaces(NAMESPACE)
        await hub.local("setup").create(APP_PROJECTS, app_project("default"))
        started = []
        for arguments in (principal, agent):
            command = [sys.executable, "-m", "trio_argoagent", *arguments]
            run = partial(trio.run_process, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            started.append(await nursery.start(run))
        for number in range(count):
            await hub.local("user").create(APPLICATIONS, application(f"app-{number:04}", namespace="east"))
        while len(east.server.list(APPLICATIONS).items) < count:  # noqa: ASYNC110 (nobody tells)
            await trio.sleep(1)
        for number in range(count):
            change = MergePatch({"status": status(number, RESOURCES)})
            await east.local("argocd").patch(APPLICATIONS, NAMESPACE, f"app-{number:04}", change)
        await settled(hub)
        shown_all = sum("status" in item.value for item in hub.server.list(APPLICATIONS).items)
        if shown_all < count:
            raise RuntimeError(f"{count - shown_all} statuses have not come to the hub")
        one = len(json.dumps(status(0, RESOURCES), separators=(",", ":"))) if count else 0
        shown = dict(zip(("principal", "agent"), map(memory, started), strict=True))
        print(json.dumps({"applications": count, "status_bytes": one, **shown}), flush=True)
        nursery.cancel_scope.cancel()


async def main(counts: list[int]) -> None:
    """One fleet after the other."""
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            with trio.fail_after(LIMIT):
                await measure(count, Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[0, 100, 1000])
    parser.add_argument("--quick", action="store_true", help="0 and 50 Applications only")
    given = parser.parse_args()
    trio.run(main, [0, 50] if given.quick else given.counts)
