"""What an operator decides about the certificates that a principal issues."""

from __future__ import annotations

from typing import Final

import attrs

DAY: Final = 86_400.0
"""Seconds."""
LIFETIMES: Final = (3600.0, 90 * DAY)
"""Seconds: the shortest and the longest life of a certificate that is issued."""


@attrs.frozen
class Rules:
    """See the module.

    Attributes:
        lifetime: seconds that a certificate is valid.
        window: seconds after its expiry in which the last key is good for a new one; 0: never.
        registers: may there be agents that have no cluster secret yet?
        issues: does this principal issue at all?
    """

    lifetime: float = 7 * DAY
    window: float = 30 * DAY
    registers: bool = False
    issues: bool = True
