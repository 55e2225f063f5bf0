"""Which deletions a receiving side carries out by itself, and which wait for a person.

A source that has lost its memory, its namespace or its database looks exactly like one whose user has deleted
everything. What tells them apart is evidence: a *witnessed* deletion was seen to happen, an *inferred* one is
an absence that was found. Witnessed ones pass (``Limits.most`` bounds them where an operator wants it).
Inferred ones first settle for a moment, so that a set which comes as many records is judged as one, and are
then held, all that wait of their kind together, if

- they are more than the budget: 5, or 5 % of what is owned, within ten minutes;
- they would leave nothing of two or more;
- the source has gone back: a copy was made from a later state than the one that now lacks it;
- the source is not known to be the one of last time (``suspect``: see ``views``);
- this process has run for less than ten minutes. What its predecessor let through is not known, so its budget
  counts as spent: a program that crashes again and again must not have a new budget each time. These alone
  are judged anew by themselves when the ten minutes are over.

What is held stays held until the source wants the object again, its deletion is witnessed after all, or the
set is confirmed under its name: a digest of exactly these objects, so that what a person has seen is what is
deleted. A confirmation is used once, holds for 15 minutes, and counts in no budget.

A recreate (the copy of another uid gives way) counts as a deletion. ``now`` is monotonic seconds throughout.
"""

from __future__ import annotations

import enum
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Evidence

WINDOW: Final = 600.0
"""Seconds over which deletions are counted together."""
FLOOR: Final = 5
"""Inferred deletions of one kind in a window that always pass, however few objects are owned."""
PERCENT: Final = 5
"""Of the owned objects of a kind: as many inferred deletions in a window pass if they are more."""
SETTLE: Final = 2.0
"""Seconds without another one after which the inferred deletions of a kind are judged together."""
SETTLE_MAX: Final = 30.0
"""Seconds after the first of them when they are judged in any case."""
CONFIRMED_FOR: Final = 900.0
"""Seconds for which a confirmation holds."""

HELD: Final = "held: "
"""What the reason of a held deletion begins with; the rest says why."""
SETTLING: Final = "is being judged together with what else is missing"

_STARTED: Final = "this process has run for less than 10 minutes: what was deleted before is not known"
_GONE_BACK: Final = "the source has gone back in time (restored?)"


@attrs.frozen
class Limits:
    """What passes without a person.

    Attributes:
        floor: see ``FLOOR``.
        percent: see ``PERCENT``.
        most: deletions in a window, of any kind and evidence; None: witnessed ones are not counted.
        enabled: False: what is inferred passes like what was witnessed.
    """

    floor: int = FLOOR
    percent: float = PERCENT
    most: int | None = None
    enabled: bool = True

    @classmethod
    def of(cls, most: int | None, inferred: int | None) -> Limits:
        """The limits of the two options: all deletions, and inferred ones of a kind (-1: no limit)."""
        if inferred is None:
            return cls(most=most)
        if inferred < 0:
            return cls(most=most, enabled=False)
        return cls(inferred, 0, most)


@attrs.frozen
class Departure:
    """One copy that a record would make go.

    Attributes:
        key: of the record.
        uid: the source uid of the copy that would go.
        evidence: how the source knows.
        gone_back: the copy was made as of a later resourceVersion than the one the record was read at.
    """

    key: Key
    uid: str
    evidence: Evidence
    gone_back: bool = False


@attrs.frozen
class HeldSet:
    """What waits for a person: ``name`` stands for exactly these, in the order of their keys."""

    name: str
    reason: str
    departures: tuple[Departure, ...]


class Ruling(enum.Enum):
    """What becomes of one departure for now."""

    PASSED = "passed"
    SETTLING = "settling"
    HELD = "held"


@attrs.frozen
class Answer:
    """The ruling, why it is none that passes, and in how many seconds to ask again (None: when told)."""

    ruling: Ruling
    reason: str = ""
    after: float | None = None


PASSED: Final = Answer(Ruling.PASSED)


@attrs.define
class _Case:
    departure: Departure
    ruling: Ruling
    reason: str = ""
    until: float | None = None
    """When the ruling ends by itself: of a confirmation, or of a hold that only time asks for."""
    stale: bool = False
    """It was asked on an earlier link, or for an earlier record: it may not be asked again."""
    counted: bool = False
    """It passed by itself: it spends of the budget, from then until a window after it was carried out."""


@attrs.frozen
class _Passed:
    at: float
    kind: Kind
    evidence: Evidence


