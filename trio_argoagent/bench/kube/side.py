"""What the questions about clients share: a process for the server, and one for each client.

A client's process measures itself, the second time that it does its work: CPU of the whole process, and peak
RSS (imports included: they are part of what a library costs). The third time it looks for how long Trio's
event loop does not turn: that takes CPU itself. The server is the embedded one, over HTTPS.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from trio_argoagent.bench.apart import told
from trio_argoagent.bench.children import child, last_word, line
from trio_argoagent.bench.figures import CPU, Case, Values
from trio_argoagent.bench.machine import CLIENT, SERVER, pin
from trio_argoagent.bench.objects import status
from trio_argoagent.bench.questions import Ask, Asked, Side, each
from trio_argoagent.bench.usage import peak
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch

TICK: Final = 0.001
"""Seconds between two looks at whether the event loop turns."""
RESOURCES: Final = 17
"""Resources in a status: a whole Application is about 4 KB."""
OFFICIAL: Final = "kubernetes"
"""The package of the official client."""
WORKER: Final = "trio_argoagent.bench.kube.worker"
"""The module that runs a process."""
_HERE: Final = "trio_argoagent.bench.kube.side"
_SERVER: Final = "server"


@attrs.frozen
class Load:
    """What a client does.

    Attributes:
        kubeconfig: of the server.
        version: the resourceVersion before the events.
        case: which.
        count: how many.
        run: counts how often it is done: what is written must be another thing each time.
    """

    kubeconfig: str
    version: str
    case: int
    count: int
    run: int = 0


Work = Callable[[Load], Awaitable[float | None]]
"""Does what is measured; returns KiB that each takes, where that is the question, and not its CPU."""


@attrs.frozen
class Amount:
    """What one case is about.

    Attributes:
        count: of the work.
        objects: Applications that there are.
        events: changes of them that have happened.
    """

    count: int
    objects: int
    events: int = 0


def official(name: str, what: str) -> Side:
    """A side that needs the official client."""
    return Side(name, "", what, package=OFFICIAL)


def clients(module: str, amount: Callable[[int, bool], Amount]) -> Ask:
    """Measures each case by a module's ``WORK`` of the side's name: a fresh server, and a fresh client.

    Args:
        module: its name.
        amount: of a case, in a quick look or not.
    """

    async def measure(case: Case, asked: Asked) -> Values:
        much = amount(int(case), asked.effort.quick)
        async with server(much.objects, much.events) as where:
            load = Load(where["kubeconfig"], where["version"], int(case), much.count)
            found: Values = await told(WORKER, _HERE, module, asked.side.name, json.dumps(attrs.asdict(load)))
        return found

    return each(measure)


async def measured(work: Work, load: Load) -> Values:
    """The client's process: it does the work of one, then all, and all of it again for the event loop."""
    await work(attrs.evolve(load, count=1))  # Imports, handshakes: not what is asked about.
    began, cpu = time.perf_counter(), time.process_time()
    added = await work(attrs.evolve(load, run=1))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    most = peak()
    done = {CPU: ("us each", 1e6 * cpu / load.count), "rate": ("/s", load.count / wall)}
    return {
        **({"added": ("KiB each", added)} if added is not None else done),
        "stall": ("ms", 1000 * await _stalled(work, attrs.evolve(load, run=2))),
        "peak": ("MiB", most),
    }


async def _stalled(work: Work, load: Load) -> float:
    """The longest time for which the event loop does not turn meanwhile, seconds."""
    worst = 0.0

    async def tick() -> None:
        nonlocal worst
        while True:
            due = trio.current_time() + TICK
            await trio.sleep(TICK)
            worst = max(worst, trio.current_time() - due)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        await work(load)
        nursery.cancel_scope.cancel()
    return worst


async def serve(folder: Path, objects: int, events: int) -> None:
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
        said = {"kubeconfig": str(machine.kubeconfig), "version": str(version)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        # Whoever started it closes its standard input when it is no longer needed.
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def server(objects: int, events: int = 0) -> AsyncIterator[Mapping[str, Any]]:
    """A server process for as long as the block lasts.

    Raises:
        UserError: it does not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", WORKER, _HERE, _SERVER, folder, str(objects), str(events)]
        async with started(command, Path(folder)) as (_, said):
            yield json.loads(said)


@asynccontextmanager
async def started(command: Sequence[str], folder: Path) -> AsyncIterator[tuple[trio.Process, bytes]]:
    """An API server's process for as long as the block lasts, and the line that it says when it is ready.

    Args:
        command: what is run.
        folder: for what it says of errors.

    Raises:
        UserError: it ends before it is ready; the text has its last word.
    """
    errors = folder / "errors"
    with errors.open("wb") as file:
        async with child(command, stderr=file) as process:
            if not (said := await line(process)):
                last = last_word(errors.read_text("utf-8", "replace"))
                raise UserError(f"the API server did not start: {last}")
            yield process, said


def main(what: str, *arguments: str) -> None:
    """A process: ``server FOLDER OBJECTS EVENTS``, or ``MODULE SIDE LOAD``."""
    pin(SERVER if what == _SERVER else CLIENT)
    if what == _SERVER:
        folder, objects, events = arguments
        trio.run(serve, Path(folder), int(objects), int(events))
        return
    side, load = arguments
    work: Work = importlib.import_module(what).WORK[side]
    sys.stdout.write(json.dumps(trio.run(measured, work, Load(**json.loads(load)))) + "\n")
