"""I14: what an agent writes as credentials, it may have, or might have had a moment before.

A Secret names its AppProject in its own data, and the two are watched apart: a principal that still sees a
project which has gone from the agent a moment ago may well send a newer Secret for it. So each is asked for
itself: did the hub hold these credentials, and had this agent the project that they name, of late?
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, SECRETS
from trio_argoagent.sync import digest, entitlement, kinds, selection
from trio_argoagent.testing import oracle
from trio_argoagent.testing.fleet import NAMESPACE, Fleet, Spoke
from trio_argoagent.testing.monitors import reading
from trio_argoagent.testing.monitors.copies import RECENTLY
from trio_argoagent.testing.monitors.ledger import Ledger

_ROWS: Final = [row for row in kinds.bases(Mode.MANAGED) if row.within is Kind.APP_PROJECT]

Fact = tuple[str, str]
"""An agent and a project that it has; or a Secret's uid and what is in it."""


class Credentials:
    """See the module."""

    def __init__(self, fleet: Fleet, ledger: Ledger) -> None:
        self._fleet, self._ledger = fleet, ledger
        self._owned: dict[Fact, float] = {}
        """Until when an agent was known to have a project; what it has now, until for ever."""
        self._held: dict[Fact, float] = {}
        """Likewise the content of the hub's Secrets."""

    def on_hub(self, entry: LogEntry) -> None:
        """Something on the hub has changed: who has what now?"""
        if entry.namespace != NAMESPACE:
            return
        if entry.resource == APP_PROJECTS:
            self._owned = _renewed(self._owned, self._projects())
        elif entry.resource == SECRETS:
            self._held = _renewed(self._held, self._secrets())

    def _projects(self) -> Iterator[Fact]:
        projects = oracle.objects(self._fleet.hub, APP_PROJECTS, NAMESPACE)
        for spoke in self._fleet.spokes.values():
            for name, project in projects.items():
                admitted = spoke.mapping.admits(project.get("spec")) and not spoke.mapping.autonomous
                if admitted and not selection.is_ignored(project):
                    yield spoke.name, name

    def _secrets(self) -> Iterator[Fact]:
        for secret in oracle.objects(self._fleet.hub, SECRETS, NAMESPACE).values():
            if any(row.selects(secret) for row in _ROWS):
                yield secret.meta.uid, _content(secret)

    def on_spoke(self, spoke: Spoke, entry: LogEntry) -> None:
        """An agent has written on its spoke."""
        uid = reading.source_uid(entry.new)
        if entry.resource != SECRETS or entry.new is None or not uid:
            return
        secret = reading.object_of(entry.new)
        owned = self._owned.get((spoke.name, entitlement.project_of(secret)), float("-inf"))
        held = self._held.get((uid, _content(secret)), float("-inf"))
        if min(owned, held) < trio.current_time() - RECENTLY:
            self._ledger.violated("I14", entry, "these credentials are not this agent's")


def _renewed(known: dict[Fact, float], now: Iterator[Fact]) -> dict[Fact, float]:
    ended = {each: min(until, trio.current_time()) for each, until in known.items()}
    return ended | dict.fromkeys(now, float("inf"))


def _content(secret: Object) -> str:
    return digest.stored(secret.get("data") or {})
