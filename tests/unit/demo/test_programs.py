"""Programs that are restarted and links that are cut, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.demo.programs import CuttableDialer, Restartable
from trio_argoagent.errors import LinkBroken, LinkRefused
from trio_argoagent.ports.transport import Link


async def test_a_restart_loses_all_that_was_in_memory(autojump_clock: MockClock) -> None:
    """The old run has ended, cleanly, before the new one begins."""
    log: list[str] = []

    async def program() -> None:
        run = log.count("start")
        log.append("start")
        try:
            await trio.sleep_forever()
        finally:
            log.append(f"end {run}")

    restartable = Restartable("hub", program)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(restartable.run)
        for _ in range(2):
            await wait_all_tasks_blocked()
            restartable.restart()
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert log == ["start", "end 0", "start", "end 1", "start", "end 2"]
    assert restartable.restarts == 2


async def test_a_program_that_ends_is_not_started_again(autojump_clock: MockClock) -> None:
    """Nor is one that fails: its error is everybody's."""
    await Restartable("hub", trio.lowlevel.checkpoint).run()

    async def failing() -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await Restartable("hub", failing).run()


async def test_a_slow_end_delays_the_next_start(autojump_clock: MockClock) -> None:
    """Two runs of one program never overlap, not even while one says goodbye."""
    running = 0

    async def program() -> None:
        nonlocal running
        running += 1
        assert running == 1
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1.0)
            running -= 1

    restartable = Restartable("east", program)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(restartable.run)
        await trio.sleep(1.0)
        restartable.restart()
        restartable.restart()
        await trio.sleep(5.0)
        assert (running, restartable.restarts) == (1, 1)
        nursery.cancel_scope.cancel()


class Dialling:
    """A dialer that counts the links that are up."""

    def __init__(self) -> None:
        self.up = 0

    @asynccontextmanager
    async def dial(self) -> AsyncIterator[Link]:
        """See ``Dialer``."""
        self.up += 1
        try:
            yield cast(Any, self)
        finally:
            self.up -= 1


async def test_a_cut_breaks_the_link_that_is_up(autojump_clock: MockClock) -> None:
    """Whoever uses it hears LinkBroken, like of any other link; nothing of it is left."""
    dialling = Dialling()
    dialer = CuttableDialer(dialling)
    async with trio.open_nursery() as nursery:

        async def cut_later() -> None:
            await trio.sleep(3.0)
            dialer.cut()

        nursery.start_soon(cut_later)
        with pytest.raises(LinkBroken, match="was cut"):
            async with dialer.dial():
                assert dialling.up == 1
                await trio.sleep_forever()
    assert trio.current_time() == pytest.approx(3.0)
    assert dialling.up == 0


async def test_no_link_while_cut_and_again_when_healed(autojump_clock: MockClock) -> None:
    """Dialling fails at once; the real dialer is not even asked."""
    dialling = Dialling()
    dialer = CuttableDialer(dialling)
    dialer.cut()
    with pytest.raises(LinkBroken, match="is cut"):
        async with dialer.dial():
            raise AssertionError("there is no link")
    dialer.heal()
    async with dialer.dial():
        assert dialling.up == 1
    assert dialling.up == 0


async def test_other_ends_of_a_link_are_as_they_are(autojump_clock: MockClock) -> None:
    """A refusal stays a refusal, and a cancellation from outside is no cut."""
    dialer = CuttableDialer(Dialling())
    with pytest.raises(LinkRefused):
        async with dialer.dial():
            raise LinkRefused("mode", "no")
    with trio.move_on_after(1.0) as scope:
        async with dialer.dial():
            await trio.sleep_forever()
    assert scope.cancelled_caught
    dialer.cut()  # There is no link that this could hurt.
