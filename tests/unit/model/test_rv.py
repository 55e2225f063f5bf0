"""The one place that orders resourceVersions."""

from __future__ import annotations

import pytest

from trio_argoagent.model import rv


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("17", 17),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("a", None),
        ("\u0661", None),
        (" 1", None),
    ],
)
def test_only_decimal_versions_have_an_order(text: str, number: int | None) -> None:
    """ASCII digits and nothing else."""
    assert rv.parse(text) == number


@pytest.mark.parametrize(
    ("a", "b", "newer", "least", "latest"),
    [
        ("10", "9", True, True, "10"),
        ("9", "10", False, False, "10"),
        ("9", "9", False, True, "9"),
        ("x", "9", False, False, "9"),
        ("9", "x", False, False, "x"),
        ("", "", False, False, ""),
    ],
)
def test_order(a: str, b: str, newer: bool, least: bool, latest: str) -> None:
    """By number, never by text; without an order nothing is known."""
    assert (rv.is_newer(a, b), rv.at_least(a, b), rv.latest(a, b)) == (newer, least, latest)
