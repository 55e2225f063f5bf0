"""Runs a program in virtual time, under a schedule that follows from a seed.

Trio shuffles the tasks that are ready at each step, and it orders them first only for Hypothesis. Here that
switch and the shuffle's generator, both private to Trio, are set for one run and put back: the same seed then
takes the same steps, and another seed tries another interleaving. A test holds this against each Trio that is
installed. Nothing waits for the wall clock: when every task waits, time jumps to the next deadline. Signals
do not wake the scheduler either: the step that it would take for each of them would shift the seed's draws.
"""

from __future__ import annotations

import contextlib
import gc
import random
import signal
from collections.abc import Awaitable, Callable, Iterator, MutableSequence
from typing import Any, Final, TypeVar

import trio
from trio._core import _run

from trio_argoagent.ports.env import Env

EPOCH: Final = 1_790_000_000.0
"""Unix seconds at which every simulation begins."""
AGES: Final = 1e9
"""Seconds of real time: what is waited for never takes as long, for time jumps first."""
COLLECTED: Final = (50_000, 20, 20)
"""After how many new objects garbage is looked for (``gc.set_threshold``): a fleet's objects live as long as
it does, and to look through those of a hundred agents after every 700 is a quarter of what they cost."""

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
    _speed_up(clock)
    try:
        with _seeded_scheduling(seed), _seldom_collected():
            return trio.run(_undisturbed, main, args, clock=clock)
    except BaseExceptionGroup as group:
        raise _sole(group) from None


async def _undisturbed(main: Callable[..., Awaitable[T]], args: tuple[object, ...]) -> T:
    # Trio's own descriptor, which it takes back at its end. Ctrl-C needs it as little as we do.
    with contextlib.suppress(ValueError):  # In another thread there is none.
        signal.set_wakeup_fd(-1)
    return await main(*args)


def _speed_up(clock: Any) -> None:
    """Half of what time costs: the clock is asked several times at each step, and it stands still meanwhile.

    The arithmetic is that of ``MockClock`` to the last bit. What it does besides, at each jump, is to compile
    statistics of which it needs one number.
    """

    def current_time() -> float:
        now: float = clock._virtual_base
        return now

    def deadline_to_sleep_time(deadline: float) -> float:
        return 0.0 if deadline <= clock._virtual_base else AGES

    def autojump() -> None:
        deadline = _run.GLOBAL_RUN_CONTEXT.runner.deadlines.next_deadline()
        jump = deadline - clock._virtual_base
        if 0 < jump < float("inf"):
            clock._virtual_base += jump

    clock.current_time, clock.deadline_to_sleep_time = current_time, deadline_to_sleep_time
    clock._autojump = autojump


def _sole(exc: BaseException) -> BaseException:
    """What groups of one wrap; a group of several stays as it is, and nothing is lost."""
    while isinstance(exc, BaseExceptionGroup) and len(exc.exceptions) == 1:
        exc = exc.exceptions[0]
    return exc


class _Schedule(random.Random):
    """Orders the tasks that are ready together, and counts their steps."""

    steps = 0

    def shuffle(self, x: MutableSequence[Any]) -> None:
        self.steps += len(x)
        if len(x) > 1:
            super().shuffle(x)


def steps_taken() -> int:
    """How many steps of tasks ``simulate`` has scheduled so far in its present run; 0: it does not run."""
    schedule = _run._r
    return schedule.steps if isinstance(schedule, _Schedule) else 0


@contextlib.contextmanager
def _seeded_scheduling(seed: int) -> Iterator[None]:
    run: Any = _run
    before = run._ALLOW_DETERMINISTIC_SCHEDULING, run._r
    run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = True, _Schedule(f"{seed} schedule")
    try:
        yield
    finally:
        run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = before


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*COLLECTED)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def stream(seed: int, *purpose: object) -> random.Random:
    """A generator of its own for each purpose: what one of them draws never shifts another's draws."""
    return random.Random(" ".join(map(str, (seed, *purpose))))


def make_env(seed: int, *who: object) -> Env:
    """The environment of one program: virtual wall time, seeded jitter and ids."""
    chance, ids = stream(seed, *who, "jitter"), stream(seed, *who, "entropy")
    return Env(now=lambda: EPOCH + trio.current_time(), random=chance, entropy=ids.randbytes)
