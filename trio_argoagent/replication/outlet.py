"""A Source, and where its bodies come from: what the programs touch and what a link's writer pulls from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import trio

from trio_argoagent.model import rv
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Holding, Record, Result
from trio_argoagent.ports.tracing import Tracer
from trio_argoagent.replication.bell import Bell
from trio_argoagent.stream.protocol.freight import FreightStatistics
from trio_argoagent.sync.flow import DEFAULT, Budget, Flow
from trio_argoagent.sync.source import Source, SourceStatistics, Ticket, Unsettled, Want


class Outlet:
    """One feed's sending side. It outlives links; ``bell`` wakes the link that is up, if one is.

    Args:
        body: the newest body of a key that is wanted; read when the link has room, not earlier.
        asof: the informer's resourceVersion for that kind.
        leading: the kind whose versions tell how far the feed is proven.
        budget: what may be under way unanswered.
    """

    def __init__(
        self,
        body: Callable[[Key], bytes | None],
        asof: Callable[[Kind], str],
        leading: Kind = Kind.APPLICATION,
        budget: Budget = DEFAULT,
    ) -> None:
        self.core = Source()
        self.flow = Flow(budget)
        self.freight = FreightStatistics()
        """How the bodies have travelled, over all links."""
        self.bell = Bell()
        self.tracer: Tracer | None = None
        """Told of what is sent, and of what becomes of it."""
        self._body, self._asof, self._leading = body, asof, leading
        self._settled_at = ""
        self.silent: dict[Kind, str] = {}
        """The kinds of which only witnessed deletions are told, and why."""

    def want(self, key: Key, want: Want) -> None:
        """The source's object has this value now."""
        self.core.want(key, want, trio.current_time())
        self.bell.ring()

    def absent(self, key: Key, *, witnessed: str = "") -> None:
        """The source has no (more) such object; ``witnessed``: the uid that was seen to go."""
        self.core.absent(key, trio.current_time(), witnessed=witnessed)
        self.bell.ring()

    def hide(self, key: Key) -> None:
        """The source has such an object and cannot read it."""
        self.core.hide(key, trio.current_time())
        self.bell.ring()

    def force(self, key: Key) -> None:
        """Send this key once more."""
        self.core.force(key, trio.current_time())
        self.bell.ring()

    def set_complete(self, kind: Kind, complete: bool, reason: str = "not known yet") -> None:
        """Is the view of this kind whole? Else nothing is inferred from it; ``reason`` says why not."""
        if complete and rv.parse(self._asof(kind)) is None:
            # Nobody could tell whether such a server has gone back in time.
            complete, reason = False, "the API server's resourceVersions have no order"
        self.silent.pop(kind, None)
        if not complete:
            self.silent[kind] = reason
        self.core.set_complete(kind, complete, trio.current_time())
        self.bell.ring()

    def silence(self) -> str:
        """Of which kinds no absence is told, and why, in one line; empty: of none."""
        return "; ".join(f"no tombstones of {kind}: {reason}" for kind, reason in self.silent.items())

    def take(self) -> tuple[int, Record] | None:
        """The next record to send with its number, or None."""
        while (ticket := self.core.take(trio.current_time(), self.flow.last())) is not None:
            body = self._body(ticket.key) if ticket.want is not None else None
            # A long list changes the informer's cache at once and is reported in batches: an object may be
            # gone already although nobody has been told. What will be told supersedes this ticket.
            if body is not None or ticket.want is None:
                self.flow.sent(ticket.key, ticket.rank, len(body or b""))
                record = self._record(ticket, body)
                self._trace(ticket.number, record)
                return ticket.number, record
        return None

    def _trace(self, number: int, record: Record) -> None:
        if self.tracer is not None:
            since, new = self.core.since(record.key), self.core.held(record.key) is None
            self.tracer.sent(number, record, trio.current_time() if since is None else since, new=new)

    def answered(self, key: Key, result: Result) -> None:
        """The record of this number, which is about this key, was answered, if only for now."""
        self.flow.answered(key)
        if self.tracer is not None:
            self.tracer.answered(key, result)

    def have(self, entries: Iterable[tuple[Key, Holding | None]]) -> None:
        """What the replica holds has changed for another cause."""
        told = tuple(entries)
        self.core.have(told, trio.current_time())
        if self.tracer is not None:
            self._trace_held(self.tracer, (key for key, _ in told))

    def compared(self) -> None:
        """What was sent may be known to be held now, although its answer was lost."""
        if self.tracer is not None:
            self._trace_held(self.tracer, self.tracer.unanswered())

    def _trace_held(self, tracer: Tracer, keys: Iterable[Key]) -> None:
        for key in keys:
            if self.core.since(key) is None:
                tracer.held(key)

    def link_down(self) -> None:
        """The link is gone, and with it what was under way."""
        self.is_proven()
        self.core.link_down(trio.current_time())
        self.flow.clear()
        if self.tracer is not None:
            self.tracer.lost()

    def _record(self, ticket: Ticket, body: bytes | None) -> Record:
        return Record(
            key=ticket.key,
            uid=ticket.uid,
            digest=ticket.want.digest if ticket.want is not None else "",
            asof=self._ordered_asof(ticket.key.kind),
            body=body,
            evidence=ticket.evidence,
            replaces=ticket.replaces,
        )

    def _ordered_asof(self, kind: Kind) -> str:
        """The resourceVersion, where it has an order; else there is no ``asof``."""
        version = self._asof(kind)
        return version if rv.parse(version) is not None else ""

    def is_proven(self) -> bool:
        """Is the replica known to hold all that it should? As of which version is remembered.

        To be asked whenever something was answered: nobody may ask later, before there is more to send.
        """
        if self.core.proven:
            self._settled_at = self._asof(self._leading)
        return self.core.proven

    def consistent_as_of(self) -> str:
        """The resourceVersion up to which the replica is proven to hold what it should; empty: never yet."""
        self.is_proven()
        return self._settled_at

    def unsettled(self, most: int) -> Sequence[Unsettled]:
        """See ``Source.unsettled``."""
        return self.core.unsettled(trio.current_time(), most)

    def oldest(self) -> float:
        """See ``Source.oldest``: one number of ``statistics``, which looks at each key for others."""
        return self.core.oldest(trio.current_time())

    def statistics(self) -> SourceStatistics:
        """Counters."""
        return self.core.statistics(trio.current_time())
