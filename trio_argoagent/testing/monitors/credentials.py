"""I14: what an agent writes as credentials, it may have, or might have had a moment before."""

from __future__ import annotations

import attrs
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

_ROWS = [row for row in kinds.bases(Mode.MANAGED) if row.within is Kind.APP_PROJECT]


@attrs.frozen
class _Grant:
    agent: str
    uid: str
    content: str


class Credentials:
    """See the module."""

    def __init__(self, fleet: Fleet, ledger: Ledger) -> None:
        self._fleet, self._ledger = fleet, ledger
        self._granted: dict[_Grant, float] = {}
        """Until when each was known to be granted; what still is, until for ever."""

    def on_hub(self, entry: LogEntry) -> None:
        """Something on the hub has changed: who may have what now?"""
        if entry.resource not in (SECRETS, APP_PROJECTS) or entry.namespace != NAMESPACE:
            return
        now, forever = trio.current_time(), float("inf")
        granted = {each: forever for spoke in self._fleet.spokes.values() for each in self._grants(spoke)}
        ended = {each: min(until, now) for each, until in self._granted.items()}
        self._granted = ended | granted

    def _grants(self, spoke: Spoke) -> list[_Grant]:
        if spoke.mapping.autonomous:
            return []
        projects = oracle.objects(self._fleet.hub, APP_PROJECTS, NAMESPACE)
        theirs = {
            name
            for name, project in projects.items()
            if not selection.is_ignored(project) and spoke.mapping.admits(project.get("spec"))
        }
        secrets = oracle.objects(self._fleet.hub, SECRETS, NAMESPACE).values()
        return [
            _Grant(spoke.name, secret.meta.uid, _content(secret))
            for secret in secrets
            if any(row.selects(secret) for row in _ROWS) and entitlement.project_of(secret) in theirs
        ]

    def on_spoke(self, spoke: Spoke, entry: LogEntry) -> None:
        """An agent has written on its spoke."""
        uid = reading.source_uid(entry.new)
        if entry.resource != SECRETS or entry.new is None or not uid:
            return
        grant = _Grant(spoke.name, uid, _content(reading.object_of(entry.new)))
        if self._granted.get(grant, float("-inf")) < trio.current_time() - RECENTLY:
            self._ledger.violated("I14", entry, "these credentials are not this agent's")


def _content(secret: Object) -> str:
    return digest.stored(secret.get("data") or {})
