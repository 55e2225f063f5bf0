"""How much may be made: never more than that, whatever is claimed, given back and held in between."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, settings

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.sync.allowance import TOO_MANY, Allowance

KEYS = [Key(Kind.APPLICATION, "argocd", f"app{number}") for number in range(6)]


def test_without_a_bound_everything_may_be_made() -> None:
    """0: any number."""
    allowance = Allowance(0, lambda: 1_000_000)
    assert allowance.claim(KEYS[0]) == "" == allowance.refusal()


def test_what_is_beyond_is_refused_with_the_bound_and_its_option() -> None:
    """So that whoever reads it knows what to do."""
    allowance = Allowance(2, lambda: 2)
    assert allowance.claim(KEYS[0]).startswith(TOO_MANY)
    assert "2 (--max-agent-objects" in allowance.refusal()


def test_a_claim_counts_once_until_it_is_released() -> None:
    """A write that is tried again claims no second place."""
    allowance = Allowance(1, lambda: 0)
    assert allowance.claim(KEYS[0]) == "" == allowance.claim(KEYS[0])
    assert allowance.claim(KEYS[1]) != ""
    allowance.release(KEYS[0])
    assert allowance.claim(KEYS[1]) == ""


STEPS = st.lists(st.tuples(st.sampled_from(["claim", "make", "drop", "go"]), st.sampled_from(KEYS)))


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 4), STEPS)
def test_there_are_never_more_than_allowed(most: int, steps: list[tuple[str, Key]]) -> None:
    """Claims and objects together; and whatever is refused would have been one too many."""
    held: dict[Key, None] = {}
    claimed: dict[Key, None] = {}
    allowance = Allowance(most, lambda: len(held))
    for what, key in steps:
        if what == "claim" and key not in held:
            refused = allowance.claim(key)
            assert bool(refused) is (key not in claimed and len(held) + len(claimed) >= most)
            if not refused:
                claimed[key] = None
        elif what in ("make", "drop") and key in claimed:
            del claimed[key]
            allowance.release(key)
            if what == "make":
                held[key] = None
        elif what == "go":
            held.pop(key, None)
        assert len(held) + len(claimed) <= most
