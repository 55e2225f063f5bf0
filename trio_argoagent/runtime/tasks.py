"""The nursery tree of a running program, as text: which task holds which, and where each of them waits.

Structured concurrency makes this picture complete: there is no task that is not somebody's child, so a tree
that begins at a program's task shows all that the program does.
"""

from __future__ import annotations

from collections import Counter
from types import FrameType
from typing import Final

import attrs
import trio

PACKAGE: Final = "trio_argoagent"
MAX_CHILDREN: Final = 200
"""Branches that are shown of one nursery; how many more there are is said."""
PLACES: Final = 2
"""Functions that say where a task waits: the innermost of ours alone is often one that everybody calls."""


@attrs.frozen(order=True)
class Branch:
    """A task, or a nursery that its parent has opened further in.

    Attributes:
        label: of a task, what it is called; of a nursery, ``in`` and the function that has opened it.
        place: where the task waits, as ``function:line``; empty: not asked for, or nowhere in our own code.
        branches: what it holds, by label.
    """

    label: str
    place: str = ""
    branches: tuple[Branch, ...] = ()


def grow(task: trio.lowlevel.Task, *, places: bool = False) -> Branch:
    """What a task holds at this moment.

    Args:
        task: where to begin; ``trio.lowlevel.current_root_task()`` holds everything.
        places: say where each task waits.
    """
    label, nurseries = shown(task.name), task.child_nurseries
    # Only of tasks that hold others: on Python 3.11 looking at a frame's variables keeps them alive with it.
    openers = _openers(task) if nurseries else {}
    inner: tuple[Branch, ...] = ()
    for nursery in reversed(nurseries):
        inside = sorted((*(grow(child, places=places) for child in nursery.child_tasks), *inner))
        opener = openers.get(id(nursery), "")
        if nursery is nurseries[0] and opener in ("", label):
            inner = tuple(inside)
        else:
            inner = (Branch(f"in {opener or 'a context'}", "", tuple(inside)),)
    return Branch(label, _place(task) if places else "", inner)


def draw(branch: Branch) -> str:
    """The tree as lines, equal neighbours counted instead of repeated; without a line break at its end."""
    return "\n".join(_lines(branch, "", ""))


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


def _lines(branch: Branch, head: str, below: str) -> list[str]:
    lines = [f"{head}{branch.label}" + (f"  ({branch.place})" if branch.place else "")]
    counted = list(Counter(branch.branches).items())
    more = sum(count for _, count in counted[MAX_CHILDREN:])
    rows = [
        (attrs.evolve(each, label=f"{count} x {each.label}") if count > 1 else each)
        for each, count in counted[:MAX_CHILDREN]
    ]
    if more:
        rows.append(Branch(f"{more} more"))
    for number, row in enumerate(rows, 1):
        last = number == len(rows)
        lines += _lines(row, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))
    return lines
