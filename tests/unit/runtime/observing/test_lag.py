"""How late the event loop is."""

from __future__ import annotations

import math

import attrs
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.runtime.observing.lag import BOUNDS, WINDOW, Lag


@attrs.define
class Loop:
    """An event loop that is played by hand."""

    lag: Lag = attrs.field(init=False)
    now: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.lag = Lag(lambda: self.now)

    def wait(self, timeout: float, seconds: float) -> None:
        """Be told to wait for ``timeout``, and come back after ``seconds``."""
        self.lag.before_io_wait(timeout)
        self.now += seconds
        self.lag.after_io_wait(timeout)

    def work(self, seconds: float) -> None:
        """Run the tasks."""
        self.now += seconds

    def worst(self) -> float:
        """Seconds."""
        return round(self.lag.statistics().worst, 6)


def test_nothing_yet() -> None:
    """Before the first turn."""
    told = Loop().lag.statistics()
    assert (told.worst, told.turns, told.total) == (0.0, 0, 0.0)
    assert told.buckets == tuple((bound, 0) for bound in (*BOUNDS, math.inf))


def test_a_task_that_holds_the_loop() -> None:
    """So long the others wait: whatever came early."""
    loop = Loop()
    loop.wait(10.0, 1.0)
    loop.work(0.3)
    loop.wait(10.0, 1.0)
    assert loop.worst() == 0.3


def test_a_machine_that_gives_no_cpu() -> None:
    """What the wait has overslept counts, and the work after it as well."""
    loop = Loop()
    loop.wait(1.0, 3.0)
    loop.work(0.25)
    loop.wait(1.0, 0.5)
    assert loop.worst() == 2.25


def test_a_histogram() -> None:
    """Cumulative, as Prometheus has them; nothing is left out."""
    loop = Loop()
    for seconds in (0.0005, 0.001, 0.06, 9.0):
        loop.wait(1.0, 0.0)
        loop.work(seconds)
    loop.wait(1.0, 0.0)
    told = loop.lag.statistics()
    assert dict(told.buckets) == {0.001: 2, 0.005: 2, 0.025: 2, 0.1: 3, 0.5: 3, 2.5: 3, math.inf: 4}
    assert told.turns == 4
    assert told.total == pytest.approx(9.0615)


def test_the_worst_is_forgotten() -> None:
    """Not within a minute, but after two."""
    loop = Loop()
    loop.wait(1.0, 0.0)
    loop.work(0.5)
    loop.wait(1.0, 0.0)
    loop.work(WINDOW)
    assert loop.worst() == 0.5
    loop.wait(1.0, 0.0)
    assert loop.worst() == WINDOW  # That was work, too.
    loop.wait(WINDOW, WINDOW - 1.0)
    assert loop.worst() == WINDOW
    loop.wait(WINDOW, WINDOW + 1.0)
    assert loop.worst() == 0.0


def test_the_worst_is_forgotten_while_the_loop_turns() -> None:
    """Each turn begins where the last one ended."""
    loop = Loop()
    loop.wait(1.0, 0.0)
    loop.work(0.5)
    seen = []
    for _ in range(7):
        loop.wait(WINDOW / 2, WINDOW / 2)
        seen.append(loop.worst())
    assert seen[:2] == [0.5, 0.5]
    assert seen[5:] == [0.0, 0.0]


async def test_as_an_instrument(autojump_clock: MockClock) -> None:
    """Trio tells it of each turn. How late each was is not to be seen here: virtual time jumps in turns."""
    lag = Lag()
    trio.lowlevel.add_instrument(lag)
    for _ in range(5):
        await trio.sleep(1)
    trio.lowlevel.remove_instrument(lag)
    turns = lag.statistics().turns
    assert turns >= 5
    await trio.sleep(1)
    assert lag.statistics().turns == turns
