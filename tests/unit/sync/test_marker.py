"""What a copy says it holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.sync import marker
from trio_argoagent.sync.marker import Marker

_WORD = st.text("abcdef0123456789", min_size=1)


@settings(deadline=None)
@given(_WORD, _WORD, st.just("") | _WORD, st.just("") | _WORD)
def test_it_reads_what_it_writes(digest: str, ap: str, asof: str, incarnation: str) -> None:
    """Empty fields, too."""
    mark = Marker(digest, ap, asof, incarnation)
    assert marker.parse(str(mark)) == mark


def test_the_text_is_the_one_on_every_copy() -> None:
    """It lies in clusters: change it only with a new scheme."""
    assert str(Marker("D", "AP", "7", "inc")) == "v1 D AP 7 inc"
    assert str(Marker("D", "AP", "", "")) == "v1 D AP - -"


@pytest.mark.parametrize(
    "text",
    [None, "", "v1", "v2 D AP 7 inc", "v1 D AP 7", "v1 D AP 7 inc more", "v1  AP 7 inc", "v1 D  7 inc"],
)
def test_what_it_does_not_understand_is_no_marker(text: str | None) -> None:
    """The object is then compared by value and stamped anew."""
    assert marker.parse(text) is None
