"""Which objects take part: what selects everything is no selector."""

from __future__ import annotations

from trio_argoagent.model.selectors import EVERYTHING, LabelSelector
from trio_argoagent.sync.selection import WHOLE, Selection

PRODUCTION = LabelSelector.parse("env=production")


def test_what_chooses_everything_makes_no_other_selection() -> None:
    """Else all would be looked at anew for each link, on which both sides name their selectors."""
    assert Selection((EVERYTHING, LabelSelector.parse(" "))) == WHOLE
    assert Selection((EVERYTHING, PRODUCTION)) == Selection((PRODUCTION,))
    assert Selection((EVERYTHING, PRODUCTION)).said() == ("env=production",)
