"""Who is told of each step that a change takes, on both sides of a link: traces, and the most detailed log.

Nothing waits for whoever is told, and nothing depends on it. Without a tracer nobody is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome, Record, Result


class Tracer(Protocol):
    """Told of both feeds of one agent, on one side. Times are monotonic seconds (``trio.current_time()``)."""

    def sent(self, number: int, record: Record, since: float, *, new: bool) -> None:
        """A record goes to the link's writer under this number.

        Args:
            number: unique as long as this process lives; the one before of this key is void.
            record: as it is sent.
            since: when its key began to differ from what the other side should hold.
            new: does the other side hold nothing of it?
        """

    def answered(self, key: Key, result: Result) -> None:
        """The other side has answered the record of this key that was sent last, if only for now."""

    def unanswered(self) -> Sequence[Key]:
        """The keys that were sent and neither answered for good nor ``held`` since."""

    def held(self, key: Key) -> None:
        """The other side is known to hold what it should of this key, without an answer; perhaps for long."""

    def lost(self) -> None:
        """The link has ended: what was sent and not answered for good will be sent under another number."""

    def received(self, number: int, record: Record) -> None:
        """The other side has sent this under its own number. It takes the place of an earlier one."""

    def forgotten(self) -> None:
        """A new link begins: what was received and is not being worked on will come again."""

    def began(self, key: Key, record: Record, *, asked: bool) -> None:
        """A worker brings this record about; ``asked``: the other side has sent it."""

    def wrote(
        self, key: Key, verb: str, about: tuple[str, str, str], began: float, problem: str, body: object
    ) -> None:
        """A worker has made one write towards the record of this key.

        Args:
            key: of the record.
            verb: ``create``, ``patch`` or ``delete``.
            about: kind, namespace and name of the object.
            began: when it was asked for.
            problem: how it failed; empty: it did not.
            body: what was written, as JSON has it; None: nothing, or a Secret's.
        """

    def ended(self, key: Key, outcome: Outcome | None, reason: str) -> None:
        """A worker has come to its end with this key; None: it tries again by itself."""


class Tracing(Protocol):
    """The tracers of one program."""

    def of(self, agent: Callable[[], str], mode: Mode) -> Tracer:
        """The one for an agent.

        Args:
            agent: its name, which an agent itself learns late.
            mode: who owns the specs.
        """

    def informed(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        """An informer shows a change."""
