"""What all monitors share: where they write down what was violated."""

from __future__ import annotations

from collections import Counter

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.records import Evidence


class Ledger:
    """What was violated, in order."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.doubled: Counter[str] = Counter()
        """See ``Monitors.doubled``."""
        self.withdrawn: dict[tuple[str, str], int] = {}
        """The resourceVersion as of which an agent was told last that this uid is gone, or not for it."""
        self.evidence: dict[tuple[str, str], Evidence] = {}
        """Of the last record on an agent's link that makes the copy of this uid go."""

    def violated(self, invariant: str, entry: LogEntry, text: str) -> None:
        """A write broke this rule."""
        what = f"{entry.resource.kind} {entry.namespace}/{entry.name} at {entry.rv} by {entry.actor}"
        self.say(f"{invariant}: {what}: {text}")

    def say(self, text: str) -> None:
        """Something that is no single write did; the text begins with the rule."""
        self.violations.append(f"{trio.current_time():.3f} s: {text}")
