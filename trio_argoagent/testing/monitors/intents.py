"""Requests and the intents they become: I7, L3."""

from __future__ import annotations

from collections.abc import Iterator

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.sync import operations
from trio_argoagent.sync.operations import Origin
from trio_argoagent.testing.fleet import PRINCIPAL, PRODUCT, Fleet
from trio_argoagent.testing.monitors import reading
from trio_argoagent.testing.monitors.ledger import Ledger


class Intents:
    """See the module."""

    def __init__(self, fleet: Fleet, ledger: Ledger) -> None:
        self.starts: dict[str, int] = {}
        """How often each was started, on all copies together."""
        self._fleet, self._ledger = fleet, ledger
        self._started: dict[tuple[str, str], None] = {}

    def check_start(self, entry: LogEntry) -> None:
        """A spoke's Application was written: was an intent started?"""
        if entry.actor not in PRODUCT or entry.new is None:
            return
        before = reading.intent(entry.old)
        started = reading.intent(entry.new)
        if started and started != before:
            self.starts[started] = self.starts.get(started, 0) + 1
            if (entry.new.uid, started) in self._started:
                self._ledger.violated("I7", entry, f"the agent starts {started} once more")
            self._started[entry.new.uid, started] = None

    def check_request(self, entry: LogEntry) -> None:
        """Has the principal removed or changed a request that nobody has answered?"""
        if entry.actor != PRINCIPAL or entry.old is None or entry.new is None:
            return
        old, new = entry.old.value.get("operation"), entry.new.value.get("operation")
        was, now = operations.classify(old), operations.classify(new)
        if (
            old
            and was.origin is Origin.REQUEST
            and new not in (old, operations.stamped(old, now.id, now.until))
        ):
            self._ledger.violated("L3", entry, "a request was removed instead of stamped")
        if was.origin is Origin.INTENT and was != now and was.id not in self.starts:
            state = (entry.new.value.get("status") or {}).get("operationState")
            if not operations.is_rejection(state):
                self._ledger.violated("L3", entry, f"the intent {was.id} was removed before it was started")

    def double_starts(self) -> Iterator[str]:
        """I7, by what has run."""
        for spoke in self._fleet.spokes.values():
            starts: dict[tuple[str, str], dict[str, None]] = {}
            for attempt in spoke.world.attempts:
                entry = operations.classify(attempt.operation)
                if entry.origin is Origin.INTENT and attempt.phase == "Running":
                    starts.setdefault((attempt.uid, entry.id), {})[attempt.token.partition("#")[0]] = None
            for (_, intent), times in starts.items():
                if len(times) > 1:
                    yield f"{spoke.name}: I7: {intent} ran {len(times)} times: {', '.join(times)}"
