"""Merge patches and condition lists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.testing.argocd.writes import Decision, merge_diff, set_conditions

from .helpers import merge

values: st.SearchStrategy[Any] = st.recursive(
    st.integers(0, 2) | st.text("ab", max_size=1) | st.lists(st.integers(0, 1), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("xyz"), values, max_size=3)


@settings(deadline=None, max_examples=300)
@given(objects, objects)
def test_a_diff_leads_from_one_to_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    """RFC 7386: applying the patch to the old gives the new; no patch for no difference."""
    assert merge(old, merge_diff(old, new)) == new
    assert merge_diff(new, new) == {}


def test_conditions_keep_their_time_while_their_message_stays() -> None:
    """Another message is another time; a judged type without a finding goes; others stay."""
    old = [
        {"type": "B", "message": "same", "lastTransitionTime": "t0"},
        {"type": "A", "message": "other", "lastTransitionTime": "t0"},
        {"type": "C", "message": "gone", "lastTransitionTime": "t0"},
        {"type": "Z", "message": "not ours", "lastTransitionTime": "t0"},
    ]
    new = [{"type": "B", "message": "same"}, {"type": "A", "message": "now"}]
    assert [(c["type"], c["lastTransitionTime"]) for c in set_conditions(old, new, "ABC", "t1")] == [
        ("A", "t1"),
        ("B", "t0"),
        ("Z", "t0"),
    ]


def test_a_decision_names_its_writes() -> None:
    """A body is asked for by its label, which must be there once."""
    with pytest.raises(KeyError, match="0 writes W1"):
        Decision().body("W1")
