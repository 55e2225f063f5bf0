"""The sending half of a feed: which keys differ, and which of them goes next.

Per key it knows what the replica should hold (``Want``) and what the replica is known to hold (``held``).
There is no queue of events: a key is dirty or it is not, so a thousand changes of one object are one dirty
key, nothing can be dropped, only superseded, and memory is bounded by the number of objects. The link's
writer *pulls* with ``take`` when it has room.

Life of a link::

    link_up(root)   equal roots: everything wanted is held
                    else: answer with our bucket hashes, send nothing but intents until
    leaf(...)       has told what the replica holds in every bucket that differs
    take / results / have ... as things change
    mark(root)      the replica's root once in a while: a continuous check
    link_down()     what is held is unknown again; what was in flight is dirty again

Absence is evidence only from a complete view: a key nobody wants becomes a tombstone if its deletion was
witnessed, or if ``set_complete`` says that this kind's view is whole.

``now`` is monotonic seconds throughout.
"""

from __future__ import annotations

import enum
import heapq
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.latency import Latencies
from trio_argoagent.model.records import AS_ASKED, Evidence, Holding, Outcome, Result
from trio_argoagent.sync import buckets
from trio_argoagent.sync.kinds import Rank

SUPERSEDE_AFTER: Final = 1.0
"""Seconds after which a newer value may follow one that is still unanswered."""
REFUSED_RETRY: Final = 300.0
"""Seconds after which what was rejected is offered once more: what refuses it (a definition that is older, a
quota, a webhook) may have changed, and nobody would tell us. An intent is not: its asker was told."""
COSMETIC_INTERVAL: Final = 60.0
"""Seconds between two sends of one object when nothing but time stamps changed."""
MAX_WITNESSED: Final = 10_000
"""Deletions witnessed while nobody listens that are remembered; older ones become inferred."""


@attrs.frozen
class Want:
    """What the replica should hold under one key.

    Attributes:
        uid: of the source's object.
        digest: D.
        rank: its place in the order of sending.
        substance: digest of what is not cosmetic; equal to the last one answered: only time stamps changed.
        aside: digest of what a record carries outside D; a change of it is sent, too, but not compared.
        answered_only: settled by the answer ``applied``, not by what the replica holds (a cascade leaves
            nothing behind to hold, and so does an intent).
        listed: does anti-entropy compare it?
        evidence: of a value that makes the copy go (a cascade): how its deletion is known; else None.
    """

    uid: str
    digest: str
    rank: Rank
    substance: str = ""
    aside: str = ""
    answered_only: bool = False
    listed: bool = True
    evidence: Evidence | None = None

    @property
    def holding(self) -> Holding:
        """What the replica holds once it has applied this."""
        return Holding(self.uid, self.digest)


@attrs.frozen
class Ticket:
    """Effect: send the newest value of this key under this link-local number.

    ``want`` None: a tombstone for ``uid``. The shell reads the body now, not earlier.
    """

    number: int
    key: Key
    uid: str
    want: Want | None
    evidence: Evidence | None
    replaces: str
    rank: Rank = Rank.SPEC


class Phase(enum.Enum):
    """Where the link is."""

    DOWN = "down"
    COMPARING = "comparing"
    LIVE = "live"


@attrs.define
class _Entry:
    want: Want | None = None
    wanted_at: float = 0.0
    """When it became that."""
    hidden: bool = False
    """Is there an object that cannot be read? Then nothing is sent, and nothing is proven."""
    held: Holding | None = None
    known: bool = False
    """Is ``held`` known on this link? Else it is what was last known: good enough to count by."""
    answered: Want | None = None
    """The last want answered ``applied`` on this link."""
    aside: str | None = None
    """What was answered last beside D, on whichever link; None: not known."""
    refused: Ticket | None = None
    """The last ticket that was rejected, and when: the same is not sent again on this link before long."""
    refused_at: float = 0.0
    reason: str = ""
    gone: str = ""
    """The uid whose deletion was witnessed last."""
    guarded: str = ""
    """The uid that the replica may put back by itself although it holds nothing now: of the last value that
    it has applied, or held, on this link."""
    buried: str = ""
    """The uid whose tombstone was answered ``applied`` on this link: a status stays where it is."""
    forced: bool = False
    ticket: Ticket | None = None
    sent_at: float = 0.0
    pending: bool = False
    dirty_since: float | None = None
    queued: Rank | None = None
    due: float | None = None


