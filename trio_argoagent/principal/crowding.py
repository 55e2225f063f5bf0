"""Says that an agent has more objects than it may have on the hub: there is no object that could say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.model.records import Outcome
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.happenings import Happenings, Involved
from trio_argoagent.sync.allowance import TOO_MANY

RETRY: Final = 5.0
"""Seconds between two looks at whether it has been said."""
QUIET: Final = 900.0
"""Seconds without a refusal after which it is over: each object is offered again every five minutes."""


class Crowding:
    """See the module.

    Args:
        agent: its name.
        happenings: of its cluster secret.
        about: what the Events are about where it has none.
        tell: told once when it begins: name, text, level.
    """

    def __init__(
        self, agent: str, happenings: Happenings, about: Involved, tell: Callable[[str, str, str], None]
    ) -> None:
        self._agent, self._happenings, self._about, self._tell = agent, happenings, about, tell
        self._text, self._until = "", -1.0
        self._bell = Bell()

    def heard(self, outcome: Outcome, reason: str) -> None:
        """A record of this agent was answered."""
        if outcome is not Outcome.REJECTED or not reason.startswith(TOO_MANY):
            return
        now = trio.current_time()
        if now >= self._until:
            self._text = f"agent {self._agent}: {reason}: its further objects are refused, and tried again"
            self._tell("too-many-objects", self._text, "warning")
            self._bell.ring()
        self._until = now + QUIET

    async def run(self) -> None:
        """Show it as an Event, as long as it is so, until cancelled."""
        while True:
            await self._bell.wait(None)
            while trio.current_time() < self._until:
                await self._happenings.say(self._about, self._text)
                await trio.sleep(RETRY)
