"""Lines about what strangers can cause as often as they like: each cause is told once in a while."""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.runtime.events import Event, Observer

SILENCE: Final = 60.0
"""Seconds for which the same cause is not told again."""
MAX_CAUSES: Final = 64
"""Causes remembered; when there are more, all are told anew."""


class Rarely:
    """See the module.

    Args:
        observer: told.
        name: of the events.
    """

    def __init__(self, observer: Observer, name: str) -> None:
        self._observer, self._name = observer, name
        self._told: dict[str, float] = {}

    def tell(self, text: str) -> None:
        """Say it, unless that has just been said."""
        now = trio.current_time()
        if now < self._told.get(text, -SILENCE) + SILENCE:
            return
        if len(self._told) >= MAX_CAUSES:
            self._told.clear()
        self._told[text] = now
        self._observer(Event(self._name, "", text, "warning"))