def set_name(departures: Iterable[Departure]) -> str:
    """The name of a set: a digest over its sorted keys and uids."""
    lines = sorted(f"{d.key.kind}\0{d.key.namespace}\0{d.key.name}\0{d.uid}" for d in departures)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


class Guard:
    """One feed's guard; see the module. It outlives links.

    Args:
        limits: what passes.
        owned: how many objects of a kind are held now.
    """

    def __init__(self, limits: Limits, owned: Callable[[Kind], int]) -> None:
        self._limits, self._owned = limits, owned
        self._cases: dict[Key, _Case] = {}
        self._arrivals: dict[Kind, tuple[float, float]] = {}
        self._passed: deque[_Passed] = deque()
        self._gone: deque[tuple[float, Kind]] = deque()
        self._since: float | None = None
        self._suspicion = ""
        self._held: HeldSet | None = None
        self.changes = 0
        """Grows whenever ``held`` may be another one."""

    # What is asked

    def ask(self, departure: Departure, now: float) -> Answer:
        """May this copy go? Ask before each write that would make it go; asking again counts once."""
        if not self._limits.enabled:
            if self._limits.most is None:
                return PASSED
            departure = attrs.evolve(departure, evidence=Evidence.WITNESSED)
        self._begin(now)
        case = self._case(departure, now)
        if case.until is not None and now >= case.until:
            self._expire(now)
        if case.ruling is Ruling.SETTLING and now >= self._deadline(departure.key.kind):
            self._judge(departure.key.kind, now)
        if case.ruling is Ruling.PASSED:
            return PASSED
        if case.ruling is Ruling.SETTLING:
            return Answer(Ruling.SETTLING, HELD + SETTLING, self._deadline(departure.key.kind) - now)
        after = case.until - now if case.until is not None else None
        return Answer(Ruling.HELD, HELD + case.reason, after)

    def new_link(self, now: float) -> None:
        """A link is up: what was to go will be asked for again, or not (see ``settled``)."""
        self._begin(now)
        for case in self._cases.values():
            case.stale = True

    def renew(self, key: Key) -> None:
        """Another record of this key has come: it may ask again, or not."""
        case = self._cases.get(key)
        if case is not None:
            case.stale = True

    def settled(self) -> None:
        """Both sides agree: what was not asked for again is not to go."""
        for key, case in list(self._cases.items()):
            if case.stale:
                del self._cases[key]
                self._changed()

    def finish(self, key: Key, now: float) -> None:
        """The record that asked is answered for good."""
        case = self._cases.pop(key, None)
        if case is not None:
            if case.ruling is Ruling.PASSED:
                self._gone.append((now, key.kind))
            if case.counted:
                self._passed.append(_Passed(now, key.kind, case.departure.evidence))
            self._changed()

    # What people, and the other side, say

    def suspect(self, reason: str) -> None:
        """Hold every inferred deletion until a set is confirmed, or ``trust`` is called."""
        self._suspicion = reason

    def trust(self) -> None:
        """The source is what it was, or both sides agree: there is nothing to suspect."""
        self._suspicion = ""

    @property
    def suspicion(self) -> str:
        """Why nothing inferred passes; empty: it may."""
        return self._suspicion

    def confirm(self, name: str, now: float) -> Sequence[Key]:
        """A person has seen this very set and wants it gone.

        Returns:
            The keys that may now go; none if what is held is another set, or nothing.
        """
        held = self.held
        if held is None or held.name != name:
            return ()
        keys = [departure.key for departure in held.departures]
        for key in keys:
            self._rule(self._cases[key], Ruling.PASSED)
            self._cases[key].counted = False
            self._cases[key].until = now + CONFIRMED_FOR
        self._suspicion = ""
        return keys

    @property
    def held(self) -> HeldSet | None:
        """What waits for a person."""
        if self._held is None:
            waiting = sorted(
                (case for case in self._cases.values() if case.ruling is Ruling.HELD),
                key=lambda case: case.departure.key,
            )
            if not waiting:
                return None
            found = tuple(case.departure for case in waiting)
            reasons = dict.fromkeys(case.reason for case in waiting)
            self._held = HeldSet(set_name(found), "; ".join(reasons), found)
        return self._held

    # Judging

    def _begin(self, now: float) -> None:
        if self._since is None:
            self._since = now

    def _case(self, departure: Departure, now: float) -> _Case:
        known = self._cases.get(departure.key)
        if known is not None and _is_same(known, departure):
            known.stale = False
            return known
        case = self._cases[departure.key] = _Case(departure, Ruling.SETTLING)
        self._changed()
        if departure.evidence is Evidence.WITNESSED:
            self._witness(case, now)
        else:
            first, last = self._arrivals.get(departure.key.kind, (now, now))
            first = first if now < last + SETTLE else now
            self._arrivals[departure.key.kind] = (first, now)
        return case

    def _witness(self, case: _Case, now: float) -> None:
        objection = self._exceeds_most(1, now)
        if objection:
            self._rule(case, Ruling.HELD, objection)
        else:
            self._pass(case)

    def _expire(self, now: float) -> None:
        """Confirmations that were not used in time, holds that have only waited: rule anew, as one set."""
        expired = [case for case in self._cases.values() if case.until is not None and now >= case.until]
        for case in expired:
            case.until = None
            self._rule(case, Ruling.SETTLING)
        for case in expired:
            if case.departure.evidence is Evidence.WITNESSED:
                self._witness(case, now)

    def _deadline(self, kind: Kind) -> float:
        first, last = self._arrivals.get(kind, (0.0, -SETTLE))
        return min(last + SETTLE, first + SETTLE_MAX)

    def _judge(self, kind: Kind, now: float) -> None:
        """Rule on all inferred departures of a kind that wait, as one set."""
        waiting = [
            case
            for case in self._cases.values()
            if case.departure.key.kind is kind
            and not case.stale
            and case.ruling is not Ruling.PASSED
            and case.departure.evidence is Evidence.INFERRED
        ]
        # What is held stays held: else a set that a person looks at would go once another one joins it.
        standing = (case.reason for case in waiting if case.ruling is Ruling.HELD and case.until is None)
        objection = next(standing, "") or self._objection(kind, waiting, now)
        started = self._since if self._since is not None else now
        until = started + WINDOW if not objection and now < started + WINDOW else None
        for case in waiting:
            if objection or until is not None:
                self._rule(case, Ruling.HELD, objection or _STARTED)
                case.until = until
            else:
                self._pass(case)

    def _objection(self, kind: Kind, waiting: Sequence[_Case], now: float) -> str:
        """Why these must not go without a person; empty: nothing but time stands against it."""
        self._forget_old(now)
        owned = self._owned(kind)
        before = owned + sum(gone is kind for _, gone in self._gone)
        budget = max(self._limits.floor, int(before * self._limits.percent / 100))
        spent = sum(p.kind is kind and p.evidence is Evidence.INFERRED for p in self._spent())
        leaving = sum(c.departure.key.kind is kind and not c.stale for c in self._cases.values())
        if self._suspicion:
            return self._suspicion
        if any(case.departure.gone_back for case in waiting):
            return _GONE_BACK
        if before >= 2 and leaving >= owned:
            return f"nothing would be left of {before} {kind} objects"
        if spent + len(waiting) > budget:
            return f"more than {budget} of {before} {kind} objects are missing within 10 minutes"
        return self._exceeds_most(len(waiting), now)

    def _exceeds_most(self, more: int, now: float) -> str:
        most = self._limits.most
        if most is None:
            return ""
        self._forget_old(now)
        witnessed = (case for case in self._cases.values() if case.departure.evidence is Evidence.WITNESSED)
        held = sum(case.ruling is Ruling.HELD for case in witnessed)
        if len(self._spent()) + held + more <= most:
            return ""
        return f"more than {most} deletions within 10 minutes (--max-deletions)"

    def _forget_old(self, now: float) -> None:
        while self._passed and self._passed[0].at <= now - WINDOW:
            self._passed.popleft()
        while self._gone and self._gone[0][0] <= now - WINDOW:
            self._gone.popleft()

    def _pass(self, case: _Case) -> None:
        self._rule(case, Ruling.PASSED)
        case.counted = True

    def _spent(self) -> list[_Passed]:
        """What has passed by itself within the window, or is still to be carried out."""
        under_way = (case.departure for case in self._cases.values() if case.counted)
        return [*self._passed, *(_Passed(0.0, d.key.kind, d.evidence) for d in under_way)]

    def _rule(self, case: _Case, ruling: Ruling, reason: str = "") -> None:
        case.ruling, case.reason = ruling, reason
        self._changed()

    def _changed(self) -> None:
        self._held = None
        self.changes += 1


def _is_same(case: _Case, departure: Departure) -> bool:
    """Has this departure been ruled on? Later evidence of the same one is better, or changes nothing."""
    known = case.departure
    if known.uid != departure.uid:
        return False
    return known.evidence is departure.evidence or case.ruling is Ruling.PASSED
