"""Runs the pairs of processes, one after the other, the sides taking turns, and puts the figures together."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import attrs
import trio

from trio_argoagent.bench.loads import Task
from trio_argoagent.bench.place import CLIENT, SERVER, Place
from trio_argoagent.bench.values import Answer, Figure, Question, Row, Side
from trio_argoagent.bench.worker import DRIVE, SERVE, Order
from trio_argoagent.errors import UserError
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import Pki

START_TIMEOUT: Final = 60.0
"""Seconds until a server says where it is."""
_WORKER: Final = (sys.executable, "-m", "trio_argoagent.bench.worker")

Found = Sequence[tuple[int, Mapping[str, tuple[str, float]]]]
"""Each case, and its figures of one round."""


@attrs.frozen
class Effort:
    """How much trouble to take.

    Attributes:
        rounds: of each pair.
        seconds: of one case in one round, about.
        quick: take the cases for a quick look.
    """

    rounds: int
    seconds: float
    quick: bool

    def cases(self, question: Question) -> tuple[int, ...]:
        """Of a question."""
        return (self.quick and question.quick_cases) or question.cases


THOROUGH: Final = Effort(rounds=3, seconds=1.0, quick=False)
QUICK: Final = Effort(rounds=1, seconds=0.2, quick=True)


def absent(side: Side) -> bool:
    """Whether what the side needs is not installed."""
    return bool(side.package) and importlib.util.find_spec(side.package) is None


@contextmanager
def identities() -> Iterator[str]:
    """A folder with fresh certificates for both ends; gone when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        pki = Pki.create(real_env())
        Path(folder, "ca.pem").write_bytes(pki.ca)
        for end, (certificate, key) in {SERVER: pki.server("bench"), CLIENT: pki.agent("bench")}.items():
            Path(folder, f"{end}.pem").write_bytes(certificate)
            Path(folder, f"{end}.key").write_bytes(key)
        yield folder


async def answer(
    question: Question, sides: Sequence[Side], effort: Effort, progress: Callable[[str], None]
) -> Answer:
    """Measure one question.

    Args:
        question: which.
        sides: those that take part.
        effort: how much.
        progress: told what is being measured, for people.

    Raises:
        UserError: a process of a pair failed; the text says which and why.
    """
    taken: dict[tuple[str, int], dict[str, list[tuple[str, float]]]] = {}
    present = [side for side in sides if not absent(side)]
    with identities() as folder:
        for turn in range(effort.rounds):
            # Who begins changes, so that whatever drifts on this machine drifts for all of them.
            shift = turn % len(present) if present else 0
            for side in [*present[shift:], *present[:shift]]:
                progress(f"{question.name}: {side.name}, round {turn + 1} of {effort.rounds}")
                task = Task(question.load, effort.cases(question), effort.seconds)
                order = Order(side.module, Place(folder, side.variant), task)
                for case, values in await _pair(side.name, order):
                    figures = taken.setdefault((side.name, case), {})
                    for name, value in values.items():
                        figures.setdefault(name, []).append(value)
    rows = [
        Row(side.name, case, _figures(taken[side.name, case]))
        for case in effort.cases(question)
        for side in present
        if (side.name, case) in taken
    ]
    missing = {side.name: f"{side.package} is not installed" for side in sides if absent(side)}
    return Answer(question, tuple(rows), missing)


def _figures(taken: Mapping[str, Sequence[tuple[str, float]]]) -> dict[str, Figure]:
    return {name: Figure(values[0][0], tuple(value for _, value in values)) for name, values in taken.items()}


async def _pair(name: str, order: Order) -> Found:
    """One round of one side: a server, a client, and what the client has found."""
    async with _process(SERVE, order) as server, _process(DRIVE, order) as client:
        with trio.move_on_after(START_TIMEOUT):
            where = await _line(server)
        if not where:
            raise UserError(f"{name}: the server does not start: {_complaint(order, SERVE)}")
        assert client.stdin is not None
        await client.stdin.send_all(where)
        if not (found := await _line(client)):
            raise UserError(f"{name}: the client has failed: {_complaint(order, DRIVE)}")
    result: Found = json.loads(found)
    return result


@asynccontextmanager
async def _process(role: str, order: Order) -> AsyncIterator[trio.Process]:
    """A process that is gone when the block ends."""
    with _errors(order, role).open("wb") as errors:
        command = [*_WORKER, role, order.as_json()]
        process = await trio.lowlevel.open_process(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
    try:
        yield process
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    await trio.aclose_forcefully(pipe)


async def _line(process: trio.Process) -> bytes:
    """The line that a process prints; empty when it ends without one."""
    assert process.stdout is not None
    text = b""
    while not text.endswith(b"\n"):
        piece = await process.stdout.receive_some()
        if not piece:
            return b""
        text += piece
    return text


def _errors(order: Order, role: str) -> Path:
    return Path(order.place.folder, f"{role}.err")


def _complaint(order: Order, role: str) -> str:
    """The last line of what a process said before it ended."""
    lines = _errors(order, role).read_text("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it says nothing")
