"""Is a source still the one it was?"""

from __future__ import annotations

import attrs
import pytest

from trio_argoagent.sync import views
from trio_argoagent.sync.views import View

BEFORE = View("ns-1", "map-1", 5)


@pytest.mark.parametrize(
    ("now", "doubt"),
    [
        (BEFORE, ""),
        (attrs.evolve(BEFORE, sessions=6), ""),
        (attrs.evolve(BEFORE, sessions=4), "restored from a backup"),
        (attrs.evolve(BEFORE, namespace="ns-2"), "deleted and created again"),
        (attrs.evolve(BEFORE, namespace="ns-1" + views.LEAVING), "is being deleted"),
        (attrs.evolve(BEFORE, mapping="map-2"), "maps or selects"),
        (attrs.evolve(BEFORE, namespace=""), ""),
        (attrs.evolve(BEFORE, mapping=""), ""),
    ],
)
def test_doubt(now: View, doubt: str) -> None:
    """Whatever goes back or differs raises a doubt; what is not known raises none."""
    found = views.doubt(BEFORE, now)
    assert doubt in found
    assert bool(found) == bool(doubt)


def test_the_first_view_is_believed() -> None:
    """There is nothing to compare it with; but a namespace on its way out is none to infer from."""
    assert views.doubt(None, BEFORE) == ""
    assert views.doubt(None, attrs.evolve(BEFORE, namespace="ns-1" + views.LEAVING))


def test_a_doubt_stands_until_it_is_settled() -> None:
    """A restored source's counter soon catches up: that is no reason to believe it."""
    doubted = attrs.evolve(BEFORE, doubt="why")
    assert views.doubt(doubted, attrs.evolve(BEFORE, sessions=99)) == "why"
    assert views.merged(doubted, BEFORE).doubt == ""


def test_merged_forgets_nothing() -> None:
    """What is not told stays known."""
    assert views.merged(BEFORE, View("", "", 7)) == View("ns-1", "map-1", 7)
    assert views.merged(None, BEFORE) == BEFORE


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"namespace":"a","mapping":"b","sessions":"x"}'])
def test_what_cannot_be_read_is_not_remembered(text: str) -> None:
    """An operator may have edited it: that ends nothing."""
    assert views.load(text) is None


def test_round_trip() -> None:
    """What is remembered is known again, the doubt included."""
    for view in (BEFORE, attrs.evolve(BEFORE, doubt="why")):
        assert views.load(views.dump(view)) == view
