"""A nursery tree as text."""

from __future__ import annotations

import trio
import trio.testing

from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.workers import Workers
from trio_argoagent.runtime.tasks import MAX_CHILDREN, Branch, draw, grow, shown


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


def test_a_crowd_is_cut_off_in_sight() -> None:
    """A principal with ten thousand agents still answers."""
    crowd = Branch("crowd", "", tuple(Branch(f"agent {number:05}") for number in range(MAX_CHILDREN + 5)))
    lines = draw(crowd).splitlines()
    assert len(lines) == MAX_CHILDREN + 2
    assert lines[-1] == "└─ 5 more"
