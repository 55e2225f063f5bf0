"""How long ago, in the short form that kubectl's users know: 45s, 5m30s, 3h, 2d4h.

Two figures at most, and the second one only while it still matters. The thresholds are those of
k8s.io/apimachinery pkg/util/duration, so that a column here looks as it does elsewhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_YEAR: Final = 365 * _DAY

# (below this many seconds, the unit, its sign, the finer unit if it is shown, its sign)
_RULES: Final = (
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)

UNKNOWN: Final = "<unknown>"
INVALID: Final = "<invalid>"


def short(seconds: float) -> str:
    """A duration. A little in the future is now, because clocks differ; more is invalid."""
    whole = int(seconds)
    if whole < -1:
        return INVALID
    whole = max(whole, 0)
    for below, unit, sign, finer, finer_sign in _RULES:
        if whole < below:
            rest = whole % unit // finer if finer else 0
            return f"{whole // unit}{sign}" + (f"{rest}{finer_sign}" if rest else "")
    return f"{whole // _YEAR}y"


def since(timestamp: object, now: float) -> str:
    """How long before ``now`` (wall seconds) an RFC 3339 time was."""
    if not timestamp:
        return UNKNOWN
    try:
        moment = datetime.fromisoformat(str(timestamp))
        return short(now - moment.timestamp()) if moment.tzinfo is not None else INVALID
    except (ValueError, OverflowError):
        return INVALID
