"""One quantity, as several rounds have shown it."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

CPU: Final = "cpu"
"""The figure that sides are compared by: microseconds of CPU a message, or milliseconds a connection, of both
processes together."""
INSTRUCTIONS: Final = "instructions"
BY_VALGRIND: Final = "instructions (valgrind)"
"""Units: as the processor has counted them, and as a processor in software has."""
Case = int | str
"""What one row of a question is about: a size, a count, or the name of something."""
EXACT: Final[Mapping[str, float]] = {
    "": 0,
    "rules": 0,
    "links": 0,
    "an agent": 0,
    "an Application": 0,
    "virtual s": 0,
    "B": 64,
    "B an agent": 64,
    "B an Application": 64,
    INSTRUCTIONS: 0,
    BY_VALGRIND: 0,
}
"""Units of figures that are no matter of chance, and by how much they may differ all the same: bytes by a
frame or a TLS record more."""
RATIO: Final = "x"
"""The unit of a figure as a multiple of a peer's."""
DRAWN: Final = "drawn"
"""The unit of what a question does, and not what it finds: neither more nor less of it is better."""
_SCALES: Final = {"us": 1e6, "ms": 1e3}
Values = Mapping[str, tuple[str, float]]
"""By name, a figure's unit and its value in one round."""
Found = Sequence[tuple[Case, Values]]
"""What one round of one side has shown in each case."""


def percentiles(times: Sequence[float], unit: str, name: str = "") -> dict[str, tuple[str, float]]:
    """Two places of the order of times.

    Args:
        times: seconds.
        unit: of the figures: us or ms.
        name: what comes before the place.
    """
    ordered, last = sorted(times), len(times) - 1
    prefix = f"{name} " if name else ""
    scale = _SCALES[unit]
    return {f"{prefix}p{q}": (unit, scale * ordered[min(last, len(times) * q // 100)]) for q in (50, 99)}


def beyond(found: Found, name: str, of_one: str, unit: str, scale: float) -> list[tuple[Case, Values]]:
    """What each that a case counts adds to a figure: the least case, with its fixed part, is taken off.

    Args:
        found: cases are numbers.
        name: of the figure.
        of_one: the name of what is added to the figures of all cases but the least.
        unit: of that.
        scale: how many of its units one of the figure's is.
    """
    least, fixed = min((int(case), values[name][1]) for case, values in found)
    return [
        (case, values | {of_one: (unit, scale * (values[name][1] - fixed) / (int(case) - least))})
        if int(case) > least
        else (case, values)
        for case, values in ((case, dict(values)) for case, values in found)
    ]


class Sense(enum.Enum):
    """Which way a goal looks."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@attrs.frozen
class Figure:
    """One quantity, measured in several rounds.

    Attributes:
        unit: as it is shown.
        values: one a round, in the order they were taken; at least one.
    """

    unit: str
    values: tuple[float, ...]

    @property
    def better(self) -> Sense:
        """Which way is good: rates are to be high, and all else low."""
        return Sense.AT_LEAST if self.unit.endswith("/s") else Sense.AT_MOST

    @property
    def median(self) -> float:
        """What it is, most likely."""
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """From the least to the greatest, as a share of the median; 0 for a single value."""
        middle = self.median
        return (max(self.values) - min(self.values)) / abs(middle) if middle else 0.0

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "unit": self.unit,
            "n": len(self.values),
            "median": self.median,
            "spread": round(self.spread, 4),
            "values": list(self.values),
        }