@attrs.frozen
class SourceStatistics:
    """Counters of one feed's source."""

    phase: str
    wanted: int
    dirty: int
    in_flight: int
    refused: int
    oldest_dirty: float
    """Seconds since the oldest key that is not settled became dirty; 0 when all are."""
    records: int
    tombstones: int
    mismatches: int
    """Continuous checks that found the replica elsewhere than thought: must stay 0."""
    applied: int = 0
    rejected: int = 0
    superseded: int = 0
    """Records whose number was replaced by a newer value's before it was answered for good."""
    forsaken: int = 0
    """Records that were in flight when their link ended.

    ``records = applied + rejected + unreadable + superseded + forsaken + in_flight``, at any time.
    """
    keys: int = 0
    """Keys that anything is remembered of."""
    unreadable: int = 0
    """Records that went again, because what their bodies referred to was not there any more."""
    consistent_age: float = math.inf
    """Seconds: of what the source held that long ago the replica is proven to hold all, or newer; infinite:
    nothing was ever proven."""
    settled: tuple[int, ...] = ()
    """How long keys took from a change until the replica had answered that it holds it: see ``latency``.
    What a comparison finds to be held already is not among them."""
    settled_total: float = 0.0
    """The sum of these, in seconds."""


@attrs.frozen
class Unsettled:
    """A key whose replica does not hold, or has not answered, what it should.

    Attributes:
        key: in the spoke's names.
        state: ``waiting`` to be sent, ``in flight`` without a final answer, or ``refused``.
        reason: what the replica has said last; empty: nothing.
        since: seconds for which it has been so.
    """

    key: Key
    state: str
    reason: str
    since: float


