"""Which refusals stand, and what they say: everything that a replica will not, or cannot, hold.

A rejection stands at once. What is merely pending stands once it has been so for ``PATIENCE`` seconds, unless
it passes by itself. Either falls when the record is applied, or when nothing is missing any more. They are
remembered over the end of a link: that the spoke is away does not mend anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import attrs

from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.records import Outcome
from trio_argoagent.replication.dependencies import NEEDED, WAITS_FOR_PROJECT, WAITS_FOR_REPOSITORY
from trio_argoagent.sync import allowance, guard, intents, kinds, names, plan, policy, replica, scope

PATIENCE: Final = 5.0
"""Seconds a record may be pending before people are told."""
MAX_REFUSALS: Final = 10_000
"""Keys of one feed of which a refusal is remembered; what is beyond is counted as untold."""
MAX_MESSAGE: Final = 1024
"""Characters of a message; what is longer is cut."""

NO_OBJECT: Final = "the hub has no such object"
OTHER_OBJECT: Final = "the hub's object is another one of that name"
_PASSING: Final = (
    intents.BUSY,
    intents.NO_COPY,
    intents.LEAVING,
    plan.TERMINATING,
    guard.SETTLING,
    NO_OBJECT,
    OTHER_OBJECT,
    NEEDED,
    WAITS_FOR_REPOSITORY,
    "is nested deeper than",
)
"""Parts of the reasons that pass by themselves, however long that takes: nobody needs to act on them."""
_AT_ONCE: Final = (policy.NOT_ADOPTED, scope.FORBIDDEN)
"""Parts of the reasons that only a person can end: there is nothing to be patient for."""
_ADVICE: Final = (
    ("nested deeper", f"make it flatter, or label it {names.IGNORE_SYNC}: true"),
    (scope.FORBIDDEN, "let the agent have it, or move the Application"),
    (policy.NOT_ADOPTED, f"remove it there, or annotate it {names.ADOPTION_POLICY}: always"),
    (WAITS_FOR_PROJECT, "create it, or let this agent have it (destinations, sourceNamespaces)"),
    (allowance.TOO_MANY, "remove some, or let it have more; it is tried again every 5 minutes"),
    (guard.HELD, "it waits for trio-argoagent ctl deletes confirm"),
    (replica.CONTESTED, "find out who; it is put back again after 5 minutes"),
    (" of its own of that name", "rename or remove one of the two"),
    ("mirrors another agent's", "rename one of the two"),
    ("out of this agent's scope", "its name is too long for the hub, or its namespace is not this agent's"),
    ("is forbidden", "grant that right; it is tried again by itself"),
    ('namespaces "', "create the namespace; it is tried again by itself"),
)
_REJECTED: Final = "change the object; the same is tried again in 5 minutes"
_PENDING: Final = "it is tried again by itself"


def is_passing(reason: str) -> bool:
    """Does a record that is pending for this reason need nobody but time?"""
    return any(part in reason for part in _PASSING)


def explain(where: str, reason: str, *, final: bool) -> str:
    """One line for people: where, what is wrong, and what to do.

    Args:
        where: who refuses it.
        reason: in its own words.
        final: it was rejected.
    """
    advice = next((what for part, what in _ADVICE if part in reason), _REJECTED if final else _PENDING)
    tail, text = f" ({advice})", " ".join(f"{where}: {reason}".split())
    most = MAX_MESSAGE - len(tail)
    return (text if len(text) <= most else text[: most - 3] + "...") + tail


@attrs.frozen
class Refusal:
    """One of them.

    Attributes:
        text: for people.
        due: when it is to be seen (monotonic seconds).
        local: this side itself refuses what the other one has sent.
    """

    text: str
    due: float
    local: bool


Name = tuple[str, str]
"""Namespace and name of an object here."""
Place = tuple[Kind, Name]
"""An object here: an Application or an AppProject."""


class Refusals:
    """See the module; of both feeds of one link's side, by the object here that each is about.

    Args:
        name_of: the object here that a key is about.
        settled: does the other side hold, or has it answered, all that is wanted of this key?
        there: who the other side is, for people.
        here: who this side is.
    """

    def __init__(
        self, name_of: Callable[[Key], Name], settled: Callable[[Key], bool], there: str, here: str
    ) -> None:
        self.name_of, self._settled, self._there, self._here = name_of, settled, there, here
        self._standing: dict[Place, dict[Key, Refusal]] = {}
        self._count = 0
        self.untold = 0
        """Refusals that were one too many to remember."""

    def heard(self, key: Key, outcome: Outcome, reason: str, now: float, *, local: bool = False) -> bool:
        """A record of this key was answered (``local``: by this side). Returns: is there anything new?"""
        final = outcome is Outcome.REJECTED
        told_otherwise = final and key.kind is Kind.INTENT and key.verb == Verb.SYNC  # As its operationState.
        if outcome is Outcome.APPLIED or told_otherwise or (not final and is_passing(reason)):
            return self.forget(key)
        found = self._standing.setdefault(self.place(key), {})
        before = found.get(key)
        if before is None and self._count >= MAX_REFUSALS:
            self.untold += 1
            return False
        text = explain(self._here if local else self._there, reason, final=final)
        urgent = final or any(part in reason for part in _AT_ONCE)
        due = now if urgent else min(now + PATIENCE, before.due if before is not None else float("inf"))
        found[key] = Refusal(text, due, local)
        self._count += before is None
        return found[key] != before

    def forget(self, key: Key) -> bool:
        """Nothing is refused of this key (any more). Returns: was it?"""
        place = self.place(key)
        found = self._standing.get(place, {})
        if found.pop(key, None) is None:
            return False
        self._count -= 1
        if not found:
            del self._standing[place]
        return True

    def forget_local(self, name: Name) -> None:
        """The Application of which this side has refused something is gone."""
        for key, refusal in list(self._standing.get((Kind.APPLICATION, name), {}).items()):
            if refusal.local:
                self.forget(key)

    def places(self) -> list[Place]:
        """The objects here of which something is refused."""
        return list(self._standing)

    def stands(self, kind: Kind, name: Name) -> bool:
        """Is anything refused of this object?"""
        return (kind, name) in self._standing

    def wanted(self, key: Key, now: float) -> str | None:
        """What the object of this key shall say: empty: nothing; None: it is not known yet.

        Args:
            key: of the object itself.
            now: monotonic seconds.
        """
        for each, refusal in list(self._standing.get(self.place(key), {}).items()):
            if not refusal.local and self._settled(each):
                self.forget(each)
        standing = self._standing.get(self.place(key), {})
        texts = dict.fromkeys(refusal.text for refusal in standing.values() if refusal.due <= now)
        if texts:
            return "; ".join(texts)[:MAX_MESSAGE]
        return None if standing or not self._settled(key) else ""

    def next_deadline(self, now: float) -> float | None:
        """When the next one is to be seen."""
        return min((due for due in self._dues() if due > now), default=None)

    def _dues(self) -> Iterator[float]:
        for standing in self._standing.values():
            yield from (refusal.due for refusal in standing.values())

    def __bool__(self) -> bool:
        return bool(self._standing)

    def place(self, key: Key) -> Place:
        """The object here that this key is about."""
        return kinds.BASE[key.kind].kind, self.name_of(key)
