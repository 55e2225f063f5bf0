"""The nursery tree of a running program, as text: which task holds which, and where each of them waits.

Structured concurrency makes this picture complete: there is no task that is not somebody's child, so a tree
that begins at a program's task shows all that the program does.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Generator, Iterator
from types import FrameType
from typing import Final

import attrs
import trio

PACKAGE: Final = "trio_argoagent"
MAX_CHILDREN: Final = 200
"""Tasks of one nursery that are looked at, in the order of their names; how many more there are is said."""
MAX_TASKS: Final = 5_000
"""Of a whole tree; likewise."""
PLACES: Final = 2
"""Functions that say where a task waits: the innermost of ours alone is often one that everybody calls."""


@attrs.frozen(order=True, cache_hash=True)
class Branch:
    """A task, or a nursery that its parent has opened further in.

    Attributes:
        label: of a task, what it is called; of a nursery, ``in`` and the function that has opened it.
        place: where the task waits, as ``function:line``; empty: not asked for, or nowhere in our own code.
        branches: what it holds, by label.
        more: tasks that it holds beside these.
    """

    label: str
    place: str = ""
    branches: tuple[Branch, ...] = ()
    more: int = 0


def grow(task: trio.lowlevel.Task, *, places: bool = False) -> Branch:
    """What a task holds at this moment, within the bounds above.

    Args:
        task: where to begin; ``trio.lowlevel.current_root_task()`` holds everything.
        places: say where each task waits.
    """
    growing = _Growth(places).grow(task)
    while True:
        try:
            next(growing)
        except StopIteration as ended:
            found: Branch = ended.value
            return found


def draw(branch: Branch) -> str:
    """The tree as lines, equal neighbours counted instead of repeated; without a line break at its end."""
    return "\n".join(_lines(branch, "", ""))


def picture(task: trio.lowlevel.Task, *, places: bool = False) -> Iterator[str]:
    """What a task holds, drawn bit by bit: between two pieces others may work, and tasks may come and go.

    Args:
        task: see ``grow``.
        places: likewise.

    Yields:
        Lines with their ends, or nothing yet.
    """
    branch = yield from _Growth(places).grow(task)
    for line in _lines(branch, "", ""):
        yield line + "\n"


class _Growth:
    """Looks at tasks, at ``MAX_TASKS`` of them."""

    def __init__(self, places: bool) -> None:
        self._places, self._left = places, MAX_TASKS

    def grow(self, task: trio.lowlevel.Task) -> Generator[str, None, Branch]:
        """The branch of a task; yields after each that it has looked at."""
        self._left -= 1
        label, nurseries, place = shown(task.name), task.child_nurseries, _place(task) if self._places else ""
        # Only of tasks that hold others: on Python 3.11 looking at a frame's variables keeps them alive.
        openers = _openers(task) if nurseries else {}
        yield ""
        inner: tuple[Branch, ...] = ()
        more = 0
        for nursery in reversed(nurseries):
            children = nursery.child_tasks
            found = yield from self._some(children)
            more, inside = len(children) - len(found), tuple(sorted((*found, *inner)))
            opener = openers.get(id(nursery), "")
            if nursery is nurseries[0] and opener in ("", label):
                inner = inside
            else:
                inner, more = (Branch(f"in {opener or 'a context'}", "", inside, more),), 0
        return Branch(label, place, inner, more)

    def _some(self, tasks: frozenset[trio.lowlevel.Task]) -> Generator[str, None, list[Branch]]:
        found = []
        for task in heapq.nsmallest(MAX_CHILDREN, tasks, key=_name):
            if self._left > 0:
                found.append((yield from self.grow(task)))
        return found


def _name(task: trio.lowlevel.Task) -> str:
    return task.name


def shown(name: str) -> str:
    """A task's name for people: of our own functions the class, or the module, and the name.

    A name that was given with ``name=`` stays as it is.
    """
    if not name.startswith(f"{PACKAGE}."):
        return name
    parts = [part.strip("_") for part in name.split(".") if part != "<locals>"]
    return ".".join(parts[-2:])


def _openers(task: trio.lowlevel.Task) -> dict[int, str]:
    """By nursery the outermost function that has it in a variable: inner ones were given it."""
    found: dict[int, str] = {}
    for frame, _ in task.iter_await_frames():
        for value in frame.f_locals.values():
            if isinstance(value, trio.Nursery):
                found.setdefault(id(value), _function(frame))
    return found


def _place(task: trio.lowlevel.Task) -> str:
    ours = [each for each in task.iter_await_frames() if _module(each[0]).startswith(f"{PACKAGE}.")]
    return " > ".join(f"{_function(frame)}:{line}" for frame, line in ours[-PLACES:])


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _function(frame: FrameType) -> str:
    return shown(f"{_module(frame)}.{frame.f_code.co_qualname}")


def _lines(branch: Branch, head: str, below: str) -> Iterator[str]:
    yield f"{head}{branch.label}" + (f"  ({branch.place})" if branch.place else "")
    rows = [
        (attrs.evolve(each, label=f"{count} x {each.label}") if count > 1 else each)
        for each, count in Counter(branch.branches).items()
    ]
    if branch.more:
        rows.append(Branch(f"{branch.more} more"))
    for number, row in enumerate(rows, 1):
        last = number == len(rows)
        yield from _lines(row, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))
