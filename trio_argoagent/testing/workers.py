"""Worker processes for a campaign: each plays one seed at a time, and is killed when that does not end.

A worker is an interpreter of its own (``python -m trio_argoagent.testing.campaign``) and takes one seed after
another: a fresh one for each would cost half a second of imports. Cancelling ends all of them.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import trio

from trio_argoagent.testing.campaign import Job, Outcome, item_count, with_items
from trio_argoagent.testing.shrink import Shrunk, ddmin

MAX_ANSWER: Final = 64 << 20
"""Bytes of one answer; a worker that says more is not one of ours."""
CHUNK: Final = 1 << 16
"""Bytes that are read at once."""


class Worker:
    """One process. ``open_worker`` makes it."""

    def __init__(self, process: trio.Process) -> None:
        self.lost = False
        """It has died or must: it cannot be asked again."""
        self._process, self._buffer = process, bytearray()

    async def ask(self, job: Job, limit: float) -> Outcome:
        """Play a job.

        Args:
            job: which.
            limit: seconds of real time after which it counts as one that never ends.
        """
        with trio.move_on_after(limit):
            answer = await self._converse(job.to_json().encode() + b"\n")
            if answer:
                return Outcome.from_json(answer)
            self.lost = True
            return _lost(job, f"ended with code {await self._process.wait()}")
        self.lost = True
        return _lost(job, f"did not end within {limit:g} s")

    async def _converse(self, request: bytes) -> bytes:
        """The line that answers a line; empty: there is none, and never will be."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        try:
            await process.stdin.send_all(request)
        except trio.BrokenResourceError:
            return b""
        while b"\n" not in self._buffer[-CHUNK:]:
            received = await process.stdout.receive_some(CHUNK)
            if not received or len(self._buffer) > MAX_ANSWER:
                return b""
            self._buffer += received
        answer = bytes(self._buffer)
        self._buffer.clear()
        return answer


def _lost(job: Job, how: str) -> Outcome:
    return Outcome(job.seed, f"worker: the process that ran this seed {how}", plan=job.find_plan().to_json())


@contextlib.asynccontextmanager
async def open_worker() -> AsyncIterator[Worker]:
    """A worker that lives while the context is open."""
    command = [sys.executable, "-m", "trio_argoagent.testing.campaign"]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Worker(process)
    finally:
        # It holds nothing that a kinder end would save.
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                await pipe.aclose()


async def play_all(
    jobs: Iterator[Job], *, workers: int, limit: float, done: Callable[[Outcome], None]
) -> None:
    """Play many jobs, several at a time.

    Args:
        jobs: each is taken when a worker is free for it.
        workers: how many processes.
        limit: seconds of real time for each job.
        done: told each outcome as it comes.
    """
    async with trio.open_nursery() as nursery:
        for _ in range(workers):
            nursery.start_soon(_work, jobs, limit, done)


async def _work(jobs: Iterator[Job], limit: float, done: Callable[[Outcome], None]) -> None:
    job = next(jobs, None)
    while job is not None:
        async with open_worker() as worker:
            while job is not None and not worker.lost:
                done(await worker.ask(job, limit))
                job = next(jobs, None)


async def shrink(
    outcome: Outcome, *, limit: float, told: Callable[[int, int], None] = lambda runs, left: None
) -> tuple[Outcome, Shrunk[int]]:
    """Drop troubles from a plan until none of what is left can be dropped.

    Args:
        outcome: a violation, with its plan.
        limit: seconds of real time for each try.
        told: after each try, how many there were and how many troubles are left.

    Returns:
        What the shrunk plan came to, and which of the plan's items are left. A candidate counts only if it
        breaks the rule that was broken first: else it would be another bug's plan.
    """
    search = _Search(outcome, told)
    await _work(search, limit, search.done)
    assert search.result is not None
    return search.best, search.result


class _Search:
    """``ddmin`` as a stream of jobs, each of which depends on what the one before came to."""

    def __init__(self, outcome: Outcome, told: Callable[[int, int], None]) -> None:
        self.best = outcome
        self.result: Shrunk[int] | None = None
        self._whole, self._told, self._runs = outcome.plan, told, 0
        self._search = ddmin(range(item_count(outcome.plan)))
        self._rule = outcome.rules[0]
        self._candidate: tuple[int, ...] = ()
        self._left = item_count(outcome.plan)
        self._verdict: bool | None = None

    def __iter__(self) -> Iterator[Job]:
        return self

    def __next__(self) -> Job:
        try:
            self._candidate = self._search.send(self._verdict)
        except StopIteration as end:
            self.result = end.value
            raise
        return Job(self.best.seed, plan=with_items(self._whole, self._candidate))

    def done(self, outcome: Outcome) -> None:
        self._verdict = bool(outcome.violation) and self._rule in outcome.rules
        self._runs += 1
        if self._verdict:
            self.best, self._left = outcome, len(self._candidate)
        self._told(self._runs, self._left)
