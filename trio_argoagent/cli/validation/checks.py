"""A check: what it needs to know, and what it finds. No I/O here."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import attrs

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource


class Level(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, but will not for long, or not as somebody may expect."""
    FAIL = "fail"
    """It does not work."""


class Side(enum.StrEnum):
    """Which of the two clusters."""

    HUB = "hub"
    SPOKE = "spoke"


@attrs.frozen
class Query:
    """What is to be read of a cluster.

    Attributes:
        side: which cluster.
        resource: which collection.
        name: of one object; empty: all of them.
        selector: of those that count, by their labels.
        everywhere: in all namespaces, or (by name) of the cluster; else in Argo CD's.
        named_by: the parameter of the program (a key of ``argocd-agent-params``) that gives it another name.
        filed_by: the parameter that names a file instead of it.
    """

    side: Side
    resource: Resource
    name: str = ""
    selector: str = ""
    everywhere: bool = False
    named_by: str = ""
    filed_by: str = ""


@attrs.frozen
class Unread:
    """It could not be read, and why."""

    why: str


@attrs.frozen
class Sight:
    """All that was read.

    Attributes:
        now: wall time, Unix seconds.
        namespaces: Argo CD's, on each side.
        found: by query.
        names: the objects that are called otherwise than usual.
        files: what is read from a file instead.
    """

    now: float
    namespaces: Mapping[Side, str]
    found: Mapping[Query, Sequence[Object] | Unread]
    names: Mapping[Query, str] = attrs.field(factory=dict)
    files: Mapping[Query, str] = attrs.field(factory=dict)

    def all(self, query: Query) -> Sequence[Object]:
        """What this query has found; nothing where it could not be read: then no check runs that needs it."""
        found = self.found.get(query, ())
        return () if isinstance(found, Unread) else found

    def one(self, query: Query) -> Object | None:
        """The one object that it is about, if there is one."""
        return next(iter(self.all(query)), None)

    def where(self, query: Query) -> str:
        """The object that it is about, for people."""
        return f"{query.resource.kind} {self.namespaces[query.side]}/{self.names.get(query, query.name)}"


@attrs.frozen
class Finding:
    """Something that is wrong, or worth knowing: one line, with what to do."""

    level: Level
    text: str


@attrs.frozen
class Check:
    """One row of a table.

    Attributes:
        name: what is right when nothing is found.
        needs: without these it cannot be judged.
        look: what is found; nothing: all is well.
    """

    name: str
    needs: tuple[Query, ...]
    look: Callable[[Sight], Iterable[Finding]]


@attrs.frozen
class Result:
    """What one check has found; a line for people."""

    check: str
    level: Level
    text: str = ""


_WIDTH: Final = max(map(len, Level))


def ok(text: str) -> Finding:
    """Worth knowing, and well."""
    return Finding(Level.OK, text)


def warn(text: str) -> Finding:
    """See ``Level.WARN``."""
    return Finding(Level.WARN, text)


def fail(text: str) -> Finding:
    """See ``Level.FAIL``."""
    return Finding(Level.FAIL, text)


def queries(checks: Iterable[Check]) -> Sequence[Query]:
    """What is to be read for these, each once, in their order."""
    return list(dict.fromkeys(query for check in checks for query in check.needs))


def judge(checks: Iterable[Check], sight: Sight) -> Sequence[Result]:
    """What all of them find. One that cannot be judged says why: a warning, unless a file is the reason."""
    return [result for check in checks for result in _judged(check, sight)]


def _judged(check: Check, sight: Sight) -> Sequence[Result]:
    for query in check.needs:
        if query in sight.files:
            text = f"not looked at: instead of {sight.where(query)} there is a file, {sight.files[query]}"
            return [Result(check.name, Level.OK, text)]
        unread = sight.found.get(query, Unread("not asked for"))
        if isinstance(unread, Unread):
            what = sight.where(query) if query.name else f"{query.resource.plural} of the {query.side}"
            return [Result(check.name, Level.WARN, f"not looked at: {what} cannot be read: {unread.why}")]
    found = [Result(check.name, each.level, each.text) for each in check.look(sight)]
    return found or [Result(check.name, Level.OK)]


def failed(results: Iterable[Result]) -> bool:
    """Does anything not work?"""
    return any(result.level is Level.FAIL for result in results)


def as_text(results: Sequence[Result]) -> str:
    """A line each, and a count."""
    lines = [
        f"{each.level:<{_WIDTH}}  {each.check}{': ' + each.text if each.text else ''}" for each in results
    ]
    counts = {level: sum(each.level is level for each in results) for level in Level}
    return "\n".join([*lines, ", ".join(f"{count} {level}" for level, count in counts.items())])


def as_document(results: Iterable[Result]) -> list[dict[str, str]]:
    """The same as plain values."""
    return [{"check": each.check, "level": str(each.level), "text": each.text} for each in results]
