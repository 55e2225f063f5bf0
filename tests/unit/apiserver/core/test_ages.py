"""Short durations."""

from __future__ import annotations

import pytest

from trio_argoagent.apiserver.core import ages

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (12_600, "3h30m"),
        (8 * 3600, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 4 * 3600, "2d4h"),
        (8 * DAY + 3600, "8d"),
        (729 * DAY, "729d"),
        (730 * DAY, "2y"),
        (731 * DAY, "2y1d"),
        (8 * 365 * DAY + DAY, "8y"),
    ],
)
def test_short(seconds: int, text: str) -> None:
    """At each threshold the form changes as kubectl's users know it."""
    assert ages.short(seconds) == text


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        ("1970-01-01T00:00:00Z", "90s"),
        ("1970-01-01T01:00:30.000000+01:00", "60s"),
        ("", "<unknown>"),
        (None, "<unknown>"),
        ("yesterday", "<invalid>"),
        ("1970-01-01T00:00:00", "<invalid>"),
    ],
)
def test_since(timestamp: str | None, text: str) -> None:
    """A time in either of Kubernetes' forms; nothing and nonsense are told apart."""
    assert ages.since(timestamp, 90.0) == text
