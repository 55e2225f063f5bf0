"""What led to a violation, one line each, for people.

A run writes thousands of lines; a person reads forty. Kept are those of the object that the violation names,
on all clusters, and the troubles, up to the moment of the first violation; of too many, the last ones. What
the application-controller patches is left out: it is seldom the culprit and always the majority.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.apiserver.core.values import LogEntry, Verb
from trio_argoagent.sync import names
from trio_argoagent.testing.fleet import CONTROLLER
from trio_argoagent.testing.trial import Moment

LENGTH: Final = 40
"""Lines that are shown."""
MAX_CHANGES: Final = 4
"""Fields that a line names; the number of the others follows."""
MAX_VALUE: Final = 24
"""Characters of a value that are shown."""
WHERE: Final = 8
WHO: Final = 22
"""Characters of the columns."""
_WORD: Final = re.compile(r"[A-Za-z0-9.-]+")
_VERBS: Final = {Verb.CREATE: "creates", Verb.UPDATE: "patches", Verb.DELETE: "removes"}
_NOISE: Final = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp")


class Rank(enum.IntEnum):
    """How much a line says about a violation."""

    WRITE_OF_ARGOCD = 0
    ACTION = 1
    WRITE = 2
    TROUBLE = 3
    VIOLATION = 4


@attrs.frozen
class Line:
    """One thing that happened.

    Attributes:
        at: virtual seconds from the start.
        where: the cluster, or the link or program that a trouble befell.
        who: did it.
        what: was done, in words.
        rank: how much it says.
        name: of the object that was written; else empty.
    """

    at: float
    where: str
    who: str
    what: str
    rank: Rank
    name: str = ""

    def __str__(self) -> str:
        return f"{self.at:9.3f}  {self.where:<{WHERE}}  {self.who:<{WHO}}  {self.what}"


_RANKS: Final = {
    "action": Rank.ACTION,
    "trouble": Rank.TROUBLE,
    "trouble-ends": Rank.TROUBLE,
    "violation": Rank.VIOLATION,
}


def line(moment: Moment) -> Line:
    """A moment as one line."""
    entry = moment.entry
    if entry is None:
        text = " ".join(moment.text.split())
        return Line(moment.at, moment.cluster, moment.actor, text, _RANKS[moment.what])
    key = f"{entry.namespace}/{entry.name}" if entry.namespace else entry.name
    changes = _changes(entry)
    what = f"{_verb(entry)} {entry.resource.kind} {key}"
    if changes:
        more = f" and {len(changes) - MAX_CHANGES} more" if len(changes) > MAX_CHANGES else ""
        what += ": " + ", ".join(changes[:MAX_CHANGES]) + more
    usual = entry.actor == CONTROLLER and _verb(entry) == "patches"
    rank = Rank.WRITE_OF_ARGOCD if usual else Rank.WRITE
    return Line(moment.at, moment.cluster, entry.actor, what, rank, entry.name)


def _verb(entry: LogEntry) -> str:
    old, new = entry.old, entry.new
    if new is not None and new.deleting and not (old is not None and old.deleting):
        return "deletes"
    return _VERBS[entry.verb]


def _changes(entry: LogEntry) -> list[str]:
    """The fields that an update has changed, and from what to what where that is short."""
    if entry.old is None or entry.new is None:
        return []
    return list(_differing(entry.old.value, entry.new.value, ()))


def _differing(old: Mapping[str, Any], new: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key in sorted({**old, **new}):
        before, after = old.get(key), new.get(key)
        if before == after or (path == ("metadata",) and key in _NOISE):
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping) and len(path) < 3:
            yield from _differing(before, after, (*path, key))
        elif key == names.MARKER:
            yield "the marker"
        else:
            yield f"{_path((*path, key))} {_value(before)} -> {_value(after)}"


def _path(path: tuple[str, ...]) -> str:
    return ".".join(path[1:] if path[0] == "metadata" else path)


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"{{{len(value)}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_value, value)) + "]"
    text = str(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 3] + "..."


def select(lines: Iterable[Line], violation: str, *, whole: bool = False, length: int = LENGTH) -> list[str]:
    """The lines that lead to a violation.

    Args:
        lines: everything, in the order in which it happened.
        violation: its text: objects are known by their names in it.
        whole: show what users did, too; else only the writes that came of it.
        length: of the result, at most; a line of its own says how many earlier ones were left out.
    """
    found = list(_until_first(lines))
    words = frozenset(_WORD.findall(violation))
    named = frozenset(each.name for each in found if each.name in words)
    least = Rank.ACTION if whole else Rank.WRITE
    kept = [
        each for each in found if each.rank >= least and (not each.name or not named or each.name in named)
    ]
    shown = list(_joined(kept))
    if len(shown) > length:
        left = len(shown) - length
        shown = [f"{'...':>9}  {left} earlier lines", *shown[left:]]
    return shown


def _until_first(lines: Iterable[Line]) -> Iterator[Line]:
    """What happened up to the first violation, with all that were found at that moment."""
    end = float("inf")
    for each in lines:
        if each.at > end:
            return
        if each.rank is Rank.VIOLATION:
            end = each.at
        yield each


def _joined(lines: Sequence[Line]) -> Iterator[str]:
    """Lines that say the same one after the other are one line."""
    at = 0
    while at < len(lines):
        first, end = lines[at], at + 1
        while end < len(lines) and attrs.evolve(lines[end], at=first.at) == first:
            end += 1
        yield f"{first} (x{end - at})" if end - at > 1 else str(first)
        at = end
