"""Copies and their sources: I1, I2, I3, I3b, I13, and W1 of what is deployed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import attrs
import trio

from trio_argoagent.apiserver.core.values import LogEntry, Stored
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.sync import names, selection, wants
from trio_argoagent.sync.marker import Marker
from trio_argoagent.testing.faults import is_abandoned
from trio_argoagent.testing.fleet import PRODUCT, Fleet, Spoke
from trio_argoagent.testing.model import Feed
from trio_argoagent.testing.monitors import reading
from trio_argoagent.testing.monitors.ledger import Ledger

RECENTLY: Final = 120.0
"""Seconds for which a deletion may still follow from an object having been out of replication."""
WINDOW: Final = 600.0
"""Seconds over which deletions are counted together."""


@attrs.define
class Past:
    """What is known of one source object (by uid), alive or gone."""

    home: str = ""
    """The agent that has it, or had it last."""
    deleting: bool = False
    cascading: bool = False
    gone: bool = False
    unwanted_at: float = float("-inf")
    unwanted_rv: int = 0
    """Of the last write after which the other side was to hold nothing of it."""


@attrs.define
class Copy:
    """What is known of one copy on a spoke (by its own uid)."""

    source: str = ""
    deleted_by: str = ""


class Copies:
    """See the module.

    Args:
        fleet: whose copies.
        ledger: of what was violated.
        made: told what each write has made a copy hold.
    """

    def __init__(self, fleet: Fleet, ledger: Ledger, made: Callable[[str, str, str], None]) -> None:
        self.widest = 0
        self._fleet, self._ledger, self._made = fleet, ledger, made
        self._feed = Feed()
        self._deletions: deque[float] = deque()
        self._past: dict[str, Past] = {}
        self._copies: dict[str, Copy] = {}
        self._buried: dict[tuple[str, str], int] = {}

    def remember(self, spoke: Spoke, kind: Kind, entry: LogEntry) -> None:
        """Keep what a source object was, for the judgement of its copy."""
        past = self._past.setdefault(entry.subject.uid, Past())
        if entry.new is None:
            past.gone, past.unwanted_rv = True, entry.rv
            return
        obj = reading.object_of(entry.new)
        body = reading.body_of(spoke, kind, obj)
        if kind is Kind.APP_PROJECT or spoke.mapping.autonomous or spoke.mapping.find(kind, obj) is not None:
            past.home = spoke.name
        if body is None or selection.is_ignored(obj):
            past.unwanted_at, past.unwanted_rv = trio.current_time(), entry.rv
        else:
            # Leaving replication and coming back is two writes; between them it was unwanted.
            row = reading.row_of(spoke, kind)
            self._feed.has(obj.meta.uid, wants.copy(row, obj.meta.uid, body).digest, entry.rv)
        if (
            entry.old is not None
            and entry.new is not None
            and selection.is_ignored(reading.object_of(entry.old))
        ):
            past.unwanted_at = trio.current_time()
        past.deleting = past.deleting or obj.deleting
        past.cascading = past.cascading or (obj.deleting and bool(names.family(obj.finalizers)))

    def on_copy(self, spoke: Spoke, kind: Kind, entry: LogEntry) -> None:
        """The product has written on a copy."""
        old, new = entry.old, entry.new
        before, after = reading.marker_of(old), reading.marker_of(new)
        uid = reading.source_uid(new if new is not None else old)
        if after is not None:
            self._made(spoke.name, uid, after.digest)
        if after is not None and after != before:
            self._check_marker(spoke, entry, uid, before, after)
        if new is not None and old is None and (spoke.name, uid) in self._buried:
            self._check_creation(spoke, entry, uid, after)
        if new is None or (new.deleting and not (old is not None and old.deleting)):
            self._check_deletion(spoke, kind, entry, reading.source_uid(old), old)

    def _check_creation(self, spoke: Spoke, entry: LogEntry, uid: str, after: Marker | None) -> None:
        """Is this the value from before the deletion that was carried out already?"""
        unwanted_rv = self._buried.pop((spoke.name, uid))
        # A create that lands after its sender has died cannot be fenced; what is left of it is removed (L1).
        if after is None or not after.asof or is_abandoned() or not self._past[uid].gone:
            return
        if int(after.asof) < unwanted_rv and not self._ledger.doubled[spoke.name]:
            text = f"created again as of {after.asof}, but was deleted as of {unwanted_rv}"
            self._ledger.violated("I13", entry, f"{uid} is gone: {text}")

    def _check_marker(
        self, spoke: Spoke, entry: LogEntry, uid: str, before: Marker | None, after: Marker
    ) -> None:
        asof_now = int(after.asof) if after.asof else None
        wrong = self._feed.show(entry.subject.uid, uid, after.digest, asof_now)
        if wrong and not (wrong.startswith("I2") and self._ledger.doubled[spoke.name]):
            self._ledger.violated(wrong[:2], entry, wrong[4:])
        same = entry.old is not None and reading.source_uid(entry.old) == uid
        asof = before.asof if same and before is not None else ""
        back = asof and after.asof and int(asof) > int(after.asof)
        if back and not self._ledger.doubled[spoke.name]:
            self._ledger.violated("I2", entry, f"asof goes back from {asof} to {after.asof}")

    def _check_deletion(
        self, spoke: Spoke, kind: Kind, entry: LogEntry, uid: str, old: Stored | None
    ) -> None:
        if old is not None and old.deleting:
            return  # Somebody else has deleted it; we only took finalizers off.
        self._count_deletion()
        past = self._past.get(uid)
        if past is not None and past.unwanted_rv:
            # It may have been withdrawn twice, and only the first time be known to whoever deletes it.
            known = self._ledger.withdrawn.get((spoke.name, uid), past.unwanted_rv)
            self._buried[spoke.name, uid] = min(known, past.unwanted_rv)
        if past is None or past.gone or past.deleting:
            return
        if kind is Kind.APPLICATION and past.home != spoke.name:
            return  # It has moved to another agent.
        if trio.current_time() - past.unwanted_at > RECENTLY and not self._ledger.doubled[spoke.name]:
            self._ledger.violated("I3", entry, f"its source {uid} is alive and wanted")

    def _count_deletion(self) -> None:
        now = trio.current_time()
        self._deletions.append(now)
        while self._deletions[0] < now - WINDOW:
            self._deletions.popleft()
        self.widest = max(self.widest, len(self._deletions))

    def check_release(self, entry: LogEntry) -> None:
        """The principal has deleted, or let go, a hub's Application."""
        assert entry.old is not None
        for spoke in reading.whose(self._fleet.spokes.values(), Kind.APPLICATION, entry):
            if spoke.mapping.autonomous or self._ledger.doubled[spoke.name]:
                continue
            for item in spoke.server.list(APPLICATIONS, spoke.app_namespaces).items:
                if reading.source_uid(item) == entry.old.uid:
                    self._ledger.violated("I3b", entry, "the spoke still has its copy")

    def follow(self, entry: LogEntry) -> None:
        """Who deleted this spoke object first, and whose copy was it then?"""
        shown = entry.new if entry.new is not None else entry.subject
        known = self._copies.setdefault(shown.uid, Copy())
        known.source = reading.source_uid(shown) or known.source
        if not known.deleted_by and (entry.new is None or entry.new.deleting):
            known.deleted_by = entry.actor

    def wrong_prunes(self) -> Iterator[str]:
        """W1."""
        for spoke in self._fleet.spokes.values():
            for prune in spoke.world.prunes:
                known = self._copies.get(prune.uid, Copy())
                if prune.by == "sync" or known.deleted_by not in PRODUCT:
                    continue
                past = self._past.get(known.source)
                if past is None or not past.cascading:
                    what = f"{prune.app}: {prune.key[1]} {prune.key[3]} was pruned by {prune.by}"
                    yield f"{spoke.name}: W1: {what}, but {known.source} was not deleted with cascade"
