"""Processes that are killed and started again."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.testing.programs import Program


class Sleeper:
    """Runs until it is cancelled."""

    async def run(self) -> None:
        """See the class."""
        await trio.sleep_forever()


async def test_what_is_killed_before_it_began_does_not_begin(autojump_clock: MockClock) -> None:
    """Not even for a moment: whoever has killed it thinks that it is down."""
    program = Program("sleeper", lambda start: Sleeper())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(program.run)
        await trio.sleep(1)
        program.start()
        program.crash()
        await trio.sleep(1)
        assert program.starts == 0 and program.instance is None
        program.start()
        await trio.sleep(1)
        assert program.starts == 1 and program.instance is not None
        nursery.cancel_scope.cancel()
