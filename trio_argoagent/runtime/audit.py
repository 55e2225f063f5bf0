"""The audit log: a line of JSON for each security decision, however often somebody provokes it.

The same ruling again within ``WINDOW`` is counted, and told with its number when the window ends. What
differs in each ruling (names that somebody makes up) is bounded by ``SHARE``: beyond it only the number is
told. So the ``count`` of all lines with one decision is always the number of those decisions, and nobody can
fill the disk, nor hide what was decided about one agent behind what was decided about another.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Protocol

import attrs
import trio

from trio_argoagent.errors import UserError
from trio_argoagent.model.rulings import Decision, Ruling
from trio_argoagent.replication.bell import Bell
from trio_argoagent.runtime import logs
from trio_argoagent.runtime.logfile import Appending, Unfailing

WINDOW: Final = 60.0
"""Seconds for which the same ruling is counted instead of written."""
SHARE: Final = 64
"""Different rulings with one decision about one agent (or about strangers, together) within ``WINDOW``."""
MOST: Final = 16_384
"""Different rulings remembered at once, of all agents: some 8 MiB."""
LONGEST: Final = 512
"""Characters of one field; what is longer is cut."""
VARIOUS: Final = "various"
"""What was asked for, of rulings that are only counted."""
TOO_MANY: Final = f"more than {SHARE} different ones a minute: counted, not listed"


@attrs.frozen
class Line:
    """What is written: this ruling was made so many times (since it was written last)."""

    ruling: Ruling
    count: int

    def fields(self) -> dict[str, object]:
        """In the order of docs/audit.md; nothing in it can begin a line or steer a terminal."""
        values = attrs.asdict(self.ruling) | {"count": self.count}
        return {name: _plain(value) if isinstance(value, str) else value for name, value in values.items()}


def _plain(text: str) -> str:
    cut = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


@attrs.define
class _Open:
    """A ruling whose window has not ended; how often it was made since its line."""

    until: float
    again: int = 0


class Ledger:
    """What to write, and when; decisions only. ``now`` is monotonic seconds."""

    def __init__(self) -> None:
        self._open: dict[Ruling, _Open] = {}  # In the order of their ends: all windows are equally long.
        self._shares: dict[tuple[Decision, str], int] = {}

    def note(self, ruling: Ruling, now: float) -> list[Line]:
        """A ruling was made: what is to be written at once."""
        lines = self.expire(now)
        ruling = self._known_as(ruling)
        key = _key(ruling)
        if key in self._open:
            self._open[key].again += 1
            return lines
        self._open[key] = _Open(now + WINDOW)
        share = (ruling.decision, ruling.agent)
        self._shares[share] = self._shares.get(share, 0) + 1
        return [*lines, Line(ruling, 1)]

    def _known_as(self, ruling: Ruling) -> Ruling:
        """The ruling, or what it is counted as where there are too many different ones."""
        if _key(ruling) in self._open:
            return ruling
        if len(self._open) >= MOST:
            return Ruling(ruling.decision, VARIOUS, TOO_MANY)
        if self._shares.get((ruling.decision, ruling.agent), 0) >= SHARE:
            return Ruling(ruling.decision, VARIOUS, TOO_MANY, ruling.agent)
        return ruling

    def expire(self, now: float) -> list[Line]:
        """The windows that have ended: what is to be written of them."""
        lines: list[Line] = []
        while (deadline := self.deadline) is not None and deadline <= now:
            lines += self._close(next(iter(self._open)))
        return lines

    def end(self) -> list[Line]:
        """The program ends: what has not been told yet."""
        return [line for key in list(self._open) for line in self._close(key)]

    def _close(self, key: Ruling) -> list[Line]:
        again = self._open.pop(key).again
        share = (key.decision, key.agent)
        self._shares[share] -= 1
        if not self._shares[share]:
            del self._shares[share]
        return [Line(key, again)] if again else []

    @property
    def deadline(self) -> float | None:
        """When the next window ends."""
        return next(iter(self._open.values())).until if self._open else None


def _key(ruling: Ruling) -> Ruling:
    """The same for rulings that are told once: a port is another one for each connection."""
    host, _, port = ruling.address.rpartition(":")
    return attrs.evolve(ruling, address=host or port)


class Sink(Protocol):
    """Where lines go; ``failures`` counts those that were lost."""

    failures: int

    def write(self, text: str) -> int:
        """Take a text."""

    def flush(self) -> None:
        """Pass it on."""


class AuditLog:
    """An auditor that writes.

    Args:
        sink: where to; it takes everything.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink, self._told_lost = sink, 0
        self._say: Callable[[str, Mapping[str, object]], None] = logs.json_lines("audit", "decision", sink)
        self._ledger, self._bell = Ledger(), Bell()

    def __call__(self, ruling: Ruling) -> None:
        """See ``Auditor``."""
        self._write(self._ledger.note(ruling, trio.current_time()))
        self._bell.ring()

    async def run(self) -> None:
        """Tell of repeats when their windows end, until cancelled; then of those that are left."""
        try:
            while True:
                self._write(self._ledger.expire(trio.current_time()))
                await self._bell.wait(self._ledger.deadline)
        finally:
            self._write(self._ledger.end())

    def _write(self, lines: list[Line]) -> None:
        for line in lines:
            fields, lost = line.fields(), self._sink.failures
            decision = str(fields.pop("decision"))
            if lost > self._told_lost:
                fields["lost"] = lost - self._told_lost
            self._say(decision, fields)
            if self._sink.failures == lost:
                self._told_lost = lost


@asynccontextmanager
async def open_audit_log(path: str = "") -> AsyncIterator[AuditLog]:
    """An auditor for a program, while the context is open.

    Args:
        path: the file that lines are appended to; empty: standard error, beside the log.

    Raises:
        UserError: the file cannot be written.
    """
    stream = Appending(path) if path else sys.stderr
    if isinstance(stream, Appending):
        try:
            stream.write("")
        except OSError as exc:
            raise UserError(f"--audit-log: cannot write {path}: {exc.strerror}") from exc
    log = AuditLog(Unfailing(stream))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(log.run)
        yield log
        nursery.cancel_scope.cancel()
