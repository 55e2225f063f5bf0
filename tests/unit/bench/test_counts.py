"""Each piece of work once, as small as can be, and what is made of a counter's words."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import pytest
import trio

from trio_argoagent.bench.counts import counters
from trio_argoagent.bench.counts.counters import Job, Valgrind, by_perf, by_valgrind, usable
from trio_argoagent.bench.counts.instructions import EACH, PIECES, QUESTION
from trio_argoagent.bench.figures import BY_VALGRIND, EXACT, INSTRUCTIONS
from trio_argoagent.bench.questions import QUICK
from trio_argoagent.bench.runner import answer
from trio_argoagent.errors import UserError

PACKAGE: Final = "trio_argoagent.bench.counts"


@pytest.mark.parametrize("case", PIECES)
def test_pieces(case: str) -> None:
    """Each can be done, any number of times that is asked for."""
    piece = PIECES[case]
    work = importlib.import_module(f"{PACKAGE}.{piece.module}").WORK[case]
    work(1)
    work(3)


def test_enough_is_prepared() -> None:
    """Where what is worked on is made before."""
    from trio_argoagent.bench.counts import reading

    piece = PIECES["object"]
    assert 2 * piece.count * max(each.times for each in counters.COUNTERS) <= reading.PREPARED
    assert set(reading.WORK) | {case for case in PIECES if case != "object"} == set(PIECES)


def test_units() -> None:
    """Counts are no matter of chance, and those of two counters are two things."""
    units = [counter.unit for counter in counters.COUNTERS]
    assert units == [INSTRUCTIONS, BY_VALGRIND]
    assert set(units) <= EXACT.keys()


PERF: Final = "# started on Sun Nov 22 00:26:46 2026\n\n"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"{PERF}89385030,,instructions:u,21000000,100.00,,\n", 89385030),
        (f"{PERF}89385030,,instructions:u,21000000,100.00,1.17,insn per cycle\n", 89385030),
        (f"{PERF}10,,cpu_core/instructions:u/,9,100.00,,\n5,,cpu_atom/instructions:u/,9,50.00,,\n", 15),
        (f"{PERF}<not counted>,,cpu_atom/instructions:u/,0,0.00,,\n7,,cpu_core/instructions:u/,9,99,,\n", 7),
        (f"{PERF}<not supported>,,instructions:u,0,100.00,,\n", "perf: instructions are not supported here"),
        (f"{PERF}<not counted>,,instructions:u,0,100.00,,\n", "perf: instructions are not counted here"),
        (PERF, "perf: instructions are no count here"),
        ("", "perf: instructions are no count here"),
    ],
)
def test_perf_says(text: str, count: int | str) -> None:
    """Lines with commas; a processor with two kinds of cores has two."""
    judge(by_perf, text, count)


VALGRIND: Final = "==7== Cachegrind, a cache and branch-prediction profiler\n==7== Command: python\n"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"{VALGRIND}==7== \n==7== I   refs:      4,868,730,363\n", 4868730363),
        (f"{VALGRIND}==7== \n==7== I refs:        12\n", 12),
        ("==7== Events    : Ir\n==7== Collected : 1030\n==7== \n==7== I   refs:      1,030\n", 1030),
        (VALGRIND, "valgrind: no count of instructions: ==7== Command: python"),
        ("", "valgrind: no count of instructions: it says nothing"),
    ],
)
def test_valgrind_says(text: str, count: int | str) -> None:
    """A line for people, in cachegrind's words or callgrind's."""
    judge(by_valgrind, text, count)


def judge(parse: Callable[[str], int], text: str, count: int | str) -> None:
    """It reads that count, or says that."""
    if isinstance(count, int):
        assert parse(text) == count
    else:
        with pytest.raises(UserError) as caught:
            parse(text)
        assert str(caught.value) == count


SAYS_PERF: Final = """
jobs = json.loads(sys.argv[-1]) if "-m" in sys.argv else []
count = sum(100 + 7 * times for _, _, times in jobs)
open(sys.argv[sys.argv.index("-o") + 1], "w").write(f"{count},,instructions:u,1,100.00,,\\n")
"""
UNABLE: Final = """
open(sys.argv[sys.argv.index("-o") + 1], "w").write("<not supported>,,instructions:u,0,100.00,,\\n")
"""
FORBIDDEN: Final = """
sys.exit("No permission to enable instructions:u event.")
"""
SAYS_VALGRIND: Final = """
(log,) = [each.partition("=")[2] for each in sys.argv if each.startswith("--log-file=")]
jobs = json.loads(sys.argv[-1])
for pid, (_, _, times) in enumerate(jobs):
    open(log.replace("%p", str(pid)), "w").write(f"=={pid}== I   refs:      {100 + 3 * times:,}\\n")
