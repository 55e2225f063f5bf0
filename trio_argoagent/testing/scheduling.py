"""Runs a program in virtual time, under a schedule that follows from a seed.

Trio shuffles the tasks that are ready at each step, and it orders them first only for Hypothesis. Here that
switch and the shuffle's generator, both private to Trio, are set for one run and put back: the same seed then
takes the same steps, and another seed tries another interleaving. A test holds this against each Trio that is
installed. Nothing waits for the wall clock: when every task waits, time jumps to the next deadline.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypeVar

import trio
from trio._core import _run

from trio_argoagent.ports.env import Env

EPOCH: Final = 1_790_000_000.0
"""Unix seconds at which every simulation begins."""

T = TypeVar("T")


def simulate(main: Callable[..., Awaitable[T]], *args: object, seed: int) -> T:
    """Run ``main(*args)`` from its beginning to its end in virtual time.

    Args:
        main: an async function; its clock is ``trio.current_time()``, which begins at 0.
        args: its arguments.
        seed: of the schedule.

    Raises:
        BaseException: what ``main`` raises; where nurseries have wrapped one exception alone, that one.
    """
    import trio.testing  # Here: it loads pytest where that is installed, and make_env needs neither.

    clock = trio.testing.MockClock(autojump_threshold=0)
    try:
        with _seeded_scheduling(seed):
            return trio.run(main, *args, clock=clock)
    except BaseExceptionGroup as group:
        raise _sole(group) from None


def _sole(exc: BaseException) -> BaseException:
    """What groups of one wrap; a group of several stays as it is, and nothing is lost."""
    while isinstance(exc, BaseExceptionGroup) and len(exc.exceptions) == 1:
        exc = exc.exceptions[0]
    return exc


@contextlib.contextmanager
def _seeded_scheduling(seed: int) -> Iterator[None]:
    run: Any = _run
    before = run._ALLOW_DETERMINISTIC_SCHEDULING, run._r
    run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = True, random.Random(f"{seed} schedule")
    try:
        yield
    finally:
        run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = before


def stream(seed: int, *purpose: object) -> random.Random:
    """A generator of its own for each purpose: what one of them draws never shifts another's draws."""
    return random.Random(" ".join(map(str, (seed, *purpose))))


def make_env(seed: int, *who: object) -> Env:
    """The environment of one program: virtual wall time, seeded jitter and ids."""
    chance, ids = stream(seed, *who, "jitter"), stream(seed, *who, "entropy")
    return Env(now=lambda: EPOCH + trio.current_time(), random=chance, entropy=ids.randbytes)
