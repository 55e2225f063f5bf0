"""The model of a feed: what may follow what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.testing.model import Feed


def feed() -> Feed:
    """One source object that was A, B, C, and A again."""
    made = Feed()
    for version, value in ((10, "A"), (20, "B"), (25, "B"), (30, "C"), (40, "A")):
        made.has("u1", value, version)
    return made


@pytest.mark.parametrize("shown", ["A", "ABCA", "AC", "BA", "CA", "AA", "ABA", "BBC"])
def test_values_may_be_skipped_and_shown_again(shown: str) -> None:
    """As long as there is a way through what the source has had."""
    made = feed()
    assert [made.show("copy", "u1", value) for value in shown] == [""] * len(shown)


@pytest.mark.parametrize(("shown", "rule"), [("CB", "I2"), ("ABAB", "I2"), ("D", "I1"), ("CAC", "I2")])
def test_what_was_before_and_what_never_was_are_found(shown: str, rule: str) -> None:
    """The last value shown is the wrong one."""
    made = feed()
    told = [made.show("copy", "u1", value) for value in shown]
    assert told[:-1] == [""] * (len(shown) - 1)
    assert told[-1].startswith(rule)


def test_a_value_is_not_older_than_it_is_said_to_be() -> None:
    """``asof`` is the product's word for it."""
    made = feed()
    assert made.show("copy", "u1", "B", 20) == ""
    assert made.show("copy", "u1", "C", 29) == "I1: u1 was not yet C at 29, but at 30"


def test_another_copy_and_another_source_begin_anew() -> None:
    """A copy that was made again may be behind the one before it; so may one that was given to another."""
    made = feed()
    made.has("u2", "A", 50)
    assert made.show("copy", "u1", "C") == ""
    assert made.show("another", "u1", "B") == ""
    assert made.show("copy", "u2", "A") == ""
    assert made.show("copy", "u2", "B").startswith("I1")


@given(
    st.lists(st.sampled_from("ABC"), min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
@settings(deadline=None)
def test_every_conflation_is_allowed(values: list[str], taken: list[bool]) -> None:
    """Whatever subsequence a replica shows while the source goes on."""
    made = Feed()
    for version, (value, take) in enumerate(zip(values, taken, strict=False)):
        made.has("u", value, version)
        assert not take or made.show("copy", "u", value, version) == ""
