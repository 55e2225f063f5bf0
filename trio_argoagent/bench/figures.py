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
Case = int | str
"""What one row of a question is about: a size, a count, or the name of something."""
Values = Mapping[str, tuple[str, float]]
"""By name, a figure's unit and its value in one round."""
Found = Sequence[tuple[Case, Values]]
"""What one round of one side has shown in each case."""


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
