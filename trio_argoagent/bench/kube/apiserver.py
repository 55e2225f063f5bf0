"""What does the embedded API server take and cost, over HTTP/2?

``trio-argoagent apiserver`` in one process; in another a load of 64 requests at a time on one connection,
made by our own HTTP/2 engine. Of two processes on two cores the dearer one is the limit; ``alone`` is what
the server can do with a core of its own. Where somebody watches, a case ends when the last event has been
seen.

Watchers follow a namespace each, as agents do; in the last case each of them follows everything.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from trio_argoagent.bench.apart import told
from trio_argoagent.bench.figures import CPU, DRAWN, Found, Sense, Values
from trio_argoagent.bench.fleet import rig
from trio_argoagent.bench.kube.side import WORKER, started
from trio_argoagent.bench.machine import CLIENT, SERVER, pin
from trio_argoagent.bench.questions import Asked, Goal, Question
from trio_argoagent.bench.usage import usage_of
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
REQUESTS: Final = 10_000
QUICK_REQUESTS: Final = 500
_HERE: Final = "trio_argoagent.bench.kube.apiserver"

ROOT: Final = "/apis/argoproj.io/v1alpha1"
MERGE: Final = ("content-type", "application/merge-patch+json")
JSON: Final = ("content-type", "application/json")

Wanted = tuple[str, str, tuple[tuple[str, str], ...], bytes]
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


def get(number: int) -> Wanted:
    """Read one object."""
    return "GET", place(number), (), b""


def listing(number: int) -> Wanted:
    """Read what is in a namespace."""
    return "GET", place(number).rpartition("/")[0], (), b""


def everything(number: int) -> Wanted:
    """Read all there is."""
    return "GET", f"{ROOT}/applications", (), b""


def patch(number: int) -> Wanted:
    """Change a label. Of the same number it is the same change, which commits nothing the second time."""
    value = {"metadata": {"labels": {"number": f"n{number}"}}}
    return "PATCH", place(number), (MERGE,), json.dumps(value).encode()


def replace(number: int) -> Wanted:
    """Replace a ConfigMap that is not large."""
    value = {"metadata": {"name": "c"}, "data": {"number": str(number), "text": "x" * 200}}
    path = f"/api/v1/namespaces/team-{number % SPACES:02}/configmaps/c"
    return "PUT", path, (JSON,), json.dumps(value).encode()


@attrs.frozen
class Kind:
    """What is asked in one case.

    Attributes:
        ask: makes a request of its number.
        share: of the requests of a case.
        watchers: how many follow meanwhile.
        wide: do they follow everything, and not a namespace each?
        events: that one request makes, with all who see it.
    """

    ask: Callable[[int], Wanted]
    share: float = 1.0
    watchers: int = 0
    wide: bool = False
    events: int = 0


WATCHED_READ, WATCHED_WRITE = f"GET, {SPACES} watchers", f"PATCH, {SPACES} watchers"
KINDS: Final[Mapping[str, Kind]] = {
    "GET": Kind(get),
    WATCHED_READ: Kind(get, watchers=SPACES),
    f"LIST {OBJECTS}": Kind(listing),
    f"LIST {OBJECTS * SPACES}": Kind(everything, share=0.01),
    "PATCH": Kind(patch),
    WATCHED_WRITE: Kind(patch, watchers=SPACES, events=1),
    "PUT": Kind(replace),
    f"PATCH, {SPACES} watchers of all": Kind(patch, 0.1, SPACES, wide=True, events=SPACES),
}
"""By the case's name: objects are of 4 KB, but for PUT, which replaces a small ConfigMap."""


@asynccontextmanager
async def connected(kubeconfig: str) -> AsyncIterator[tuple[HttpClient, tuple[tuple[str, str], ...]]]:
    """Our client, and the headers that let it in."""
    who = await from_kubeconfig(kubeconfig)
    async with open_client(host=who.host, port=who.port, context=make_context(who)) as client:
        yield client, (("authorization", f"Bearer {who.token}"), ("user-agent", "benchmark/1"))


