"""Statuses: I1 and I2 of what the hub shows. It is what the spoke's object has had, and never an older one.

The operationState is left out: what users ask for stands there until it is answered (L3). So are mere time
stamps.
"""

from __future__ import annotations

from typing import Any

from trio_argoagent.apiserver.core.values import LogEntry, Stored
from trio_argoagent.sync import digest, projection
from trio_argoagent.testing.fleet import Spoke
from trio_argoagent.testing.model import Feed
from trio_argoagent.testing.monitors import reading
from trio_argoagent.testing.monitors.ledger import Ledger


class Statuses:
    """See the module."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._feed = ledger, Feed()

    def on_spoke(self, spoke: Spoke, entry: LogEntry) -> None:
        """A spoke's Application was written."""
        if entry.new is None:
            return
        uid = entry.new.uid if spoke.mapping.autonomous else reading.source_uid(entry.new)
        status = _shown(entry.new)
        if uid and status:
            self._feed.has(f"{uid} {spoke.name}", digest.stored(status), entry.rv)

    def on_hub(self, spoke: Spoke, entry: LogEntry) -> None:
        """The principal has written on a hub's Application of this agent."""
        if entry.new is None:
            return
        before, after = (_shown(each) if each is not None else {} for each in (entry.old, entry.new))
        if after == before or not after:
            return
        uid = reading.source_uid(entry.new) if spoke.mapping.autonomous else entry.new.uid
        value = digest.stored(spoke.mapping.status_down(after))
        # An Application that moves shows what another agent's copy has had.
        wrong = self._feed.show(f"{entry.new.uid} {spoke.name}", f"{uid} {spoke.name}", value)
        if wrong and not self._ledger.doubled[spoke.name]:
            self._ledger.violated(wrong[:2], entry, f"of its status: {wrong[4:]}")


def _shown(stored: Stored) -> dict[str, Any]:
    status = projection.substance(projection.status_of(reading.object_of(stored)))
    return {name: value for name, value in status.items() if name != "operationState"}