print(json.dumps([*range(len(jobs))]))
"""
SAYS_NOTHING: Final = """
print([1])
(log,) = [each.partition("=")[2] for each in sys.argv if each.startswith("--log-file=")]
open(log.replace("%p", "1"), "w").write("==1== Command: x\\n")
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, **tools: str) -> None:
    """These tools are all that there is."""
    for name, text in tools.items():
        file = folder / name
        file.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{text}")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("tools", "unit", "each"),
    [
        ({"perf": SAYS_PERF, "valgrind": SAYS_VALGRIND}, INSTRUCTIONS, 7.0),
        ({"perf": UNABLE, "valgrind": SAYS_VALGRIND}, BY_VALGRIND, 3.0),
        ({"perf": FORBIDDEN, "valgrind": SAYS_VALGRIND}, BY_VALGRIND, 3.0),
        ({"valgrind": SAYS_VALGRIND}, BY_VALGRIND, 3.0),
    ],
)
async def test_what_begins_cancels(
    tools: dict[str, str], unit: str, each: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best counter that works here is taken; a figure is what one more of a piece takes."""
    install(tmp_path, monkeypatch, **tools)
    small = attrs.evolve(QUESTION, quick_cases=("message", "object"))
    found = await answer(small, QUICK, lambda text: None)
    figures = [(row.case, name, f.unit, f.values) for row in found.rows for name, f in row.figures.items()]
    assert figures == [("message", EACH, unit, (each,)), ("object", EACH, unit, (each,))]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ({}, "nothing here counts instructions: perf is not installed; valgrind is not installed"),
        ({"perf": UNABLE}, "perf: instructions are not supported here; valgrind is not installed"),
        ({"perf": FORBIDDEN}, "perf: ended with code 1: No permission to enable instructions:u event."),
        ({"valgrind": FORBIDDEN}, "valgrind: ended with code 1: No permission"),
        ({"valgrind": SAYS_NOTHING}, "valgrind: no count of instructions: ==1== Command: x"),
    ],
)
async def test_no_counter(
    tools: dict[str, str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing, or fails, is told in one line."""
    install(tmp_path, monkeypatch, **tools)
    with pytest.raises(UserError) as caught:
        await answer(QUESTION, QUICK, lambda text: None)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


HANGS: Final = """
import socket
held = socket.create_connection(("127.0.0.1", PORT))
held.sendall(b"x") if os.fork() else None
time.sleep(60)
"""
"""It has a child, which holds what it holds."""


@pytest.mark.processes
async def test_a_cancelled_count_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the counter nor what it has started: the connection of both comes to its end."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    install(tmp_path, monkeypatch, valgrind=HANGS.replace("PORT", str(port)))
    with trio.fail_after(30):
        async with listener, trio.open_nursery() as nursery:
            nursery.start_soon(Valgrind().count, [])
            held = await listener.accept()
            assert await held.receive_some() == b"x"
            nursery.cancel_scope.cancel()
        async with held:
            assert await held.receive_some() == b""


OFFERED: Final = """
from itertools import repeat
def steps(count):
    for _ in repeat(None, 100 * count):
        len(())
def fail(count):
    raise ValueError("it does not work")
WORK = {"steps": steps, "fails": fail}
"""


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with work that costs as much each time, and work that fails."""
    (tmp_path / "offered.py").write_text(OFFERED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    return "offered"


@pytest.mark.processes
async def test_a_job_that_fails(offered: str) -> None:
    """It is told of by its last word."""
    with pytest.raises(UserError, match=r"ended with code 1: ValueError: it does not work$"):
        await counters._run(counters._worker([(offered, "fails", 1)]))


@pytest.mark.processes
async def test_counted(offered: str) -> None:
    """With the counter that is here: twice as much of it takes twice as much, each time the same."""
    try:
        counter = await usable()
    except UserError as exc:
        pytest.skip(str(exc))
    n = 1000 * counter.times
    jobs: list[Job] = [(offered, "steps", times * n) for times in (1, 2, 4, 1)]
    one, two, four, again = await counter.count(jobs)
    assert two - one > 100 * n  # At least an instruction a step.
    assert four - two == pytest.approx(2 * (two - one), rel=0.01)
    assert again - one == pytest.approx(0, abs=0.01 * (two - one))
