"""Races of syncs with their expiry."""

from __future__ import annotations

from typing import Final

from ..test_expiry import BUSY, answered_in_time, behind_a_long_one, unheard_start
from .judging import Race

EXPIRING: Final = (
    Race("expired-while-away", answered_in_time),
    Race("expired-behind-another", behind_a_long_one, settings=BUSY),
    Race("expired-unheard", unheard_start),
)
