"""The small grammar of JSON patches."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.apiserver.core.patches import apply_json
from trio_argoagent.sync import steps

VALUES = st.dictionaries(st.text(alphabet="a~/0", max_size=3), st.sampled_from([None, 1, "x", [1], {"b": 2}]))


@given(VALUES, VALUES)
def test_members_make_one_value_the_other(live: dict[str, Any], want: dict[str, Any]) -> None:
    """Whatever their names are; what is equal takes no operation."""
    changes = steps.member_changes("status", live, want)
    assert apply_json({"status": live}, changes) == {"status": want}
    assert bool(changes) == (live != want)


def test_what_is_equal_is_not_sent() -> None:
    """Of a large status that is all but a few bytes."""
    live = {"resources": ["many"], "health": "Healthy", "gone": 1}
    changes = steps.member_changes("status", live, {"resources": ["many"], "health": "Degraded"})
    assert changes == [steps.op_remove("/status/gone"), steps.op_add("/status/health", "Degraded")]


def test_a_field_that_is_not_there_is_added_whole() -> None:
    """A member of nothing cannot be set."""
    assert apply_json({}, steps.member_changes("status", {}, {"a": 1})) == {"status": {"a": 1}}
    assert steps.member_changes("status", {}, {}) == []
