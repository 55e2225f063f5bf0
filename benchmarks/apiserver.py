"""What does the embedded API server take and cost, over HTTP/2?

    python -m benchmarks.apiserver [--quick] [--only WORD]

``trio-argoagent apiserver`` in one process; in another a load of 64 requests at a time on one connection,
made by our own HTTP/2 engine. A row tells how many were answered a second, and the CPU that one of them
took on each side. Of two processes on two cores the dearer one is the limit; ``server/s`` is what the server
alone can do with a core of its own. Where somebody watches, a row ends when the last event has been seen.

Watchers follow a namespace each, as agents do; in the last row each of them follows everything.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.kube.session import make_context
from trio_argoagent.net.client import HttpClient, open_client

AT_ONCE: Final = 64
"""Requests on their way."""
SPACES: Final = 100
"""Namespaces, with OBJECTS Applications each."""
OBJECTS: Final = 5
PADDING: Final = 3500
"""Bytes of Helm values: a whole Application is about 4 KB."""
TICKS: Final = 100
"""Clock ticks a second in /proc."""
LIMIT: Final = 600.0
"""Seconds for one row."""

ROOT: Final = "/apis/argoproj.io/v1alpha1"
MERGE: Final = ("content-type", "application/merge-patch+json")
JSON: Final = ("content-type", "application/json")

Ask = tuple[str, str, tuple[tuple[str, str], ...], bytes]
"""Method, path, headers, body."""


def place(number: int) -> str:
    """The path of one Application; neighbours in number are in different namespaces."""
    return f"{ROOT}/namespaces/team-{number % SPACES:02}/applications/app-{number // SPACES % OBJECTS}"


def application(name: str, number: int) -> dict[str, Any]:
    """About 4 KB of it."""
    source = {"repoURL": "https://example.com/repo", "path": "p", "helm": {"values": "x" * PADDING}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "labels": {"number": str(number)}},
        "spec": {"project": "default", "source": source, "destination": {"name": "in-cluster"}},
    }


def get(number: int) -> Ask:
    """Read one object."""
    return "GET", place(number), (), b""


def listing(number: int) -> Ask:
    """Read what is in a namespace."""
    return "GET", place(number).rpartition("/")[0], (), b""


def everything(number: int) -> Ask:
    """Read all there is."""
    return "GET", f"{ROOT}/applications", (), b""


def patch(number: int) -> Ask:
    """Change a label."""
    value = {"metadata": {"labels": {"number": f"n{number}"}}}
    return "PATCH", place(number), (MERGE,), json.dumps(value).encode()


def replace(number: int) -> Ask:
    """Replace a ConfigMap that is not large."""
    value = {"metadata": {"name": "c"}, "data": {"number": str(number), "text": "x" * 200}}
    path = f"/api/v1/namespaces/team-{number % SPACES:02}/configmaps/c"
    return "PUT", path, (JSON,), json.dumps(value).encode()


@attrs.frozen
class Row:
    """One measurement.

    Attributes:
        name: what is asked.
        ask: makes a request of its number.
        share: of the requests that the command line wants.
        watchers: how many follow meanwhile.
        wide: do they follow everything, and not a namespace each?
        events: that one request makes, with all who see it.
    """

    name: str
    ask: Callable[[int], Ask]
    share: float = 1.0
    watchers: int = 0
    wide: bool = False
    events: int = 0


ROWS: Final = (
    Row("GET one, 4 KB", get),
    Row(f"GET one, 4 KB, {SPACES} watchers", get, watchers=SPACES),
    Row(f"LIST {OBJECTS}, {OBJECTS * 4} KB", listing),
    Row(f"LIST {OBJECTS * SPACES}, 2 MB", everything, share=0.01),
    Row("PATCH a label of 4 KB", patch),
    Row(f"PATCH a label of 4 KB, {SPACES} watchers", patch, watchers=SPACES, events=1),
    Row("PUT a ConfigMap", replace),
    Row(f"PATCH, {SPACES} watchers of everything", patch, 0.1, SPACES, wide=True, events=SPACES),
)


@asynccontextmanager
async def connected(kubeconfig: str) -> AsyncIterator[tuple[HttpClient, tuple[tuple[str, str], ...]]]:
    """Our client, and the headers that let it in."""
    who = await from_kubeconfig(kubeconfig)
    async with open_client(host=who.host, port=who.port, context=make_context(who)) as client:
        yield client, (("authorization", f"Bearer {who.token}"), ("user-agent", "benchmark/1"))


async def many(client: HttpClient, head: tuple[tuple[str, str], ...], asks: Iterator[Ask]) -> int:
    """Send them, so many at a time. Returns how many there were."""
    done = 0

    async def worker() -> None:
        nonlocal done
        for method, path, headers, body in asks:
            response = await client.request(method, path, (*head, *headers), body)
            if response.status >= 300:
                raise RuntimeError(f"{method} {path}: {response.status} {response.body[:300]!r}")
            done += 1

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(worker)
    return done


async def fill(kubeconfig: str) -> None:
    """Namespaces, each with its Applications and a ConfigMap."""
    head = (JSON,)
    spaces = [f"team-{number:02}" for number in range(SPACES)]
    names = {"metadata": {"name": "c"}}
    async with connected(kubeconfig) as (client, who):
        made = ({"metadata": {"name": space}} for space in spaces)
        await many(client, who, (("POST", "/api/v1/namespaces", head, json.dumps(v).encode()) for v in made))
        maps = (f"/api/v1/namespaces/{space}/configmaps" for space in spaces)
        await many(client, who, (("POST", path, head, json.dumps(names).encode()) for path in maps))
        apps = ((place(n), json.dumps(application(f"app-{n // SPACES}", n))) for n in range(SPACES * OBJECTS))
        await many(client, who, (("POST", path.rpartition("/")[0], head, v.encode()) for path, v in apps))


async def load(kubeconfig: str, row: Row, count: int, server: int) -> dict[str, Any]:
    """One row, measured from within the client's process."""
    seen, complete = 0, trio.Event()

    async def follow(path: str, task_status: trio.TaskStatus[None]) -> None:
        nonlocal seen
        async with client.stream("GET", path, who) as response:
            task_status.started()
            while piece := await response.receive():
                seen += piece.count(b"\n")  # each event is a line
                if seen >= count * row.events:
                    complete.set()

    async with connected(kubeconfig) as (client, who):
        version = json.loads((await client.request("GET", f"{ROOT}/applications?limit=1", who)).body)
        since = f"watch=1&resourceVersion={version['metadata']['resourceVersion']}"
        async with trio.open_nursery() as nursery:
            for number in range(row.watchers):
                path = everything(0)[1] if row.wide else listing(number)[1]
                await nursery.start(follow, f"{path}?{since}")
            began, own, other = time.perf_counter(), time.process_time(), cpu(server)
            done = await many(client, who, (row.ask(number) for number in range(count)))
            if row.events:
                await complete.wait()
            wall, own, other = time.perf_counter() - began, time.process_time() - own, cpu(server) - other
            nursery.cancel_scope.cancel()
    return {"row": row.name, "done": done, "wall_s": wall, "client_s": own, "server_s": other, "events": seen}


