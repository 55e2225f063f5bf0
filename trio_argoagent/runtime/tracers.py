"""Several who are told of each step, as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.ports.tracing import Tracer, Tracing


class AllTracers:
    """See ``Tracer``."""

    def __init__(self, those: Sequence[Tracer]) -> None:
        self._those = those

    def sent(self, number: int, record: Record, since: float, *, new: bool) -> None:
        """See the port."""
        for each in self._those:
            each.sent(number, record, since, new=new)

    def answered(self, key: Key, result: Result) -> None:
        """See the port."""
        for each in self._those:
            each.answered(key, result)

    def unanswered(self) -> Sequence[Key]:
        """See the port."""
        return tuple(dict.fromkeys(key for each in self._those for key in each.unanswered()))

    def held(self, key: Key) -> None:
        """See the port."""
        for each in self._those:
            each.held(key)

    def lost(self) -> None:
        """See the port."""
        for each in self._those:
            each.lost()

    def received(self, number: int, record: Record) -> None:
        """See the port."""
        for each in self._those:
            each.received(number, record)

    def forgotten(self) -> None:
        """See the port."""
        for each in self._those:
            each.forgotten()

    def began(self, key: Key, record: Record, *, asked: bool) -> None:
        """See the port."""
        for each in self._those:
            each.began(key, record, asked=asked)

    def wrote(
        self, key: Key, verb: str, about: tuple[str, str, str], began: float, problem: str, body: object
    ) -> None:
        """See the port."""
        for each in self._those:
            each.wrote(key, verb, about, began, problem, body)

    def ended(self, key: Key, outcome: Outcome | None, reason: str) -> None:
        """See the port."""
        for each in self._those:
            each.ended(key, outcome, reason)


class AllTracing:
    """See ``Tracing``."""

    def __init__(self, those: Sequence[Tracing]) -> None:
        self._those = those

    def of(self, agent: Callable[[], str], mode: Mode) -> Tracer:
        """See the port."""
        return AllTracers([each.of(agent, mode) for each in self._those])

    def informed(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        """See the port."""
        for each in self._those:
            each.informed(kind, old, new)
