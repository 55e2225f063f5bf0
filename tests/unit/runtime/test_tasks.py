"""A nursery tree as text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio
import trio.testing

from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.workers import Workers
from trio_argoagent.runtime import tasks
from trio_argoagent.runtime.tasks import MAX_CHILDREN, Branch, draw, grow, picture, shown


async def _outer(ready: trio.Event) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever, name="first")
        await _inner(nursery, ready)


async def _inner(handed_down: trio.Nursery, ready: trio.Event) -> None:
    handed_down.start_soon(trio.sleep_forever, name="second")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Bell().wait, name="waiting")
        nursery.start_soon(Bell().wait, name="waiting")
        ready.set()
        await trio.sleep_forever()


async def _trees() -> tuple[Branch, Branch]:
    """The tree of ``_outer``, without and with places."""
    ready = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_outer, ready, name="program")
        await ready.wait()
        await trio.testing.wait_all_tasks_blocked()
        (task,) = nursery.child_tasks
        found = grow(task), grow(task, places=True)
        nursery.cancel_scope.cancel()
    return found


async def test_nurseries_stand_in_each_other() -> None:
    """A nursery is called as the function that has opened it, not as one that it was handed down to."""
    bare, _ = await _trees()
    name = f"{__name__}._outer"
    assert draw(bare).splitlines() == [
        "program",
        f"└─ in {name}",
        "   ├─ first",
        f"   ├─ in {__name__}._inner",
        "   │  └─ 2 x waiting",
        "   └─ second",
    ]


async def test_where_each_task_waits() -> None:
    """Only of our own code, whoever calls it."""
    _, placed = await _trees()
    waiting = [line for line in draw(placed).splitlines() if "waiting" in line]
    assert len(waiting) == 1
    assert "2 x waiting  (Bell.wait:" in waiting[0]


async def test_a_nursery_of_the_tasks_own_function_is_the_task() -> None:
    """It is drawn once."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Workers({}, listed=frozenset()).run)
        await trio.testing.wait_all_tasks_blocked()
        (task,) = nursery.child_tasks
        assert task.child_nurseries
        assert draw(grow(task)) == "Workers.run"
        nursery.cancel_scope.cancel()


def test_names_for_people() -> None:
    """The class, or the module, and the function; what was given as a name stays."""
    assert shown("trio_argoagent.replication.session.Session._write") == "Session.write"
    assert shown("trio_argoagent.cli.running._until_signalled.<locals>.watch_signals") == (
        "until_signalled.watch_signals"
    )
    assert shown("trio_argoagent.net.http2_keeper.keep") == "http2_keeper.keep"
    assert shown("informer secrets") == "informer secrets"


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The tasks that are looked into, by name."""
    looked: list[str] = []
    plain = tasks._place

    def place(task: trio.lowlevel.Task) -> str:
        looked.append(task.name)
        return plain(task)

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_place", place)
        yield looked


async def crowd(rows: int, columns: int, ready: trio.Event) -> None:
    """Tasks that hold tasks."""
    async with trio.open_nursery() as nursery:
        for row in range(rows):
            nursery.start_soon(hold, columns, name=f"agent {row:05}")
        await trio.testing.wait_all_tasks_blocked()
        ready.set()


async def hold(children: int) -> None:
    """Such a one."""
    async with trio.open_nursery() as nursery:
        for _ in range(children):
            nursery.start_soon(trio.sleep_forever, name="child")
        await trio.sleep_forever()


async def grown(monkeypatch: pytest.MonkeyPatch, rows: int, columns: int) -> tuple[list[str], list[str]]:
    """The lines of a crowd's tree, and the tasks that were looked into for it."""
    ready = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crowd, rows, columns, ready, name="crowd")
        await ready.wait()
        (task,) = nursery.child_tasks
        with counted(monkeypatch) as looked:
            lines = "".join(picture(task, places=True)).splitlines()
        nursery.cancel_scope.cancel()
    return lines, looked


async def test_a_crowd_is_cut_off_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A principal with ten thousand agents still answers: the first are looked into, the others counted."""
    lines, looked = await grown(monkeypatch, MAX_CHILDREN + 300, 1)
    assert looked[1::2] == [f"agent {number:05}" for number in range(MAX_CHILDREN)]
    assert lines[-1].endswith("└─ 300 more") and "agent 00199" in lines[-4]
    assert sum("agent" in line for line in lines) == MAX_CHILDREN


async def test_crowds_of_crowds_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """However they stand in each other, there is a bound for all; each place says what it has left out."""
    monkeypatch.setattr(tasks, "MAX_TASKS", 100)
    lines, looked = await grown(monkeypatch, 30, 40)
    assert len(looked) == 100
    # The crowd itself, two agents with all of theirs, and a third one with the rest.
    assert [line.rpartition("─ ")[2].partition("  (")[0] for line in lines if " x " in line] == [
        "40 x child",
        "40 x child",
        "16 x child",
    ]
    assert [line.lstrip("│ ") for line in lines if line.endswith("more")] == ["└─ 24 more", "└─ 27 more"]


async def test_tasks_may_go_while_they_are_looked_at() -> None:
    """It is drawn bit by bit."""
    ready = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crowd, 3, 2, ready, name="crowd")
        await ready.wait()
        (task,) = nursery.child_tasks
        pieces = picture(task, places=True)
        begun = [next(pieces), next(pieces)]
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.testing.wait_all_tasks_blocked()
        assert begun == ["", ""] and "".join(pieces).startswith("crowd")


def test_equal_neighbours_are_counted_once() -> None:
    """A tree is hashed as a whole once, however deep its parts are in it."""
    deep = Branch("leaf")
    for number in range(200):
        deep = Branch(f"{number}", "", (deep, deep))
    assert draw(deep).splitlines()[-1].endswith("2 x leaf")