def cpu(process: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def measure(rows: list[Row], count: int) -> None:
    """Each row in a client process of its own; one server for all."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        config = f"{folder}/kubeconfig"
        command = [sys.executable, "-m", "trio_argoagent", "apiserver", "--kubeconfig", config]
        server = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
        stack.callback(server.terminate)
        assert server.stdout is not None
        await server.stdout.receive_some()  # It says so when it is ready.
        await fill(config)
        print(f"{'':42} {'per s':>7} {'server us':>10} {'client us':>10} {'server/s':>9} {'events':>8}")
        for row in rows:
            number = str(max(AT_ONCE, int(count * row.share)))
            command = [sys.executable, "-m", "benchmarks.apiserver", "--load", row.name, "--count", number,
                       "--kubeconfig", config, "--server", str(server.pid)]  # fmt: skip
            with trio.fail_after(LIMIT):
                result = json.loads((await trio.run_process(command, capture_stdout=True)).stdout)
            print(_line(**result), flush=True)


def _line(row: str, done: int, wall_s: float, client_s: float, server_s: float, events: int) -> str:
    costs = f"{server_s / done * 1e6:10.0f} {client_s / done * 1e6:10.0f} {done / server_s:9.0f}"
    return f"{row:42} {done / wall_s:7.0f} {costs} {events:8}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="What the embedded API server takes and costs.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the requests")
    parser.add_argument("--only", default="", help="rows with this word")
    parser.add_argument("--count", type=int, default=20_000, help=argparse.SUPPRESS)
    parser.add_argument("--load", default="", help=argparse.SUPPRESS)
    parser.add_argument("--kubeconfig", default="", help=argparse.SUPPRESS)
    parser.add_argument("--server", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    count = given.count // (10 if given.quick else 1)
    if given.load:
        (row,) = (row for row in ROWS if row.name == given.load)
        work: Callable[..., Awaitable[Any]] = load
        print(json.dumps(trio.run(work, given.kubeconfig, row, count, given.server)))
    else:
        trio.run(measure, [row for row in ROWS if given.only in row.name], count)


if __name__ == "__main__":
    main()
