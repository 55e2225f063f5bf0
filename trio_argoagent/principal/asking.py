"""What the hub's users ask of one agent's Applications, as intents: both modes, level-triggered.

An intent follows from the object as the informer shows it, and stands until the object shows that it is over.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model import rv
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome, Result
from trio_argoagent.replication.intents import intent_keys
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.sync import intents, names, wants
from trio_argoagent.sync.intents import Intent
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.selection import WHOLE
from trio_argoagent.sync.source import Ticket

MAX_SHOWN: Final = 100
"""Waiting intents that are named; more of them would be read by nobody."""
_UNORDERED: Final = "-"
"""The resourceVersion of a spoke whose versions have no order, so that they cannot travel."""


@attrs.frozen
class Waiting:
    """Something that a user of the hub has asked for, and the spoke has not taken up.

    Attributes:
        verb: what.
        name: of the hub's Application, with its namespace.
        until: the Unix second at which it expires; 0: never.
        reason: what the spoke says; empty: it has not said anything.
    """

    verb: Verb
    name: str
    until: int
    reason: str


class Asking:
    """See the module.

    Args:
        mapping: between the hub and this agent.
        outlet: of the desired feed.
        now: wall time, Unix seconds.
    """

    def __init__(self, mapping: NamespaceMapping, outlet: Outlet, now: Callable[[], float]) -> None:
        self._mapping, self._outlet, self._now = mapping, outlet, now
        self.selection = WHOLE
        """The objects that take part."""
        self.hydrates = True
        """Does the agent know requests for a hydration?"""
        self._intents: dict[Key, Intent] = {}
        self._seen: dict[Key, tuple[str, str]] = {}
        self._answered_at: dict[Key, str] = {}

    def changed(self, key: Key, change: Change) -> list[Intent]:
        """An Application of the hub has changed. Returns: what is asked for anew."""
        fresh = []
        found: Mapping[Key, Intent] = {}
        uid = self._known_uid(change.new) if change.new is not None else ""
        if change.new is None:
            for verb in intents.REQUESTS:
                self._seen.pop(key.of(Kind.INTENT, verb), None)
        elif uid and not self.selection.leaves_out(change.new):
            asked = intents.asked(change.new, self._first_seen(key, change.new))
            found = {
                key.of(Kind.INTENT, intent.verb): intent
                for intent in asked
                if self.hydrates or intent.verb is not Verb.HYDRATE
            }
        for intent_key in intent_keys(key) if found or self._intents else ():
            intent = found.get(intent_key)
            if intent is None:
                if self._intents.pop(intent_key, None) is not None:
                    self._answered_at.pop(intent_key, None)
                    self._outlet.absent(intent_key)
            else:
                if self._intents.get(intent_key) != intent:
                    self._answered_at.pop(intent_key, None)
                    fresh.append(intent)
                self._intents[intent_key] = intent
                self._outlet.want(intent_key, wants.intent(uid, intent))
        return fresh

    def _known_uid(self, obj: Object) -> str:
        """The uid by which the spoke knows this Application."""
        return obj.annotations.get(names.SOURCE_UID, "") if self._mapping.autonomous else obj.meta.uid

    def _first_seen(self, key: Key, obj: Object) -> Mapping[Verb, str]:
        """The resourceVersions at which the requests that stand were first seen here."""
        found, standing = {}, intents.requested(obj)
        if not standing and not self._seen:
            return {}
        for verb in intents.REQUESTS:
            place = key.of(Kind.INTENT, verb)
            mark = obj.meta.uid + standing.get(verb, "")
            if verb not in standing:
                self._seen.pop(place, None)
            elif self._seen.get(place, ("", ""))[0] != mark:
                self._seen[place] = (mark, obj.meta.resource_version)
            if place in self._seen:
                found[verb] = self._seen[place][1]
        return found

    def body(self, intent: Key) -> bytes | None:
        """What to send of the intent that stands under this key; None: none does."""
        standing = self._intents.get(intent)
        return wants.intent_body(standing, self._now()) if standing is not None else None

    def answered(self, ticket: Ticket, result: Result) -> Intent | None:
        """An intent's record was answered for good. Returns: the sync that the spoke will not run, if so."""
        key = ticket.key
        intent = self._intents.get(key)
        if intent is None or ticket.want is None:
            return None
        if wants.intent(ticket.uid, intent).digest != ticket.want.digest:
            return None  # The answer to an earlier request: the one that stands now has not been answered.
        if result.outcome is Outcome.APPLIED:
            self._answered_at[key] = result.asof or _UNORDERED
        elif key.verb == Verb.SYNC and result.outcome is Outcome.REJECTED:
            return intent
        return None

    def requested_at(self, intent: Key) -> str:
        """The spoke's resourceVersion of its write for this intent; empty: it has not answered yet."""
        return self._answered_at.get(intent, "")

    def waiting(self, reasons: Mapping[Key, str]) -> tuple[Waiting, ...]:
        """What stands and has not been answered, at most ``MAX_SHOWN``.

        Args:
            reasons: of the replica, by key: why it has not brought that about.
        """
        found = ((key, intent) for key, intent in self._intents.items() if key not in self._answered_at)
        shown = itertools.islice(found, MAX_SHOWN)
        return tuple(
            Waiting(intent.verb, "/".join(self._mapping.hub_name(key)), intent.until, reasons.get(key, ""))
            for key, intent in shown
        )

    def has_started(self, app: Object) -> bool:
        """Has the spoke said that it has started the sync that stands on this Application?"""
        key = self._mapping.find(Kind.APPLICATION, app)
        return key is not None and key.of(Kind.INTENT, Verb.SYNC) in self._answered_at

    def unstarted(self, intent: Key, asof: str) -> None:
        """As of then the spoke shows nothing of this sync.

        If that is after it was applied, the copy that knew of it has gone: the one that stands now is asked.
        """
        answered = self._answered_at.get(intent, "")
        # Where versions have no order, an older body could not be told from a newer one: the next link asks.
        if rv.at_least(asof, answered) and self._outlet.core.answered(intent):
            self._outlet.force(intent)
