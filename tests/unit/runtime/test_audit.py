"""The audit log: every ruling is accounted for, and nobody can fill it."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Peer
from trio_argoagent.model.rulings import Decision, Ruling, about, unaudited
from trio_argoagent.runtime import audit
from trio_argoagent.runtime.audit import SHARE, WINDOW, AuditLog, Ledger, Line, open_audit_log
from trio_argoagent.runtime.logfile import Unfailing

PAGE: Final = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
EAST: Final = Peer("east", "AB", "192.0.2.1:5000")
NO: Final = about(EAST, Decision.REFUSED, "link", "not today")


def cells(heading: str) -> list[str]:
    """The first column of the page's table under that heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [row.split("`")[1] for row in rows]


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of an audit log, without their times."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "timestamp"} for line in lines]


# What is written, and when


def test_a_ruling_is_told_at_once_and_its_repeats_once() -> None:
    """The number comes when the window ends, and the next one is told at once again."""
    ledger = Ledger()
    assert ledger.note(NO, 0.0) == [Line(NO, 1)]
    for moment in range(5):
        assert ledger.note(attrs.evolve(NO, address=f"192.0.2.1:{moment}"), float(moment)) == []
    assert ledger.deadline == WINDOW
    (told,) = ledger.expire(WINDOW)
    assert (told.count, told.ruling.address) == (5, "192.0.2.1")
    assert ledger.deadline is None
    assert ledger.note(NO, WINDOW + 1) == [Line(NO, 1)]
    assert ledger.end() == []


@pytest.mark.parametrize("field", ["decision", "asked", "reason", "agent", "fingerprint", "address"])
def test_what_differs_is_told(field: str) -> None:
    """Each field counts; of the address, the host."""
    other = Decision.ADMITTED if field == "decision" else "else:1"
    ledger = Ledger()
    ledger.note(NO, 0.0)
    assert ledger.note(attrs.evolve(NO, **{field: other}), 0.0) != []


def test_made_up_names_are_counted() -> None:
    """Beyond an agent's share one line says how many; nobody else is concerned, nor another decision."""
    ledger = Ledger()

    def violates(number: int, name: str = "east") -> list[Line]:
        return ledger.note(Ruling(Decision.SCOPE_VIOLATION, f"write x{number}", agent=name), 0.0)

    assert all(violates(number) for number in range(SHARE))
    (first,) = violates(SHARE)
    assert (first.ruling.asked, first.ruling.agent, first.count) == ("various", "east", 1)
    assert not any(violates(number) for number in range(SHARE + 1, SHARE + 100))
    assert violates(0, "west")
    assert ledger.note(NO, 0.0) == [Line(NO, 1)]
    assert [(line.ruling.asked, line.count) for line in ledger.end()] == [("various", 99)]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By one number for all agents; it is still told how many there were."""
    monkeypatch.setattr(audit, "MOST", 10)
    ledger = Ledger()
    lines = [
        line for n in range(50) for line in ledger.note(Ruling(Decision.REFUSED, "link", agent=f"a{n}"), 0.0)
    ]
    lines += ledger.end()
    assert sum(line.count for line in lines) == 50
    assert len(lines) == 10 + 2


RULINGS: Final = st.builds(
    Ruling,
    st.sampled_from([Decision.REFUSED, Decision.ADMITTED]),
    st.integers(0, 80).map(str),
    agent=st.sampled_from(["", "east"]),
)


@given(st.lists(st.tuples(RULINGS, st.floats(0, 30))))
def test_counts_add_up(made: list[tuple[Ruling, float]]) -> None:
    """Whatever happens when: the counts of a decision are how often it was made."""
    ledger, now, lines = Ledger(), 0.0, list[Line]()
    for ruling, pause in made:
        now += pause
        lines += ledger.note(ruling, now)
    lines += ledger.end()
    counts: Counter[Decision] = Counter()
    for line in lines:
        counts[line.ruling.decision] += line.count
    assert counts == Counter(ruling.decision for ruling, _ in made)


# Lines


async def test_a_line(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The fields of the page, always all of them."""
    path = tmp_path / "audit.log"
    async with open_audit_log(str(path)) as log:
        log(NO)
    (line,) = read(path)
    assert line == {
        "logger": "audit",
        "decision": "refused",
        "asked": "link",
        "reason": "not today",
        "agent": "east",
        "fingerprint": "AB",
        "address": "192.0.2.1:5000",
        "count": 1,
    }
    assert set(cells("A line")) == {"timestamp", "lost", *line}


