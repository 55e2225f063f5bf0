"""Two processes with one agent's certificate: which one stays. Decisions only.

A rolling update overlaps for a moment, and must not deadlock: the newest wins, and the one that was replaced
waits a minute before it dials again. Two that are meant to stay would take turns for ever (argocd-agent lets
them steal each other's events): the third time within five minutes the one that is connected stays, if it
lives, and somebody is told.
"""

from __future__ import annotations

from typing import Final

import attrs

SWAPS: Final = 3
"""Times within ``WINDOW`` that one process may claim another's place before the place is kept."""
WINDOW: Final = 300.0
"""Seconds."""
PROBE: Final = 5.0
"""Seconds for the connected process to prove that it lives before it is preferred."""
RIVAL_RETRY: Final = 60.0
"""Seconds after which the other one may ask again."""


@attrs.frozen
class Rivalry:
    """When lately a process has claimed the place of another one of the same agent."""

    claims: tuple[float, ...] = ()

    def claimed(self, now: float) -> Rivalry:
        """Another claim; the oldest ones are forgotten."""
        recent = tuple(at for at in self.claims if at > now - WINDOW)
        return Rivalry((*recent, now)[-SWAPS:])

    def is_contested(self, now: float) -> bool:
        """Is it more than a rolling update?"""
        return len([at for at in self.claims if at > now - WINDOW]) >= SWAPS
