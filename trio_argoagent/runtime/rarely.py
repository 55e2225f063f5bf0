"""Lines about what strangers can cause as often as they like: each cause is told once in a while.

Of ever new ones so many are told: a stranger writes what he likes into his certificate.
"""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.runtime.events import Event, Observer

SILENCE: Final = 60.0
"""Seconds for which the same cause is not told again."""
MAX_CAUSES: Final = 64
"""Causes told within that time."""
TOO_MANY: Final = f"more than {MAX_CAUSES} different causes in {SILENCE:.0f} s: the others are not told"


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
        self._told = {known: at for known, at in self._told.items() if now < at + SILENCE}
        if len(self._told) >= MAX_CAUSES:
            text = TOO_MANY
        if text in self._told:
            return
        self._told[text] = now
        self._observer(Event(self._name, "", text, "warning"))
