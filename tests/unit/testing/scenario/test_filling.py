"""Texts with holes."""

from __future__ import annotations

from trio_argoagent.testing.scenario.filling import MAX_PAD, filled


def test_holes_are_filled_wherever_a_text_is() -> None:
    """Keys, values, lists; what is no hole stays."""
    value = {"a-{n}": ["{n}/{n}", {"b": "{m} {n"}], "c": 5, "d": None}
    assert filled(value, 7) == {"a-7": ["7/7", {"b": "{m} {n"}], "c": 5, "d": None}


def test_a_text_can_be_as_long_as_it_takes() -> None:
    """So many letters, and no more than there may be."""
    assert filled("<{pad:5}>", 1) == "<xxxxx>"
    assert len(filled("{pad:99999999}", 1)) == MAX_PAD
