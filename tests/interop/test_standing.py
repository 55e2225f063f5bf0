"""The bound that tests of real processes have."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from .programs import Program
from .standing import within


async def wait_for_godot() -> None:
    """He does not come."""
    await trio.sleep_forever()


async def test_what_takes_too_long(autojump_clock: MockClock) -> None:
    """Where each task stood, and what each program said last."""
    program = Program("agent", "--x")
    program.lines = [{"event": f"e{number}"} for number in range(100)]
    with pytest.raises(BaseExceptionGroup) as caught:
        async with within(60.0, "a play", program):
            await wait_for_godot()
    (error,) = caught.value.exceptions
    assert str(error).startswith("a play: not within 60 s\n")
    assert " > wait_for_godot (test_standing.py:" in str(error)
    assert "agent --x: not started" in str(error) and "'e99'" in str(error) and "'e9'" not in str(error)


async def test_what_does_not(autojump_clock: MockClock) -> None:
    """Nothing is left behind."""
    async with within(60.0, "a short play"):
        await trio.sleep(59.0)
    assert trio.current_time() - 59.0 < 1.0