def test_the_page_tells_every_decision() -> None:
    """In their order."""
    assert cells("The decisions") == [str(decision) for decision in Decision]


async def test_repeats_are_told_in_time(tmp_path: Path, autojump_clock: MockClock) -> None:
    """While the program lives, and when it ends."""
    path = tmp_path / "audit.log"
    async with open_audit_log(str(path)) as log:
        log(NO)
        log(NO)
        await trio.sleep(WINDOW + 1)
        assert [line["count"] for line in read(path)] == [1, 1]
        log(NO)
        log(NO)
        log(NO)
    assert [line["count"] for line in read(path)] == [1, 1, 1, 2]


async def test_what_a_peer_says_cannot_break_a_line(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Line ends, escapes for terminals (also those of one byte), text that runs backwards; and it is cut."""
    path = tmp_path / "audit.log"
    nasty = "a\n{}\r\x1b[2J\x9b\x7f\u202e" + "x" * 10_000
    async with open_audit_log(str(path)) as log:
        log(Ruling(Decision.REFUSED, nasty, nasty))
    text = path.read_text()
    assert text.isascii()
    assert len(text.splitlines()) == 1
    (line,) = read(path)
    assert line["asked"].startswith(r"a\n{}\r\x1b[2J\x9b\x7f\u202exx")
    assert line["asked"].isprintable()
    assert len(line["asked"]) < 600


async def test_the_file_is_its_owners(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Made so, appended to, and found anew when it has been moved away."""
    path = tmp_path / "audit.log"
    async with open_audit_log(str(path)) as log:
        log(NO)
        path.rename(tmp_path / "audit.log.1")
        log(attrs.evolve(NO, reason="again"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [line["reason"] for line in read(path)] == ["again"]
    async with open_audit_log(str(path)) as log:
        log(NO)
    assert [line["reason"] for line in read(path)] == ["again", "not today"]


async def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Nothing starts, and one line says why."""
    with pytest.raises(UserError, match=f"--audit-log: cannot write {tmp_path}: Is a directory"):
        async with open_audit_log(str(tmp_path)):
            raise AssertionError


async def test_a_pipe_that_nobody_reads(tmp_path: Path) -> None:
    """It is refused at once: opening it would wait for ever."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(UserError, match="cannot write"):
        async with open_audit_log(str(path)):
            raise AssertionError


async def test_without_a_file_it_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the log, recognisable."""
    async with open_audit_log() as log:
        log(NO)
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["logger"] == "audit"


async def test_lost_lines_are_told(autojump_clock: MockClock) -> None:
    """A full disk costs lines and never the program; the next line that gets through says how many."""
    written: list[str] = []
    full = True

    class Disk:
        def write(self, text: str, /) -> int:
            if full:
                raise OSError("full")
            written.append(text)
            return len(text)

        def flush(self) -> None:
            pass

    log = AuditLog(Unfailing(Disk()))
    for number in range(3):
        log(attrs.evolve(NO, asked=str(number)))
    full = False
    for number in range(3, 5):
        log(attrs.evolve(NO, asked=str(number)))
    lines = [json.loads(line) for line in "".join(written).splitlines()]
    assert [(line["asked"], line.get("lost")) for line in lines] == [("3", 3), ("4", None)]


def test_nobody_needs_to_listen() -> None:
    """The default auditor."""
    unaudited(NO)
