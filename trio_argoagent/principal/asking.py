"""What the hub's users ask of one agent's Applications, as intents: both modes, level-triggered.

An intent follows from the object as the informer shows it, and stands until the object shows that it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
from trio_argoagent.sync.source import Ticket

_UNORDERED: Final = "-"
"""The resourceVersion of a spoke whose versions have no order, so that they cannot travel."""


class Asking:
    """See the module.

    Args:
        mapping: between the hub and this agent.
        outlet: of the desired feed.
    """

    def __init__(self, mapping: NamespaceMapping, outlet: Outlet) -> None:
        self._mapping, self._outlet = mapping, outlet
        self._intents: dict[Key, Intent] = {}
        self._refresh_seen: dict[Key, tuple[str, str]] = {}
        self._answered_at: dict[Key, str] = {}

    def changed(self, key: Key, change: Change) -> None:
        """An Application of the hub has changed."""
        found: Mapping[Key, Intent] = {}
        uid = self._known_uid(change.new) if change.new is not None else ""
        if change.new is None:
            self._refresh_seen.pop(key, None)
        elif uid and not wants.is_ignored(change.new):
            asked = intents.asked(change.new, self._first_seen(key, change.new))
            found = {key.of(Kind.INTENT, intent.verb): intent for intent in asked}
        for intent_key in intent_keys(key):
            intent = found.get(intent_key)
            if intent is None:
                if self._intents.pop(intent_key, None) is not None:
                    self._answered_at.pop(intent_key, None)
                    self._outlet.absent(intent_key)
            else:
                if self._intents.get(intent_key) != intent:
                    self._answered_at.pop(intent_key, None)
                self._intents[intent_key] = intent
                self._outlet.want(intent_key, wants.intent(uid, intent))

    def _known_uid(self, obj: Object) -> str:
        """The uid by which the spoke knows this Application."""
        return obj.annotations.get(names.SOURCE_UID, "") if self._mapping.autonomous else obj.meta.uid

    def _first_seen(self, key: Key, obj: Object) -> str:
        """The resourceVersion at which the refresh annotation that stands was first seen here."""
        standing = obj.annotations.get(names.REFRESH)
        if standing is None:
            self._refresh_seen.pop(key, None)
            return ""
        seen = self._refresh_seen.setdefault(key, (obj.meta.uid + standing, obj.meta.resource_version))
        if seen[0] != obj.meta.uid + standing:
            seen = self._refresh_seen[key] = (obj.meta.uid + standing, obj.meta.resource_version)
        return seen[1]

    def body(self, intent: Key) -> bytes | None:
        """What to send of the intent that stands under this key; None: none does."""
        standing = self._intents.get(intent)
        return wants.intent_body(standing) if standing is not None else None

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

    def refreshed_at(self, intent: Key) -> str:
        """The spoke's resourceVersion of its write for this intent; empty: it has not answered yet."""
        return self._answered_at.get(intent, "")

    def unstarted(self, intent: Key, asof: str) -> None:
        """As of then the spoke shows nothing of this sync.

        If that is after it was applied, the copy that knew of it has gone: the one that stands now is asked.
        """
        answered = self._answered_at.get(intent, "")
        # Where versions have no order, an older body could not be told from a newer one: the next link asks.
        if rv.at_least(asof, answered) and self._outlet.core.answered(intent):
            self._outlet.force(intent)
