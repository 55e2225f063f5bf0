"""Processes of a measurement: none is left, whatever they make of a polite request."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Final

import pytest
import trio

from trio_argoagent.bench.children import child, compile_modules, line

STUBBORN: Final = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.alarm(60)\n"
    "print('ready', flush=True); signal.pause()",
)
"""It ignores SIGTERM, and would end by itself after a minute: also where nobody ends it, the test does."""

pytestmark = pytest.mark.processes


def test_modules_are_compiled_as_an_installation_does(tmp_path: Path) -> None:
    """What cannot be compiled, or is not there, keeps nobody from measuring."""
    (tmp_path / "fine.py").write_text("x = 1")
    (tmp_path / "broken.py").write_text("x =")
    compile_modules(tmp_path)
    assert [file.name.partition(".")[0] for file in (tmp_path / "__pycache__").iterdir()] == ["fine"]
    compile_modules(tmp_path / "missing")


async def test_a_process_that_will_not_go_is_gone() -> None:
    """With the block; its pipes are closed."""
    async with child(STUBBORN) as process:
        assert await line(process) == b"ready\n"
        assert process.returncode is None
    assert process.returncode == -signal.SIGKILL
    assert process.stdin is not None and process.stdout is not None
    with pytest.raises(trio.ClosedResourceError):
        await process.stdin.send_all(b"x")
    with pytest.raises(trio.ClosedResourceError):
        await process.stdout.receive_some()


async def test_a_measurement_that_is_cancelled_leaves_none() -> None:
    """Likewise."""
    with trio.CancelScope() as scope:
        async with child(STUBBORN) as process:
            assert await line(process) == b"ready\n"
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert process.returncode == -signal.SIGKILL


async def test_a_process_that_says_nothing() -> None:
    """The line of one that ends without one is empty."""
    async with child((sys.executable, "-c", "")) as process:
        assert await line(process) == b""
