"""The receiving half of a feed: what to apply, what to guard, what to report.

Per key it keeps the newest record until that is applied (an older one that was not is simply forgotten), the
record applied last (``retained``: an object that drifts from it is put back, offline too), and what is held.
One worker works on a key at a time; keys are worked on in parallel. It outlives links: a record keeps its
worker when the link dies, only its answer has nobody to go to any more.

Results and changes of holdings leave through one FIFO, in the order in which they became true: two queues
could reorder a drift behind the answer that it overtook, and the source would never learn of it.

``now`` is monotonic seconds throughout.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import attrs
from msgspec import structs

from trio_argoagent.model import rv
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import AS_ASKED, DRIFT, Holding, Outcome, Record, Result
from trio_argoagent.sync import buckets, drift

MAX_REVERTS: Final = 5
"""Reverts of one key within ``REVERT_WINDOW`` seconds; one more, and we stop fighting for a while."""
REVERT_WINDOW: Final = 600.0
CONTEST_BACKOFF: Final = 300.0
"""Seconds between two reverts of a contested key."""
RETRY_FIRST: Final = 1.0
RETRY_MAX: Final = 120.0
"""Seconds between two tries of what the API server could not do."""

CONTESTED: Final = "contested: somebody else keeps changing"
"""Begins the reason for what is not put back for a while; what is changed follows."""

Change = tuple[Key, Holding | None]


@attrs.frozen
class Listing:
    """All that is held in the buckets that differ from the source's."""

    indices: tuple[int, ...]
    entries: tuple[tuple[Key, Holding], ...]


@attrs.frozen
class Root:
    """The root of what is held, at this place of the FIFO."""

    root: bytes


Report = Result | Change | Listing | Root


@attrs.frozen
class Work:
    """Effect: bring this record about with one worker, then call ``done`` or ``retry``."""

    key: Key
    record: Record
    again: bool
    """It was applied before, and somebody changed what it made."""
    guard: bool = False
    """Nobody has asked for it now: it is put back from what is retained."""


@attrs.define
class _Slot:
    record: Record | None = None
    number: int | None = None
    told_pending: str = ""
    retained: Record | None = None
    last: str = ""
    """D of the record applied last."""
    held: Holding | None = None
    told: Holding | None = None
    """What the source believes to be held."""
    busy: bool = False
    ready: bool = False
    due: float | None = None
    failures: int = 0
    reverts: deque[float] = attrs.field(factory=deque)
    contested_until: float = 0.0
    drift: tuple[str, ...] = ()
    """What the last revert has put back, as paths."""
    wanted_since: float = 0.0

    @property
    def drifted(self) -> bool:
        """Is what is retained not what is held?"""
        kept = self.retained
        return kept is not None and self.held != Holding(kept.uid, kept.digest)


@attrs.frozen
class ReplicaStatistics:
    """Counters of one feed's replica."""

    held: int
    working: int
    waiting: int
    applied: int
    rejected: int
    reverted: int
    contested: int
    received: int = 0
    """Records that have come."""


def _unknown(slot: _Slot, holding: Holding | None) -> bool:
    """May this holding be of a record that we have not retained?"""
    kept = slot.retained
    return kept is None or holding not in (None, Holding(kept.uid, kept.digest), Holding(kept.uid, DRIFT))


def _succeeds(record: Record, kept: Record | None) -> bool:
    """Has somebody else applied this after what we retained? To put that back would be to go back."""
    return kept is None or rv.is_newer(record.asof, kept.asof)


