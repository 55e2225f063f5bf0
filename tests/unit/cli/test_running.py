"""How a program is run."""

from __future__ import annotations

import gc

import pytest
import trio

from trio_argoagent.cli.running import run


def test_what_is_imported_is_not_looked_through() -> None:
    """By no collection while the program runs; whoever has called it then collects as before."""

    async def program() -> int:
        await trio.lowlevel.checkpoint()
        return 0 if gc.get_freeze_count() else 1

    with pytest.raises(SystemExit) as ended:
        run(program)
    assert (ended.value.code, gc.get_freeze_count()) == (0, 0)
