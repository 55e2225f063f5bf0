"""What the ``kube_*`` benchmarks of clients share: a process for the server, and one for each client.

A client's process measures itself, the second time that it does its work: CPU of the whole process, peak RSS
(imports included: they are part of what a library costs), and the longest time for which Trio's event loop
did not turn. The server is the embedded one, over HTTPS; the clients take turns, so they do not disturb each
other.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import trio

from benchmarks.kube_objects import status
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch

TICK: Final = 0.001
"""Seconds between two looks at whether the event loop turns."""
RESOURCES: Final = 17
"""Resources in a status: a whole Application is about 4 KB."""
LIMIT: Final = 600.0
"""Seconds for one client."""

Work = Callable[[str, int, str], Awaitable[Any]]
"""Does what is measured: kubeconfig, how many, the resourceVersion before the events."""


def client_main(name: str, work: Mapping[str, Work], kubeconfig: str, count: int, version: str) -> None:
    """The client's process: do the work of this name once and print one line of JSON."""

    async def measured() -> dict[str, Any]:
        worst = 0.0
        await work[name](kubeconfig, 1, version)  # Imports, handshakes: not what is asked about.

        async def tick() -> None:
            nonlocal worst
            while True:
                due = trio.current_time() + TICK
                await trio.sleep(TICK)
                worst = max(worst, trio.current_time() - due)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(tick)
            began, cpu = time.perf_counter(), time.process_time()
            done = await work[name](kubeconfig, count, version)
            wall, cpu = time.perf_counter() - began, time.process_time() - cpu
            nursery.cancel_scope.cancel()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"client": name, "done": done, "wall_s": round(wall, 3), "cpu_s": round(cpu, 3),
                "peak_mib": round(peak, 1), "stall_ms": round(1000 * worst, 1)}  # fmt: skip

    print(json.dumps(trio.run(measured)))


async def server_main(folder: Path, objects: int, events: int) -> None:
    """The server's process: some Applications, then some changes of them; say where the changes begin."""
    from trio_argoagent.model.resources import APP_PROJECTS
    from trio_argoagent.runtime.world import real_env
    from trio_argoagent.testing.argocd.applications import app_project, application
    from trio_argoagent.testing.machine import NAMESPACE, Machine, Pki

    env = real_env()
    machine = Machine("server", Pki.create(env), env, folder)
    async with trio.open_nursery() as nursery:
        await nursery.start(machine.run)
        await machine.make_namespaces(NAMESPACE)
        user = machine.local("setup")
        await user.create(APP_PROJECTS, app_project("default"))
        for number in range(objects):
            app = application(f"app-{number:05}")
            await user.create(APPLICATIONS, app | {"status": status(number, RESOURCES)})
        version = machine.server.rv
        for number in range(events):
            change = MergePatch({"metadata": {"labels": {"number": str(number)}}})
            await user.patch(APPLICATIONS, NAMESPACE, f"app-{number % objects:05}", change)
        print(json.dumps({"kubeconfig": str(machine.kubeconfig), "version": str(version)}), flush=True)
        # Whoever started it closes its standard input when it is no longer needed.
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def server(objects: int, events: int = 0) -> AsyncIterator[dict[str, str]]:
    """A server process for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.kube_side", folder, str(objects), str(events)]
        process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None
        try:
            line = b""
            while not line.endswith(b"\n"):
                piece = await process.stdout.receive_some()
                if not piece:
                    raise RuntimeError("the server did not start")
                line += piece
            yield json.loads(line)
        finally:
            with trio.CancelScope(shield=True):
                await process.stdin.aclose()
                await process.wait()


async def run_all(module: str, work: Mapping[str, Work], count: int, objects: int, events: int) -> None:
    """Each client once, one after the other; a table of what they took."""
    async with server(objects, events) as where:
        rows = []
        for name in work:
            command = [sys.executable, "-m", module, "--client", name, "--count", str(count),
                       "--kubeconfig", where["kubeconfig"], "--version", where["version"]]  # fmt: skip
            with trio.fail_after(LIMIT):
                done = await trio.run_process(command, capture_stdout=True)
            rows.append(json.loads(done.stdout))
            print(json.dumps(rows[-1]), flush=True)
    print(f"\n{table(rows)}")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows for people; ``CPU x`` is how much more than the first one a client took."""
    wide = max(len(row["client"]) for row in rows)
    heads = (("done", 9), ("wall s", 8), ("CPU s", 8), ("CPU x", 6), ("peak MiB", 9), ("stall ms", 9))
    lines = [f"{'client':{wide}} " + "".join(f" {head:>{width}}" for head, width in heads)]
    least = rows[0]["cpu_s"] or 0.001
    for row in rows:
        cells = (row["done"], row["wall_s"], row["cpu_s"], round(row["cpu_s"] / least, 1), row["peak_mib"],
                 row["stall_ms"])  # fmt: skip
        shown = "".join(f" {cell:>{width}}" for cell, (_, width) in zip(cells, heads, strict=True))
        lines.append(f"{row['client']:{wide}} {shown}")
    return "\n".join(lines)


def main(module: str, what: str, work: Mapping[str, Work], count: int, *, changes: bool = False) -> None:
    """The command line of one benchmark.

    Args:
        module: its name, to be started again as a client.
        what: one line about it.
        work: by the client's name.
        count: how many, unless the command line says otherwise.
        changes: it is about so many changes of 200 objects, and not about so many objects.
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--quick", action="store_true", help=f"a tenth of it: {count // 10}")
    parser.add_argument("--client", choices=list(work), help=argparse.SUPPRESS)
    parser.add_argument("--kubeconfig", default="", help=argparse.SUPPRESS)
    parser.add_argument("--version", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.quick:
        given.count = count // 10
    if given.client:
        client_main(given.client, work, given.kubeconfig, given.count, given.version)
    else:
        objects = min(200, given.count) if changes else given.count
        trio.run(run_all, module, work, given.count, objects, given.count if changes else 0)


if __name__ == "__main__":
    trio.run(server_main, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
