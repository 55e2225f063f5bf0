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
from trio_argoagent.testing.chaos import HUB
from trio_argoagent.testing.discretion import masked
from trio_argoagent.testing.fleet import CONTROLLER
from trio_argoagent.testing.trial import Moment

LENGTH: Final = 40
"""Lines that are shown."""
MAX_CHANGES: Final = 3
"""Fields that a line names; the number of the others follows."""
MAX_VALUE: Final = 32
"""Characters of a value that are shown."""
WHERE: Final = 8
WHO: Final = 22
"""Characters of the columns."""
MOMENT: Final = 0.0006
"""Seconds by which a time that was rounded may be early."""
_TIMED: Final = re.compile(r"(\d+\.\d+) s: (.*)")
_WORD: Final = re.compile(r"[A-Za-z0-9.-]+")
_VERBS: Final = {Verb.CREATE: "creates", Verb.UPDATE: "patches", Verb.DELETE: "removes"}
_NOISE: Final = (
    "resourceVersion", "generation", "managedFields", "uid", "creationTimestamp",
    "deletionGracePeriodSeconds", "deletionTimestamp",
)  # fmt: skip
"""Metadata of the API server's own; that an object is deleted says the verb."""
_DOMAIN: Final = ".argocd.argoproj.io"


class Rank(enum.IntEnum):
    """How much a line says about a violation."""

    USUAL_WRITE = 0
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
        agent: whose objects, link or program it is; on the hub the namespace, agent's or not.
        name: of the object that was written; else empty.
    """

    at: float
    where: str
    who: str
    what: str
    rank: Rank
    agent: str = ""
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
    if moment.entry is not None:
        return _write(moment, moment.entry)
    rank, text = _RANKS[moment.what], " ".join(moment.text.split())
    if rank is Rank.VIOLATION:
        # Some are found at a write and told in the end: the time in their text is when they happened.
        found = _TIMED.fullmatch(text)
        at, text = (float(found[1]), found[2]) if found is not None else (moment.at, text)
        return Line(at, "", "violation", text, rank)
    who = "users" if rank is Rank.ACTION else "trouble"
    where = moment.cluster.partition("/")[0]
    return Line(moment.at, where, who, f"{text} ends" if moment.what == "trouble-ends" else text, rank, where)


def _write(moment: Moment, entry: LogEntry) -> Line:
    key = f"{entry.namespace}/{entry.name}" if entry.namespace else entry.name
    verb, changes = _verb(entry), _changes(entry)
    what = f"{verb} {entry.resource.kind} {key}"
    if changes:
        more = f" and {len(changes) - MAX_CHANGES} more" if len(changes) > MAX_CHANGES else ""
        what += ": " + ", ".join(changes[:MAX_CHANGES]) + more
    usual = entry.actor == "installer" or (entry.actor == CONTROLLER and verb == "patches")
    rank = Rank.USUAL_WRITE if usual else Rank.WRITE
    agent = entry.namespace if moment.cluster == HUB else moment.cluster
    return Line(moment.at, moment.cluster, entry.actor, what, rank, agent, entry.name)


def _verb(entry: LogEntry) -> str:
    old, new = entry.old, entry.new
    if new is not None and new.deleting and not (old is not None and old.deleting):
        return "deletes"
    return _VERBS[entry.verb]


def _changes(entry: LogEntry) -> list[str]:
    """The fields that an update has changed, and from what to what where that is short."""
    if entry.old is None or entry.new is None:
        return []
    return list(_differing(masked(entry.old.value), masked(entry.new.value), ()))


def _differing(old: Mapping[str, Any], new: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key in sorted({**old, **new}):
        before, after = old.get(key), new.get(key)
        if before == after or (path == ("metadata",) and key in _NOISE):
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping) and len(path) < 3:
            yield from _differing(before, after, (*path, key))
        elif key == names.MARKER:
            yield "the marker"
        elif _is_short(before) and _is_short(after):
            yield f"{_path((*path, key))} {_value(before)} -> {_value(after)}"
        else:
            yield _path((*path, key))


def _path(path: tuple[str, ...]) -> str:
    return ".".join(path[1:] if path[0] == "metadata" else path)


def _is_short(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, str) for each in value)
    return not isinstance(value, Mapping)


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    text = str(value).replace(_DOMAIN, "")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 3] + "..."


def select(moments: Iterable[Moment], *, whole: bool = False, length: int = LENGTH) -> list[str]:
    """The lines that lead to the first violation; the objects and agents that it names are followed.

    Args:
        moments: everything that happened.
        whole: show what users did, too; else only the writes that came of it.
        length: of the result, at most; a line of its own says how many earlier ones were left out.
    """
    lines = sorted(map(line, moments), key=lambda each: each.at)
    first = next((each for each in lines if each.rank is Rank.VIOLATION), None)
    if first is not None:
        # What is found at a write is found within its commit: that write is listed before it.
        lines = [each for each in lines if each.at <= first.at + MOMENT and each.rank is not Rank.VIOLATION]
    followed = _Followed.of(first.what if first is not None else "", lines)
    least = Rank.ACTION if whole else Rank.WRITE
    shown = list(_joined([each for each in lines if each.rank >= least and followed.takes(each)]))
    if len(shown) > length:
        left = len(shown) - length
        shown = [f"{'...':>9}  {left} earlier lines", *shown[left:]]
    return shown if first is None else [*shown, str(first)]


@attrs.frozen
class _Followed:
    """The objects and agents that a text names; it names none: all."""

    agents: frozenset[str]
    left_out: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, text: str, lines: Sequence[Line]) -> _Followed:
        words = frozenset(_WORD.findall(text))
        agents = frozenset(each.where for each in lines if each.name and each.where != HUB)
        named = agents & words
        return cls(named, agents - named, frozenset(each.name for each in lines) & words)

    def takes(self, each: Line) -> bool:
        if self.agents and each.agent in self.left_out:
            return False
        return not each.name or not self.names or each.name in self.names


def _joined(lines: Sequence[Line]) -> Iterator[str]:
    """Lines that say the same one after the other are one line."""
    at = 0
    while at < len(lines):
        first, end = lines[at], at + 1
        while end < len(lines) and attrs.evolve(lines[end], at=first.at) == first:
            end += 1
        yield f"{first} (x{end - at})" if end - at > 1 else str(first)
        at = end


def when(violation: str) -> float:
    """The virtual seconds at which a violation happened, as its text says; infinity: it does not say."""
    found = _TIMED.fullmatch(violation)
    return float(found[1]) if found is not None else float("inf")