class Source:
    """See the module."""

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        self._wanted, self._held = buckets.Buckets(), buckets.Buckets()
        self._ready: dict[Rank, dict[Key, None]] = {rank: {} for rank in Rank}
        self._timers: list[tuple[float, int, Key]] = []
        self._unsettled: dict[Key, None] = {}
        self._tickets: dict[int, Key] = {}
        self._complete: dict[Kind, bool] = {}
        self._witnessed: dict[Key, None] = {}
        self._phase = Phase.DOWN
        self._claimed: dict[Key, Holding] = {}
        self._told: dict[Key, Holding] = {}
        self._compared: dict[int, None] = {}
        self._numbers = 0
        self._timer_numbers = 0
        self._records = self._tombstones = self._mismatches = 0
        self._answers = {Outcome.APPLIED: 0, Outcome.REJECTED: 0, Outcome.UNREADABLE: 0}
        self._superseded = self._forsaken = 0
        self._latencies = Latencies()
        self._proven_at: float | None = None  # As of when it held all, when that was known last.
        self._learned_at = -math.inf  # When a comparison found last that it does not.

    # What should be held

    def want(self, key: Key, want: Want, now: float) -> None:
        """The source's object has this value now."""
        entry = self._entries.setdefault(key, _Entry(known=self._phase is Phase.LIVE))
        if entry.want != want:
            entry.wanted_at = now
        entry.want, entry.hidden = want, False
        if want.listed:
            self._wanted.set(key, want.holding)
        self._touch(key, now)

    def absent(self, key: Key, now: float, *, witnessed: str = "") -> None:
        """The source has no (more) such object; ``witnessed``: the uid that was seen to go."""
        entry = self._entries.get(key)
        if entry is None:
            if not witnessed:
                return
            entry = self._entries[key] = _Entry(known=self._phase is Phase.LIVE)
        if entry.want is not None:
            entry.wanted_at = now
        entry.want, entry.forced, entry.hidden = None, False, False
        self._wanted.set(key, None)
        if witnessed:
            entry.gone = witnessed
            self._remember_witnessed(key, now)
        self._touch(key, now)

    def hide(self, key: Key, now: float) -> None:
        """The source has such an object and cannot read it: what the replica holds stays as it is."""
        self._entries.setdefault(key, _Entry(known=self._phase is Phase.LIVE)).hidden = True
        self._touch(key, now)

    def force(self, key: Key, now: float) -> None:
        """Send this key once more although nothing that is compared has changed."""
        entry = self._entries.get(key)
        if entry is not None and entry.want is not None:
            entry.forced, entry.refused = True, None
            self._touch(key, now)

    def set_complete(self, kind: Kind, complete: bool, now: float) -> None:
        """Is the view of this kind whole, so that absence from it means something?"""
        if self._complete.get(kind) != complete:
            self._complete[kind] = complete
            for key in [key for key in self._entries if key.kind is kind]:
                self._touch(key, now)

    def _remember_witnessed(self, key: Key, now: float) -> None:
        self._witnessed.pop(key, None)
        self._witnessed[key] = None
        if len(self._witnessed) > MAX_WITNESSED:
            oldest = next(iter(self._witnessed))
            del self._witnessed[oldest]
            self._entries[oldest].gone = ""
            self._touch(oldest, now)

    # The link

    def root(self) -> bytes:
        """The root of what the replica should hold."""
        return self._wanted.root()

    def link_up(self, root: bytes, now: float) -> bytes | None:
        """A link is up, and this is the root of what its replica holds.

        Returns:
            None when the roots are equal; else our bucket hashes, to be sent.
        """
        self.link_down(now)
        return self._compare(root, now)

    def _compare(self, root: bytes, now: float) -> bytes | None:
        self._claimed = {key: want.holding for key, want in self._listed()}
        if root == self._wanted.root():
            self._told, self._compared = {}, {}
            self._learn(now)
            self._learned_at = -math.inf
            self._agree(now)
            return None
        self._phase = Phase.COMPARING
        self._told, self._compared = {}, {}
        for key, entry in list(self._entries.items()):
            entry.known = False
            self._touch(key, now)
        return self._wanted.hashes()

    def leaf(
        self, indices: Iterable[int], entries: Iterable[tuple[Key, Holding]], last: bool, now: float
    ) -> None:
        """What the replica holds in these buckets, all of it; ``last``: every other bucket is equal.

        Raises:
            RemoteProtocolError: nobody asked.
        """
        if self._phase is not Phase.COMPARING:
            raise RemoteProtocolError("leaf: there was no comparison to answer")
        self._compared.update(dict.fromkeys(indices))
        self._told.update(entries)
        if last:
            self._learn(now)
            self._learned_at = now

    def _learn(self, now: float) -> None:
        """Every bucket is either equal to what we claimed or told in full."""
        self._phase = Phase.LIVE
        # Claimed keys too: one that we stopped wanting meanwhile may have been forgotten, but is still held.
        for key in (*self._claimed, *self._told):
            self._entries.setdefault(key, _Entry())
        for key, entry in list(self._entries.items()):
            compared = buckets.bucket_of(key) in self._compared
            self._hold(key, entry, (self._told if compared else self._claimed).get(key))
            entry.known, entry.guarded = True, entry.held.uid if entry.held is not None else ""
            self._touch(key, now)
        self._claimed, self._told, self._compared = {}, {}, {}

    def link_down(self, now: float) -> None:
        """The link is gone: nothing is known of the replica, and nothing is in flight."""
        self._agree(now)
        self._phase = Phase.DOWN
        self._forsaken += len(self._tickets)
        self._tickets.clear()
        for key, entry in list(self._entries.items()):
            entry.ticket, entry.pending, entry.answered = None, False, None
            entry.refused, entry.reason, entry.buried, entry.guarded = None, "", "", ""
            entry.known = False
            self._touch(key, now)

    def _agree(self, now: float) -> None:
        """Until now it was known what the replica holds."""
        if self._phase is Phase.LIVE:
            self._proven_at = now - self._consistent_age(now)

    def mark(self, root: bytes, now: float) -> bytes | None:
        """The replica's root, in its order among results and holdings: is it where we think it is?

        Returns:
            Bucket hashes to be sent when it is not: the comparison starts again.
        """
        if self._phase is not Phase.LIVE or self._tickets:
            return None
        if root == self._held.root():
            self._agree(now)
            return None
        self._mismatches += 1
        return self._compare(root, now)

    # What the replica says

    def _hold(self, key: Key, entry: _Entry, holding: Holding | None) -> None:
        entry.held = holding
        self._held.set(key, holding)

    def have(self, entries: Iterable[tuple[Key, Holding | None]], now: float) -> None:
        """The replica's holdings changed for another cause than a record of this link."""
        if self._phase is not Phase.LIVE:
            return  # The leaf that ends the comparison is newer than this.
        for key, holding in entries:
            entry = self._entries.setdefault(key, _Entry(known=True))
            self._hold(key, entry, holding)
            entry.refused = None
            self._touch(key, now)

    def asked(self, number: int) -> Key | None:
        """What the record of that number is about, while its answer is waited for."""
        return self._tickets.get(number)

    def since(self, key: Key) -> float | None:
        """Since when the replica does not hold what is wanted of this key now; None: it does."""
        entry = self._entries.get(key)
        if entry is None or entry.dirty_since is None:
            return None
        return max(entry.dirty_since, entry.wanted_at)

    def held(self, key: Key) -> Holding | None:
        """What the replica is known to hold under this key."""
        entry = self._entries.get(key)
        return entry.held if entry is not None else None

    def result(self, result: Result, now: float) -> Ticket | None:
        """The replica's answer to one record.

        Returns:
            The ticket it answers for good (``applied`` or ``rejected``); None for the other outcomes, and for
            numbers that were superseded.
        """
        key = self._tickets.get(result.number)
        if key is None:
            return None
        entry = self._entries[key]
        ticket = entry.ticket
        assert ticket is not None and ticket.number == result.number
        entry.reason = result.reason
        if result.outcome is Outcome.PENDING:
            entry.pending = True
            self._touch(key, now)
            return None
        del self._tickets[result.number]
        self._answers[result.outcome] += 1
        entry.ticket, entry.pending = None, False
        asked = ticket.want.holding if ticket.want is not None else None
        self._hold(key, entry, asked if result.holding == AS_ASKED else result.holding)
        entry.known = True
        if result.outcome is Outcome.APPLIED:
            entry.answered, entry.refused = ticket.want, None
            goes = ticket.want is None or ticket.want.answered_only
            entry.guarded = "" if goes else ticket.uid
            entry.buried = ticket.uid if ticket.want is None else ""
            entry.aside = ticket.want.aside if ticket.want is not None else None
        elif result.outcome is Outcome.REJECTED:
            entry.refused, entry.refused_at = ticket, now
        else:
            # Again, and at once: it may have been sent for a cause that nothing that is compared shows.
            entry.forced = entry.want is not None
        since = entry.dirty_since
        self._touch(key, now)
        if since is not None and entry.dirty_since is None:
            self._latencies.note(now - since)
        return None if result.outcome is Outcome.UNREADABLE else ticket

    # What to send

    def take(self, now: float, last: Rank = Rank.COSMETIC) -> Ticket | None:
        """The next record to send of this rank or before it.

        Returns:
            None when there is nothing to do before ``next_deadline``, or before there is room for more.
        """
        while self._timers and self._timers[0][0] <= now:
            due, _, key = heapq.heappop(self._timers)
            entry = self._entries.get(key)
            if entry is not None and entry.due == due:
                entry.due = None
                self._touch(key, now)
        for rank, ready in self._ready.items():
            if ready and rank <= last:
                return self._send(next(iter(ready)), rank, now)
        return None

    def _send(self, key: Key, rank: Rank, now: float) -> Ticket:
        entry = self._entries[key]
        if entry.ticket is not None:
            del self._tickets[entry.ticket.number]
            self._superseded += 1
        self._numbers += 1
        want = entry.want
        uid = self._absent_uid(entry) if want is None else want.uid
        evidence = want.evidence if want is not None else None
        if want is None:
            evidence = Evidence.WITNESSED if entry.gone == uid else Evidence.INFERRED
            self._tombstones += 1
        replaces = entry.gone if want is not None and entry.gone != want.uid else ""
        ticket = entry.ticket = Ticket(self._numbers, key, uid, want, evidence, replaces, rank)
        entry.sent_at, entry.pending, entry.forced = now, False, False
        self._tickets[ticket.number] = key
        self._records += 1
        self._touch(key, now)
        return ticket

    @staticmethod
    def _absent_uid(entry: _Entry) -> str:
        """The uid a tombstone is about: what the replica holds or guards, else what it was sent last."""
        if entry.held is not None or entry.guarded:
            return entry.held.uid if entry.held is not None else entry.guarded
        return entry.ticket.uid if entry.ticket is not None else entry.gone

    def next_deadline(self) -> float | None:
        """When ``take`` should be asked again although nothing was touched."""
        return self._timers[0][0] if self._timers else None

    # Which keys differ

    def _listed(self) -> Iterator[tuple[Key, Want]]:
        for key, entry in self._entries.items():
            if entry.want is not None and entry.want.listed:
                yield key, entry.want

    @staticmethod
    def _settled(entry: _Entry) -> bool:
        want = entry.want
        if entry.ticket is not None or entry.forced or entry.hidden:
            return False
        if want is None:
            if entry.held is None:
                return not entry.guarded
            return entry.held.uid == entry.buried
        if want.answered_only:
            return entry.answered is not None and entry.answered.digest == want.digest
        if entry.held != want.holding:
            return False
        return entry.aside is None or entry.aside == want.aside

    def _verdict(self, key: Key, entry: _Entry, now: float) -> tuple[Rank, float] | None:
        """The rank and the time of this key's next record; None: there is nothing to send."""
        want, ticket = entry.want, entry.ticket
        if self._phase is Phase.DOWN or self._settled(entry):
            return None
        if entry.hidden or (not entry.known and (want is None or want.listed)):
            return None
        if want is None and not self._may_bury(key, entry):
            return None
        if ticket is not None:
            if ticket.want == want and not entry.forced:
                return None
            rank = self._rank(key, entry)
            if rank is not Rank.COSMETIC:
                return rank, (now if entry.pending else max(now, entry.sent_at + SUPERSEDE_AFTER))
            return rank, max(now, entry.sent_at + COSMETIC_INTERVAL)
        rank = self._rank(key, entry)
        if self._is_refused(entry):
            again = want is None or want.listed
            return (rank, max(now, entry.refused_at + REFUSED_RETRY)) if again else None
        return rank, max(now, entry.sent_at + COSMETIC_INTERVAL) if rank is Rank.COSMETIC else now

    def _is_refused(self, entry: _Entry) -> bool:
        refused = entry.refused
        if refused is None or refused.want != entry.want:
            return False
        return entry.want is not None or refused.uid == self._absent_uid(entry)

    def _may_bury(self, key: Key, entry: _Entry) -> bool:
        """May a tombstone go? Intents are withdrawn freely: their replica holds nothing."""
        if key.kind is Kind.INTENT or entry.gone == self._absent_uid(entry):
            return True
        return self._complete.get(key.kind, False)

    def _rank(self, key: Key, entry: _Entry) -> Rank:
        want, last = entry.want, entry.answered
        if want is None:
            return Rank.DELETION
        if entry.ticket is not None:
            last = entry.ticket.want
        elif last is not None and entry.held != last.holding:
            return want.rank
        if not want.substance or last is None or entry.forced:
            return want.rank
        cosmetic = (last.uid, last.substance, last.aside) == (want.uid, want.substance, want.aside)
        return Rank.COSMETIC if cosmetic else want.rank

    def _touch(self, key: Key, now: float) -> None:
        """Put this key where it belongs: settled, ready under a rank, or waiting for a time."""
        entry = self._entries[key]
        verdict = self._verdict(key, entry, now)
        # A key that changes while it waits keeps its place: else one that never rests is never sent.
        if entry.queued is not None and (verdict is None or verdict[1] > now or verdict[0] != entry.queued):
            del self._ready[entry.queued][key]
            entry.queued = None
        if verdict is None:
            entry.due = None
        elif verdict[1] <= now:
            entry.queued, entry.due = verdict[0], None
            self._ready[entry.queued][key] = None
        elif entry.due != verdict[1]:
            entry.due = verdict[1]
            self._timer_numbers += 1
            heapq.heappush(self._timers, (entry.due, self._timer_numbers, key))
        waits = verdict is not None and verdict[0] is Rank.COSMETIC and entry.ticket is None
        self._account(key, entry, not (waits or self._settled(entry)), now)
        self._forget_if_empty(key)

    def _account(self, key: Key, entry: _Entry, busy: bool, now: float) -> None:
        if busy:
            if entry.dirty_since is None:
                entry.dirty_since = now
                self._unsettled[key] = None
        elif entry.dirty_since is not None:
            entry.dirty_since = None
            del self._unsettled[key]

    def _forget_if_empty(self, key: Key) -> None:
        entry = self._entries[key]
        if entry.want is not None or entry.ticket is not None or entry.held is not None:
            return
        if entry.known:
            self._witnessed.pop(key, None)
        elif entry.gone:
            return
        if entry.dirty_since is None:
            del self._entries[key]

    # For people

    @property
    def phase(self) -> Phase:
        """Where the link is."""
        return self._phase

    @property
    def proven(self) -> bool:
        """Is the replica known to hold all that it should?"""
        return self._phase is Phase.LIVE and not self._unsettled

    @property
    def unanswered(self) -> bool:
        """Is a record under way of which the replica has said nothing yet, not even that it is pending?"""
        return any(not self._entries[key].pending for key in self._tickets.values())

    def answered(self, key: Key) -> bool:
        """Has the replica answered ``applied`` to what is wanted of this key now (absence included)?"""
        if self._phase is not Phase.LIVE:
            return False
        entry = self._entries.get(key)
        return entry is None or (entry.known and self._settled(entry))

    def waiting(self) -> Sequence[tuple[Key, str]]:
        """The keys that are in flight or refused, with the replica's reasons."""
        return [
            (key, entry.reason)
            for key, entry in self._entries.items()
            if entry.reason and (entry.pending or entry.refused is not None)
        ]

    def unsettled(self, now: float, most: int) -> Sequence[Unsettled]:
        """The keys that are not settled, at most so many, the oldest first."""
        found = []
        for key in itertools.islice(self._unsettled, most):
            entry = self._entries[key]
            refused = self._is_refused(entry)
            state = "refused" if refused else "in flight" if entry.ticket is not None else "waiting"
            since = now - (entry.dirty_since if entry.dirty_since is not None else now)
            found.append(Unsettled(key, state, entry.reason if refused or entry.pending else "", since))
        return found

    def statistics(self, now: float) -> SourceStatistics:
        """Counters."""
        return SourceStatistics(
            phase=self._phase.value,
            wanted=len(self._wanted),
            dirty=len(self._unsettled) - len(self._tickets),
            in_flight=len(self._tickets),
            refused=sum(self._is_refused(entry) for entry in self._entries.values()),
            oldest_dirty=self.oldest(now),
            records=self._records,
            tombstones=self._tombstones,
            mismatches=self._mismatches,
            applied=self._answers[Outcome.APPLIED],
            rejected=self._answers[Outcome.REJECTED],
            superseded=self._superseded,
            forsaken=self._forsaken,
            unreadable=self._answers[Outcome.UNREADABLE],
            keys=len(self._entries),
            consistent_age=self._consistent_age(now),
            settled=tuple(self._latencies.counts),
            settled_total=self._latencies.total,
        )

    def oldest(self, now: float) -> float:
        """Seconds since the oldest key that is not settled became so, by which they are in order; 0: none."""
        first = next(iter(self._unsettled), None)
        since = self._entries[first].dirty_since if first is not None else None
        return now - since if since is not None else 0.0

    def _consistent_age(self, now: float) -> float:
        if self._phase is not Phase.LIVE:
            return math.inf if self._proven_at is None else now - self._proven_at
        since = now - self.oldest(now)
        if since <= self._learned_at and self._proven_at is not None:
            # What a comparison has found may have been so ever since it was looked before.
            since = min(since, self._proven_at)
        return now - since