async def many(client: HttpClient, head: tuple[tuple[str, str], ...], asks: Iterator[Wanted]) -> int:
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


async def load(kubeconfig: str, kind: Kind, count: int, server: int) -> Values:
    """One case, measured from within the client's process."""
    seen, complete = 0, trio.Event()

    async def follow(path: str, task_status: trio.TaskStatus[None]) -> None:
        nonlocal seen
        async with client.stream("GET", path, who) as response:
            task_status.started()
            while piece := await response.receive():
                seen += piece.count(b"\n")  # each event is a line
                if seen >= count * kind.events:
                    complete.set()

    async with connected(kubeconfig) as (client, who):
        listed = json.loads((await client.request("GET", f"{ROOT}/applications?limit=1", who)).body)
        version = int(listed["metadata"]["resourceVersion"])
        since = f"watch=1&resourceVersion={version}"
        async with trio.open_nursery() as nursery:
            for number in range(kind.watchers):
                path = everything(0)[1] if kind.wide else listing(number)[1]
                await nursery.start(follow, f"{path}?{since}")
            began, own, other = time.perf_counter(), time.process_time(), usage_of(server).cpu
            # Each write takes a version of its own, so no case asks for what an earlier one has done.
            done = await many(client, who, (kind.ask(version + number) for number in range(count)))
            if kind.events:
                with trio.fail_after(rig.PATIENCE):
                    await complete.wait()
            wall, own = time.perf_counter() - began, time.process_time() - own
            other = usage_of(server).cpu - other
            nursery.cancel_scope.cancel()
    return {
        "rate": ("/s", done / wall),
        # The kernel counts it in ticks of 10 ms, and a quick look may see none.
        **({"alone": ("/s", done / other)} if other else {}),
        "server": ("us", 1e6 * other / done),
        "client": ("us", 1e6 * own / done),
        CPU: ("us", 1e6 * (own + other) / done),
        "events": (DRAWN, float(seen)),
    }


@asynccontextmanager
async def filled() -> AsyncIterator[tuple[str, int]]:
    """A server with all that is asked for, while the block lasts: its kubeconfig and its process."""
    with tempfile.TemporaryDirectory() as folder:
        config = f"{folder}/kubeconfig"
        command = [sys.executable, "-m", "trio_argoagent", "apiserver", "--kubeconfig", config]
        async with started(command, Path(folder)) as (server, _):
            pin(SERVER, server.pid)
            await fill(config)
            yield config, server.pid


async def ask(asked: Asked) -> Found:
    """Each case in a client process of its own; one server for all."""
    found: list[tuple[str, Values]] = []
    requests = QUICK_REQUESTS if asked.effort.quick else REQUESTS
    async with filled() as (config, server):
        for case in asked.cases:
            count = max(AT_ONCE, int(requests * KINDS[str(case)].share))
            found.append((str(case), await told(WORKER, _HERE, str(case), config, str(count), str(server))))
    return found


QUESTION: Final = Question(
    "apiserver",
    "kube",
    f"what the embedded API server answers, {AT_ONCE} requests at a time",
    tuple(KINDS),
    "request",
    ask,
    quick_cases=("GET", WATCHED_READ, "PATCH", WATCHED_WRITE),
    rounds=1,
    goals=(
        Goal(f"reads a second, {SPACES} watchers", "ours", WATCHED_READ, "rate", Sense.AT_LEAST, 3000),
        Goal(f"writes a second, {SPACES} watchers", "ours", WATCHED_WRITE, "rate", Sense.AT_LEAST, 3000),
    ),
)


def main(case: str, kubeconfig: str, count: str, server: str) -> None:
    """The client's process."""
    pin(CLIENT)
    found = trio.run(load, kubeconfig, KINDS[case], int(count), int(server))
    sys.stdout.write(json.dumps(found) + "\n")