class Replica:
    """See the module."""

    def __init__(self, listed: Callable[[Key], bool]) -> None:
        """Start with nothing held.

        Args:
            listed: does a key leave something behind that the source can compare?
        """
        self._listed = listed
        self._slots: dict[Key, _Slot] = {}
        self._waiting: dict[Kind, dict[Key, None]] = {}  # Those that have a record; see ``_want``.
        self._held = buckets.Buckets()
        self._ready: dict[Key, None] = {}
        self._timers: list[tuple[float, int, Key]] = []
        self._timer_numbers = 0
        self._reports: deque[Report] = deque()
        self._linked, self._guards = False, True
        self._applied = self._rejected = self._reverted = self._received = 0

    # The link

    def link_up(self) -> bytes:
        """A link is up: the root of what is held. Whatever changes from now on is reported against it.

        What is still waiting is forgotten, and so is what should be put back but is not there: the source
        sends it again if it is still wanted, and has no way to tell that it is not. Kept, it would bring back
        what has been withdrawn meanwhile.
        """
        self.link_down()
        self._linked = self._guards = True
        self._waiting.clear()
        for key, slot in list(self._slots.items()):
            slot.told, slot.record = slot.held, None
            if slot.held is None:
                slot.retained = None
                self._forget_if_empty(key, slot)
        return self._held.root()

    def link_down(self) -> None:
        """The link is gone: what was asked stays wanted, but there is nobody to answer."""
        self._linked = False
        self._reports.clear()
        for slot in self._slots.values():
            slot.number, slot.told_pending = None, ""

    def stand_down(self) -> None:
        """Another process has taken over: want nothing and guard nothing until the next link is up.

        What it will be sent, we shall not see, and guarding what we know would undo it.
        """
        self._guards = False
        self._waiting.clear()
        for key, slot in list(self._slots.items()):
            slot.record = slot.retained = None
            self._forget_if_empty(key, slot)

    def record(self, number: int, record: Record, now: float) -> None:
        """A record has arrived under that link-local number. It replaces one that is not yet applied."""
        self._received += 1
        slot = self._slots.setdefault(record.key, _Slot())
        if slot.last != record.digest:
            slot.reverts.clear()
            slot.contested_until = 0.0
        if slot.record is None:
            # A key that keeps changing must not begin its wait (for a project, say) anew each time.
            slot.wanted_since = now
        self._want(record.key, slot, record)
        slot.number, slot.told_pending = number, ""
        slot.failures = 0
        if self._contested(slot, now):
            self._answer_pending(slot, f"{CONTESTED} {drift.told(slot.drift) or 'it'}")
        self._schedule(record.key, slot, now)

    def refuse(
        self, number: int, key: Key, reason: str, outcome: Outcome = Outcome.REJECTED
    ) -> None:
        """A record was not taken at all: say so, and what is held instead, in its place of the FIFO.

        The source counts on nothing it sent before under this key any more, so an older record that is still
        being worked on has nobody to answer either: what it makes is told as a holding.
        """
        slot = self._slots.get(key)
        if slot is not None:
            slot.number, slot.told, slot.told_pending = None, slot.held, ""
        held = slot.held if slot is not None and self._listed(key) else None
        self._say(Result(number, outcome, reason, held))

    def compare(self, theirs: bytes) -> None:
        """The source's bucket hashes have arrived: report all that is held in the buckets that differ."""
        for slot in self._slots.values():
            slot.told = slot.held  # Listed now, or in a bucket that the source knows to be equal.
        indices = self._held.differing(theirs)
        self._say(Listing(indices, self._held.listing(indices)))

    def mark(self) -> None:
        """Report the root, for the continuous check; not while something is held that the source is not told.

        A drift that is just being put back is no disagreement, and a comparison would send it all again.
        """
        told = (slot.told == slot.held for key, slot in self._slots.items() if self._listed(key))
        if all(told):
            self._say(Root(self._held.root()))

    def root(self) -> bytes:
        """The root of what is held."""
        return self._held.root()

    # The cluster

    def observe(
        self,
        key: Key,
        holding: Holding | None,
        now: float,
        *,
        retain: Callable[[], Record | None] = lambda: None,
    ) -> None:
        """What the cluster now holds under this key, as seen by an informer.

        Args:
            key: which.
            holding: what the object says it holds.
            now: monotonic seconds.
            retain: the record that an intact object stands for, where none is remembered (after a start).
        """
        slot = self._slots.get(key)
        if slot is None:
            if holding is None:
                return
            slot = self._slots[key] = _Slot()
        if not slot.busy:
            kept = retain() if self._guards and slot.record is None and _unknown(slot, holding) else None
            # An informer that lags may show what we have deleted since: that is no longer held.
            intact = kept is not None and holding == Holding(kept.uid, kept.digest)
            if kept is not None and intact and _succeeds(kept, slot.retained):
                slot.retained, slot.last = kept, kept.digest
            before = slot.held
            self._hold(key, slot, holding)
            if slot.record is not None and before == holding:
                return
            self._react(key, slot, now)

    def touch(self, key: Key, now: float) -> None:
        """Something that this key may wait for has changed: try again at once."""
        slot = self._slots.get(key)
        if slot is not None and slot.record is not None:
            self._schedule(key, slot, now)

    def _hold(self, key: Key, slot: _Slot, holding: Holding | None) -> None:
        slot.held = holding
        if self._listed(key):
            self._held.set(key, holding)

    def _react(self, key: Key, slot: _Slot, now: float) -> None:
        """After a change: go on with what is wanted, else put back what has drifted, else report."""
        if slot.record is not None:
            # What it waits for may just have happened: a copy that was still being deleted has gone.
            self._schedule(key, slot, now)
        elif slot.drifted:
            # It is put back from what is retained; the source hears of it only if that does not help.
            if self._contested(slot, now):
                self._tell(key, slot)
            self._schedule(key, slot, now)
        else:
            self._tell(key, slot)
            self._forget_if_empty(key, slot)

    def _contested(self, slot: _Slot, now: float) -> bool:
        """Do we stop fighting over this key for a while?"""
        while slot.reverts and slot.reverts[0] <= now - REVERT_WINDOW:
            slot.reverts.popleft()
        if len(slot.reverts) >= MAX_REVERTS and slot.contested_until <= now:
            slot.contested_until = slot.reverts[-1] + CONTEST_BACKOFF
        return slot.contested_until > now

    # The workers

    def take(self, now: float) -> Work | None:
        """The next key for a worker, or None when there is nothing to do before ``next_deadline``."""
        while self._timers and self._timers[0][0] <= now:
            due, _, key = heapq.heappop(self._timers)
            slot = self._slots.get(key)
            if slot is not None and slot.due == due:
                self._schedule(key, slot, now)
        while self._ready:
            key = next(iter(self._ready))
            slot = self._slots[key]
            self._unqueue(key, slot)
            record = slot.record or (slot.retained if slot.drifted else None)
            if record is not None:
                slot.busy = True
                made = Holding(record.uid, record.digest)
                again = not record.tombstone and slot.last == record.digest and slot.held != made
                return Work(key, record, again, guard=slot.record is None)
            self._forget_if_empty(key, slot)
        return None

    @property
    def has_work(self) -> bool:
        """Is there something to ask ``take`` for, now or later?"""
        return bool(self._ready or self._timers)

    def next_deadline(self) -> float | None:
        """When ``take`` should be asked again although nothing has happened."""
        return self._timers[0][0] if self._timers else None

    def done(
        self,
        work: Work,
        result: Result,
        now: float,
        *,
        retain: bool,
        after: float | None = None,
        drifted: tuple[str, ...] = (),
    ) -> None:
        """A worker has come to an end with one key.

        Args:
            work: what it was given.
            result: its number is ignored. Its holding is what the cluster holds as of the newest state known,
                which is not always what our own write made.
            now: monotonic seconds.
            retain: guard this record from now on?
            after: seconds until a pending one is tried again; None: back off as usual.
            drifted: the paths at which it was found to differ from what had been applied before.
        """
        slot = self._slots[work.key]
        slot.busy, slot.drift = False, drifted or slot.drift
        self._hold(work.key, slot, result.holding)
        if result.outcome is Outcome.PENDING:
            if slot.record is work.record:
                self._answer_pending(slot, result.reason)
            elif slot.record is None:
                self._tell(work.key, slot)  # It could not be put back from here: the source must know.
            self._back_off(work, slot, now, after)
            return
        slot.failures = 0
        self._finish(work, slot, result, retain, now)
        self._react(work.key, slot, now)

    def _finish(self, work: Work, slot: _Slot, result: Result, retain: bool, now: float) -> None:
        applied = result.outcome is Outcome.APPLIED
        self._applied += applied
        self._rejected += not applied
        if applied:
            slot.retained = work.record if retain and self._guards else None
            slot.last = work.record.digest
        elif slot.record is None:
            slot.retained = None  # It cannot be put back from here: the source must know.
        if work.again:
            self._reverted += applied
            slot.reverts.append(now)
        if slot.record is work.record:
            if slot.number is not None:
                slot.told = result.holding
                made = Holding(work.record.uid, work.record.digest)
                told = AS_ASKED if result.holding == made else result.holding
                self._say(structs.replace(result, number=slot.number, holding=told))
            self._want(work.key, slot, None)
            slot.number, slot.told_pending = None, ""

    def retry(self, work: Work, now: float, *, after: float | None = None) -> None:
        """The worker could not finish for a passing cause (throttled, unavailable, conflicts): try again.

        Args:
            work: what it was given.
            now: monotonic seconds.
            after: seconds the server asked for; None: back off as usual.
        """
        slot = self._slots[work.key]
        slot.busy = False
        self._back_off(work, slot, now, after)

    def _back_off(self, work: Work, slot: _Slot, now: float, after: float | None) -> None:
        if slot.record is not None and slot.record is not work.record:
            self._schedule(work.key, slot, now)
            return
        slot.failures += 1
        wait = min(RETRY_MAX, RETRY_FIRST * 2.0 ** min(slot.failures - 1, 10)) if after is None else after
        self._schedule(work.key, slot, now, not_before=now + wait)

    # What to report

    def reports(self, limit: int) -> Iterator[Report]:
        """Take up to ``limit`` reports off the FIFO, in their order."""
        while self._reports and limit > 0:
            limit -= 1
            yield self._reports.popleft()

    @property
    def has_reports(self) -> bool:
        """Is there something to report?"""
        return bool(self._reports)

    @property
    def owes(self) -> bool:
        """Is there a record of which the source has not heard on this link, not even that it waits?"""
        return any(slot.number is not None and not slot.told_pending for slot in self._slots.values())

    @property
    def unsaid(self) -> int:
        """How much there is to report."""
        return len(self._reports)

    @property
    def quiet(self) -> bool:
        """Is nothing wanted that is not applied, and nothing unreported?"""
        return not self._reports and not self._waiting

    def _say(self, report: Report) -> None:
        if self._linked:
            self._reports.append(report)

    def _tell(self, key: Key, slot: _Slot) -> None:
        """Report the holding unless the source knows it already."""
        if self._listed(key) and slot.told != slot.held:
            slot.told = slot.held
            self._say((key, slot.held))

    def _answer_pending(self, slot: _Slot, reason: str) -> None:
        if slot.number is not None and slot.told_pending != reason:
            slot.told_pending = reason
            self._say(Result(slot.number, Outcome.PENDING, reason))

    # Queues

    def _want(self, key: Key, slot: _Slot, record: Record | None) -> None:
        slot.record = record
        waiting = self._waiting.setdefault(key.kind, {})
        if record is not None:
            waiting[key] = None
            return
        waiting.pop(key, None)
        if not waiting:
            del self._waiting[key.kind]

    def _unqueue(self, key: Key, slot: _Slot) -> None:
        if slot.ready:
            del self._ready[key]
        slot.ready, slot.due = False, None

    def _schedule(self, key: Key, slot: _Slot, now: float, *, not_before: float = 0.0) -> None:
        """Let a worker have this key: now, or when its contest or back-off is over."""
        if slot.busy:
            return
        self._unqueue(key, slot)
        due = max(not_before, slot.contested_until)
        if due <= now:
            slot.ready = True
            self._ready[key] = None
        else:
            slot.due = due
            self._timer_numbers += 1
            heapq.heappush(self._timers, (due, self._timer_numbers, key))

    def _forget_if_empty(self, key: Key, slot: _Slot) -> None:
        if slot.record is None and slot.retained is None and slot.held is None and not slot.busy:
            self._unqueue(key, slot)
            del self._slots[key]

    # For the shell and for people

    def wanted_since(self, key: Key) -> float | None:
        """Since when the newest record of this key has been waiting; None: it has not."""
        slot = self._slots.get(key)
        return slot.wanted_since if slot is not None and slot.record is not None else None

    def wanted(self, key: Key) -> Record | None:
        """The newest record of this key while it is not applied yet."""
        slot = self._slots.get(key)
        return slot.record if slot is not None else None

    def guarded(self, key: Key) -> Record | None:
        """The record that is put back when what it has made drifts."""
        slot = self._slots.get(key)
        return slot.retained if slot is not None else None

    def held_keys(self) -> Sequence[Key]:
        """The keys under which something is held."""
        return [key for key, slot in self._slots.items() if slot.held is not None]

    def held(self, key: Key) -> Holding | None:
        """What is held under this key."""
        slot = self._slots.get(key)
        return slot.held if slot is not None else None

    def count(self, kind: Kind) -> int:
        """How many objects of this kind are held."""
        return self._held.count(kind)

    def waiting(self, *kinds: Kind) -> Sequence[Key]:
        """The keys of these kinds (none named: of all) whose newest record is not applied yet."""
        return [key for kind in kinds or self._waiting for key in self._waiting.get(kind, ())]

    def statistics(self, now: float) -> ReplicaStatistics:
        """Counters."""
        slots = self._slots.values()
        return ReplicaStatistics(
            held=len(self._held),
            working=sum(slot.busy for slot in slots),
            waiting=sum(map(len, self._waiting.values())),
            applied=self._applied,
            rejected=self._rejected,
            reverted=self._reverted,
            contested=sum(slot.contested_until > now for slot in slots),
            received=self._received,
        )
