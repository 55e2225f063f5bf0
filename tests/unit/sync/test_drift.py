"""Where a copy differs: paths, in order, bounded, and nothing of what is in them."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from trio_argoagent.sync import drift

SPEC = {"source": {"targetRevision": "HEAD", "path": "a"}, "project": "default"}
BODY: dict[str, Any] = {"annotations": {}, "finalizers": [], "labels": {"a/b": "1"}, "spec": SPEC}


@pytest.mark.parametrize(
    ("found", "paths"),
    [
        (BODY, ()),
        (BODY | {"labels": {}}, ("metadata.labels.a/b",)),
        (BODY | {"labels": {"a/b": "2", "c": "3"}}, ("metadata.labels.a/b", "metadata.labels.c")),
        (BODY | {"spec": {"source": {"targetRevision": "v1"}, "project": "x"}},
         ("spec.project", "spec.source.path", "spec.source.targetRevision")),
        (BODY | {"spec": {}}, ("spec.project", "spec.source")),
        (BODY | {"finalizers": ["x"]}, ("metadata.finalizers",)),
        (BODY | {"spec": None}, ("spec",)),
    ],
)  # fmt: skip
def test_the_paths_of_what_differs(found: dict[str, Any], paths: tuple[str, ...]) -> None:
    """The deepest field that differs; what is missing whole is one."""
    assert drift.differing(BODY, found) == paths


def test_few_are_told_and_the_others_counted() -> None:
    """Bounded in number and in length, whatever somebody calls his annotations."""
    many = tuple(f"labels.x{number}" for number in range(9))
    assert drift.told(many[:5]).count(",") == 4 and "more" not in drift.told(many[:5])
    assert drift.told(many) == "labels.x0, labels.x1, labels.x2, labels.x3, labels.x4 and 4 more"
    assert drift.told(()) == ""
    assert len(drift.told(("annotations." + "x" * 500 + "end",))) <= drift.MAX_PATH
    assert drift.told(("annotations." + "x" * 500 + "end",)).endswith("end")


def test_no_more_are_looked_for_than_anybody_would_count() -> None:
    """A whole map of its own costs no more than its bound."""
    assert len(drift.differing({"data": {str(n): 1 for n in range(5000)}}, {"data": {}})) == drift.MAX_FOUND


VALUES = st.recursive(
    st.none() | st.integers(0, 2) | st.text("ab", max_size=1),
    lambda each: st.lists(each, max_size=2) | st.dictionaries(st.sampled_from("ab"), each, max_size=2),
    max_leaves=6,
)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from("ab"), VALUES), st.dictionaries(st.sampled_from("ab"), VALUES))
def test_what_is_equal_has_no_path_and_what_differs_has_one(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Whichever of them is wanted."""
    assert bool(drift.differing(one, two)) is (one != two)
    assert drift.differing(one, two) == drift.differing(two, one)
