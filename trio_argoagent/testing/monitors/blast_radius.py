"""I4: what is deleted without anybody having been seen to delete it, or confirmed it, stays within a budget.

The evidence is what travelled: the product cannot count an inferred deletion as a witnessed one without
having said so. What users confirm is read from the hub's log.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.records import Evidence
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.principal.holds import CONFIRM, HELD, read_entry
from trio_argoagent.replication.memory import NAME, agent_of
from trio_argoagent.sync import guard
from trio_argoagent.testing.fleet import PRODUCT, Fleet, Spoke
from trio_argoagent.testing.monitors import reading
from trio_argoagent.testing.monitors.ledger import Ledger

MARGIN: Final = 60.0
"""Seconds by which a deletion may lag behind its ruling: a slow API server must not look like a breach."""


class BlastRadius:
    """See the module.

    Args:
        fleet: that is watched.
        ledger: where to write violations down.
    """

    def __init__(self, fleet: Fleet, ledger: Ledger) -> None:
        self._fleet, self._ledger = fleet, ledger
        self._confirmed: dict[tuple[str, str, str], float] = {}
        self._deleted: dict[tuple[str, Kind], deque[tuple[float, str]]] = {}

    def on_hub(self, entry: LogEntry) -> None:
        """Has a user confirmed something?"""
        if entry.resource != CONFIG_MAPS or not entry.name.startswith(NAME) or entry.new is None:
            return
        data = entry.new.value.get("data") or {}
        held = read_entry(data.get(HELD, ""))
        if entry.actor in PRODUCT or held is None or data.get(CONFIRM, "").partition(" ")[0] != held.set:
            return
        for each in held.objects:
            kind, _, name = each.partition(" ")
            self._confirmed[agent_of(entry.name), kind, name.partition("/")[2]] = entry.at

    def on_copy(self, spoke: Spoke, kind: Kind, entry: LogEntry) -> None:
        """The product has written on a copy of that spoke."""
        goes = entry.new is None or entry.new.deleting
        if not goes or entry.old is None or entry.old.deleting or self._ledger.doubled[spoke.name]:
            return
        uid = reading.source_uid(entry.old)
        if self._ledger.evidence.get((spoke.name, uid)) is not Evidence.INFERRED:
            return
        if self._is_confirmed(spoke, kind, entry):
            return
        now, recent = trio.current_time(), self._deleted.setdefault((spoke.name, kind), deque())
        recent.append((now, entry.name))
        while recent[0][0] < now - guard.WINDOW + MARGIN:
            recent.popleft()
        left = self._left(spoke, kind, entry)
        budget = max(guard.FLOOR, (left + len(recent)) * guard.PERCENT // 100)
        if len(recent) > budget:
            text = f"{len(recent)} deletions that nobody was seen to do, of {left + len(recent)}"
            self._ledger.violated("I4", entry, text)
        elif not left and len(names := {name for _, name in recent}) > 1:
            # By name: a copy that gave way to its successor was never one of two.
            self._ledger.violated("I4", entry, f"the last of {len(names)} that nobody was seen to delete")

    def _is_confirmed(self, spoke: Spoke, kind: Kind, entry: LogEntry) -> bool:
        name = entry.name
        if spoke.mapping.autonomous and kind is Kind.APP_PROJECT:
            name = name.removeprefix(f"{spoke.name}-")
        at = self._confirmed.get((spoke.name, kind.value, name))
        return at is not None and entry.at <= at + guard.CONFIRMED_FOR + MARGIN

    def _left(self, spoke: Spoke, kind: Kind, entry: LogEntry) -> int:
        server = self._fleet.hub if spoke.mapping.autonomous else spoke.server
        namespace = entry.namespace if kind is Kind.APP_PROJECT or spoke.app_namespaces else ""
        items = server.list(entry.resource, namespace).items
        mine = [item for item in items if reading.source_uid(item) and not item.deleting]
        if spoke.mapping.autonomous and kind is Kind.APP_PROJECT:
            mine = [item for item in mine if item.name.startswith(f"{spoke.name}-")]
        return len(mine)
