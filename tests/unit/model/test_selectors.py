"""Label selectors as values; what each form selects is tested where the API server uses them."""

from __future__ import annotations

import pytest

from trio_argoagent.model.selectors import EVERYTHING, LabelSelector


def test_equal_texts_are_equal_selectors() -> None:
    """So that a changed selector is noticed."""
    assert LabelSelector.parse(" a=1 ") == LabelSelector.parse("a=1") != LabelSelector.parse("a=2")
    assert LabelSelector.parse(" ") == EVERYTHING


def test_what_is_selected() -> None:
    """All requirements must hold; the empty selector has none."""
    selector = LabelSelector.parse("team in (a,b),!hidden")
    assert selector.matches({"team": "a"})
    assert not selector.matches({"team": "a", "hidden": ""})
    assert not selector.matches({})
    assert EVERYTHING.matches({})


def test_what_is_no_selector() -> None:
    """It is refused with the API server's own words."""
    with pytest.raises(ValueError, match="unable to parse requirement"):
        LabelSelector.parse("a in b")
