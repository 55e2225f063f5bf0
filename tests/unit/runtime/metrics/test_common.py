"""What both programs tell of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trio_argoagent.runtime.logfile import Unfailing
from trio_argoagent.runtime.metrics import common
from trio_argoagent.runtime.metrics.rows import Program
from trio_argoagent.runtime.metrics.sheet import Sheet
from trio_argoagent.runtime.metrics.table import ROWS


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A procfs of one process."""
    (tmp_path / "self/fd").mkdir(parents=True)
    (tmp_path / "self/statm").write_text("100 7 1")
    (tmp_path / "self/stat").write_text(f"1 (a (b) c) S {' '.join(map(str, range(4, 22)))} 1 0")
    (tmp_path / "stat").write_text("cpu 1 2 3\nbtime 1000\n")
    monkeypatch.setattr(common, "_PROC", tmp_path)
    common._started.cache_clear()
    yield tmp_path
    common._started.cache_clear()


def lines(*figures: common.Figures) -> dict[str, str]:
    """Value by name."""
    sheet = Sheet(Program.AGENT, ROWS)
    for each in figures:
        assert not list(each(sheet))
    found = b"".join(sheet.text()).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in found if not line.startswith("#"))


async def test_when_the_process_began_is_looked_up_once(proc: Path) -> None:
    """The file with the time of the boot is long, and says the same for ever."""
    first = lines(common.process)
    assert 1000 < float(first["process_start_time_seconds"]) < 1001
    (proc / "stat").unlink()
    (proc / "self/stat").unlink()
    assert lines(common.process)["process_start_time_seconds"] == first["process_start_time_seconds"]


class Full:
    """A disk without room."""

    def write(self, text: str) -> int:
        """Never."""
        raise OSError("full")

    def flush(self) -> None:
        """There is nothing."""


def test_lines_that_are_missing_in_the_log() -> None:
    """They are counted for whoever looks elsewhere."""
    log = Unfailing(Full())
    assert lines(common.lost(log)) == {"trio_argoagent_log_write_failures_total": "0"}
    log.write("x")
    assert lines(common.lost(log)) == {"trio_argoagent_log_write_failures_total": "1"}
