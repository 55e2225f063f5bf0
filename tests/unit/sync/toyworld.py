"""A toy world round one Source and one Replica: two clusters, two FIFOs, workers, and every accident.

The source's objects and the replica's copies are dicts. A copy says which record made it and whether it is
still intact, as a marker does; what the replica's side *knows* of a copy may lag behind it. Every step is one
small thing, so an interleaving is a list of steps. ``settle`` ends the accidents and lets everything run.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import attrs

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import DRIFT, Evidence, Holding, Outcome, Record, Result
from trio_argoagent.sync.kinds import Rank
from trio_argoagent.sync.replica import Listing, Replica, Root, Work
from trio_argoagent.sync.source import Phase, Source, Ticket, Want

KEYS = tuple(Key(Kind.APPLICATION, "argocd", f"app-{n}") for n in range(4))
MAX_ROUNDS = 2_000


@attrs.frozen
class Thing:
    """An object at the source. ``deleting``: it waits for its copy to go before it goes itself."""

    uid: str
    version: int
    deleting: bool = False

    @property
    def want(self) -> Want:
        """What the replica should hold of it."""
        digest = f"D{self.version}{'-deleting' if self.deleting else ''}"
        rank = Rank.DELETION if self.deleting else Rank.SPEC
        return Want(self.uid, digest, rank, answered_only=self.deleting)


@attrs.frozen
class Copy:
    """A copy at the replica: what its marker says, and whether the rest of it still fits."""

    uid: str
    digest: str
    intact: bool = True

    @property
    def holding(self) -> Holding:
        """What it says it holds."""
        return Holding(self.uid, self.digest if self.intact else DRIFT)


def holding_of(copy: Copy | None) -> Holding | None:
    """What a copy, or none, says it holds."""
    return copy.holding if copy is not None else None


class World:
    """See the module. ``now`` is virtual seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.uids = 0
        self.things: dict[Key, Thing] = {}
        self.dead: set[str] = set()
        self.witnessed: set[str] = set()
        self.copies: dict[Key, Copy] = {}
        self.known: dict[Key, Copy] = {}
        self.working: list[tuple[Work, bool]] = []
        self.down: deque[Any] = deque()
        self.up: deque[Any] = deque()
        self.linked = self.complete = self.watching = False
        self.rejected = 0
        self.tickets: list[Ticket] = []
        self.frames: list[str] = []
        self.source, self.replica = Source(), Replica(lambda key: True)
        self.relist()

    # The source's cluster

    def put(self, key: Key, version: int) -> None:
        """Create or change one object; one that is deleting can no longer be changed."""
        thing = self.things.get(key)
        if thing is None:
            self.uids += 1
            thing = Thing(f"u{self.uids}", version)
        elif not thing.deleting:
            thing = attrs.evolve(thing, version=version)
        self.things[key] = thing
        if self.watching:
            self.source.want(key, thing.want, self.now)

    def remove(self, key: Key) -> None:
        """Delete one object at once; the source sees it go only if it is watching."""
        thing = self.things.pop(key, None)
        if thing is None:
            return
        self.dead.add(thing.uid)
        if self.watching:
            self.witnessed.add(thing.uid)
            self.source.absent(key, self.now, witnessed=thing.uid)

    def recreate(self, key: Key, version: int) -> None:
        """Delete and create: another uid under the same name."""
        self.remove(key)
        self.put(key, version)

    def cascade(self, key: Key) -> None:
        """Delete one object whose copy must go first."""
        if key in self.things:
            self.things[key] = attrs.evolve(self.things[key], deleting=True)
            if self.watching:
                self.source.want(key, self.things[key].want, self.now)

    def strip(self) -> None:
        """What has been answered ``applied`` as deleting may go now."""
        if self.watching:
            for key in [key for key, thing in self.things.items() if thing.deleting]:
                if self.source.answered(key):
                    assert self.copies.get(key) is None or self.copies[key].uid != self.things[key].uid
                    self.remove(key)

    def blind(self) -> None:
        """The watch breaks: nothing is seen until the next list, and absence means nothing."""
        self.watching = False
        self.set_complete(False)

    def relist(self) -> None:
        """A consistent list: what is there is wanted, what is not is absent without a witness."""
        self.watching = True
        for key in KEYS:
            if key in self.things:
                self.source.want(key, self.things[key].want, self.now)
            else:
                self.source.absent(key, self.now)
        self.set_complete(True)

    def vanish(self, key: Key) -> None:
        """One object goes while nobody looks."""
        self.blind()
        self.remove(key)
        self.relist()

    def set_complete(self, complete: bool) -> None:
        """Is the view whole?"""
        self.complete = complete
        self.source.set_complete(Kind.APPLICATION, complete, self.now)

    # The replica's cluster

    def drift(self, key: Key) -> None:
        """Somebody changes a copy."""
        if key in self.copies:
            self.copies[key] = attrs.evolve(self.copies[key], intact=False)

    def mend(self, key: Key) -> None:
        """Somebody changes it back."""
        if key in self.copies:
            self.copies[key] = attrs.evolve(self.copies[key], intact=True)

    def lose(self, key: Key) -> None:
        """Somebody deletes a copy."""
        self.copies.pop(key, None)

    def disturb(self, key: Key) -> None:
        """Somebody changes a copy, and it is seen."""
        self.drift(key)
        self.observe(key)

    def observe(self, key: Key) -> None:
        """The replica's informer catches up on one key."""
        self._know(key)
        self.replica.observe(
            key, holding_of(self.known.get(key)), self.now, retain=lambda: self._retained(key)
        )

    def _know(self, key: Key) -> None:
        self.known.pop(key, None)
        if key in self.copies:
            self.known[key] = self.copies[key]

    def _retained(self, key: Key) -> Record | None:
        copy = self.known.get(key)
        return Record(key, copy.uid, copy.digest, "", b"") if copy is not None and copy.intact else None

    # Workers

    def start(self) -> None:
        """A worker takes what is next."""
        work = self.replica.take(self.now)
        if work is not None:
            assert all(work.key != other.key for other, _ in self.working), "two workers on one key"
            self.working.append((work, False))

    def write(self, index: int) -> None:
        """A worker's write lands; nobody has been told yet."""
        if self.working:
            work, _ = self.working[index % len(self.working)]
            self._land(work)
            self.working[index % len(self.working)] = (work, True)

    def _land(self, work: Work) -> None:
        key, record = work.key, work.record
        copy = self.copies.get(key)
        gone = record.tombstone or record.digest.endswith("-deleting")
        if not gone:
            self.copies[key] = Copy(record.uid, record.digest)
        elif copy is not None and copy.uid == record.uid:
            del self.copies[key]
        self._know(key)

    def finish(self, index: int, outcome: Outcome | None) -> None:
        """A worker comes to its end; None: it could not, and will try again. APPLIED: once it has written."""
        if not self.working:
            return
        work, wrote = self.working.pop(index % len(self.working))
        if outcome is Outcome.APPLIED and not wrote:
            self._land(work)
        self.rejected += outcome is Outcome.REJECTED
        if outcome is None:
            self.replica.retry(work, self.now)
            return
        stays = not work.record.tombstone and not work.record.digest.endswith("-deleting")
        result = Result(0, outcome, outcome.value, holding_of(self.known.get(work.key)))
        self.replica.done(work, result, self.now, retain=stays and outcome is Outcome.APPLIED)

    # The link

    def connect(self) -> None:
        """A link is up; what the replica says first is its root."""
        if not self.linked:
            self.linked = True
            self.up.append(("hello", self.replica.link_up()))

    def cut(self) -> None:
        """The link is gone, and all that was under way on it."""
        self.linked = False
        self.down.clear()
        self.up.clear()
        self.replica.link_down()
        self.source.link_down(self.now)

    def pull(self) -> None:
        """The source's writer sends one record."""
        ticket = self.source.take(self.now)
        if ticket is None:
            return
        assert self.linked, "there is no link to send on"
        self._check(ticket)
        self.tickets.append(ticket)
        thing = self.things.get(ticket.key)
        want = ticket.want
        if want is not None and self.watching:
            assert thing is not None and want == thing.want, "not the newest value"
        body = None if want is None else b""
        digest = "" if want is None else want.digest
        record = Record(ticket.key, ticket.uid, digest, "", body, ticket.evidence, ticket.replaces)
        self._down(("record", ticket.number, record))

    def _check(self, ticket: Ticket) -> None:
        """A tombstone has evidence, and is never about something alive."""
        if ticket.want is not None:
            return
        thing = self.things.get(ticket.key)
        assert thing is None or thing.uid != ticket.uid, "a tombstone for the living"
        assert ticket.uid, "a tombstone for nobody"
        if ticket.evidence is Evidence.WITNESSED:
            assert ticket.uid in self.witnessed
        else:
            assert self.complete

    def _down(self, frame: Any) -> None:
        self.down.append(frame)
        self.frames.append(frame[0])

    def push(self) -> None:
        """The replica's writer sends one report."""
        for report in self.replica.reports(1):
            self.up.append(report)
            self.frames.append(type(report).__name__)

    def mark(self) -> None:
        """The replica's root goes up, for the continuous check."""
        self.replica.mark()

    def deliver_down(self) -> None:
        """The oldest frame on its way to the replica arrives."""
        if self.down:
            match self.down.popleft():
                case ("record", number, record):
                    self.replica.record(number, record, self.now)
                case ("hashes", hashes):
                    self.replica.compare(hashes)

    def garble(self) -> None:
        """The oldest frame on its way to the replica refers to something that is not there any more."""
        match self.down[0] if self.down else None:
            case ("record", number, record) if not record.tombstone:
                self.down.popleft()
                self.replica.refuse(number, record.key, "", Outcome.UNREADABLE)

    def deliver_up(self) -> None:
        """The oldest frame on its way to the source arrives."""
        if not self.up:
            return
        hashes = None
        match self.up.popleft():
            case ("hello", root):
                hashes = self.source.link_up(root, self.now)
            case Root(root):
                hashes = self.source.mark(root, self.now)
            case Listing(indices, entries):
                self.source.leaf(indices, entries, True, self.now)
            case Result() as result:
                self.source.result(result, self.now)
            case (key, holding):
                self.source.have([(key, holding)], self.now)
        if hashes is not None:
            self._down(("hashes", hashes))

    def drain_down(self) -> None:
        """All that can be sent down is sent and arrives."""
        for _ in KEYS:
            self.pull()
        while self.down:
            self.deliver_down()

    def drain_up(self) -> None:
        """All that there is to report arrives."""
        while self.replica.has_reports:
            self.push()
        while self.up:
            self.deliver_up()

    def check(self) -> None:
        """One continuous check."""
        self.mark()
        self.drain_up()

    # Restarts

    def restart_source(self, *, blind: bool) -> None:
        """A new process, which knows nothing but what it lists (``blind``: not even that, yet)."""
        self.cut()
        self.source = Source()
        self.witnessed.clear()
        self.watching = self.complete = False
        if not blind:
            self.relist()

    def restart_replica(self, *, landing: bool) -> None:
        """A new process; the writes of the old one may still land."""
        self.cut()
        for work, _ in self.working:
            if landing:
                self._land(work)
        self.working.clear()
        self.replica = Replica(lambda key: True)
        self.known.clear()
        for key in KEYS:
            self.observe(key)

    def tick(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    # The end

    def settle(self) -> None:
        """No more accidents: everything runs until nothing moves and no timer is left that matters."""
        self.relist()
        if self.rejected:
            self.cut()  # What was refused is offered again on the next link.
        self.connect()
        for _ in range(MAX_ROUNDS):
            for key in KEYS:
                if self.known.get(key) != self.copies.get(key):
                    self.observe(key)
            if self._round():
                continue
            deadlines = [d for core in (self.source, self.replica) if (d := core.next_deadline()) is not None]
            due = min(deadlines, default=math.inf)
            if due is math.inf:
                return
            self.now = max(self.now, due)
        raise AssertionError("it never comes to rest")

    def _round(self) -> bool:
        before = len(self.frames)
        self.strip()
        moved = bool(self.down or self.up or self.working)
        self.drain_down()
        for _ in KEYS:
            self.start()
        while self.working:
            moved = True
            self.finish(0, Outcome.APPLIED)
        self.drain_up()
        return moved or before != len(self.frames)

    def assert_converged(self) -> None:
        """Both clusters are equal, both cores know it, and nothing is sent any more."""
        wanted = {key: thing.want.holding for key, thing in self.things.items()}
        assert {key: copy.holding for key, copy in self.copies.items()} == wanted
        assert self.source.phase is Phase.LIVE and self.source.proven
        assert self.replica.quiet
        assert self.source.root() == self.replica.root()
        assert self.source.statistics(self.now).mismatches == 0, "a continuous check went wrong"
        sent = len(self.frames)
        for _ in range(5):
            self.mark()
            while self._round():
                pass
            self.tick(3_600.0)
        assert self.frames[sent:] == ["Root"] * 5
