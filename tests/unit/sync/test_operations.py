"""Whose operation is it? Our entry in ``info`` tells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.sync import names, operations
from trio_argoagent.sync.operations import Entry, Origin

SYNC: dict[str, Any] = {"sync": {"revision": "main"}, "initiatedBy": {"username": "me"}}
REASON = {"name": "Reason", "value": "because"}


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_operation(nothing: dict[str, Any] | None) -> None:
    """Nothing stands, nothing is mirrored."""
    assert operations.classify(nothing) == Entry(Origin.NONE)
    assert operations.mirrored(nothing) is None


@pytest.mark.parametrize("info", [[], [REASON]])
def test_each_origin_is_recognised(info: list[Any]) -> None:
    """Plain: a request; stamped: an intent with its id; mirrored: a mirror; others' info stays first."""
    plain = SYNC | ({"info": info} if info else {})
    stamped = operations.stamped(plain, "id-1")
    assert operations.classify(plain) == Entry(Origin.REQUEST)
    assert operations.classify(stamped) == Entry(Origin.INTENT, "id-1")
    assert operations.classify(operations.mirrored(plain)) == Entry(Origin.MIRROR)
    assert stamped["info"][:-1] == info and "info" not in SYNC


def test_v3_what_is_mirrored_never_carries_an_id() -> None:
    """Also an operation that an intent started: else a mirror that comes back late is run again."""
    mirrored = operations.mirrored(operations.stamped(SYNC, "id-1"))
    assert operations.classify(mirrored) == Entry(Origin.MIRROR)
    assert mirrored is not None and "id-1" not in str(mirrored) and len(mirrored["info"]) == 1


@pytest.mark.parametrize(("more", "until"), [("1000", 1000), ("", 0), ("soon", 0), ("-1", 0), ("9" * 13, 0)])
def test_the_expiry_of_an_intent(more: str, until: int) -> None:
    """A whole number after the digest; anything else is none."""
    stamped = operations.stamped(SYNC, "id-1")
    stamped["info"][-1]["value"] += f" {more}"
    assert operations.classify(stamped) == Entry(Origin.INTENT, "id-1", until)
    assert operations.is_intent(stamped, "id-1") and not operations.is_intent(stamped, "id-2")


def test_a_rejection_says_of_which_intent() -> None:
    """So that a start of which nobody had heard takes its place."""
    state = operations.rejection(operations.stamped(SYNC, "id-1", 1000), "no", "2026-01-01T00:00:00Z")
    assert operations.rejected_intent(state) == "id-1"
    assert operations.rejected_intent({"operation": operations.stamped(SYNC, "id-1")}) == ""
    assert operations.rejected_intent(None) == ""


@pytest.mark.parametrize("make", [operations.mirrored, lambda plain: operations.stamped(plain, "id-1")])
def test_v4_a_request_merged_into_what_stands_is_a_new_one(make: Any) -> None:
    """A progressive sync leaves our entry in: the digest does not fit any more."""
    merged = make(SYNC) | {"sync": {"revision": "other"}}
    assert operations.classify(merged) == Entry(Origin.REQUEST)
    assert operations.classify(operations.stamped(merged, "id-2")) == Entry(Origin.INTENT, "id-2")


def test_a_rejection_is_recognised_and_ends_at_once() -> None:
    """V8: phase Error with a message, its operation, startedAt = finishedAt."""
    state = operations.rejection(operations.stamped(SYNC, "id-1"), "no", "2026-01-01T00:00:00Z")
    assert (state["phase"], state["message"]) == ("Error", "no")
    assert state["startedAt"] == state["finishedAt"] == "2026-01-01T00:00:00Z"
    assert operations.is_rejection(state) and not operations.is_unfinished(state)
    assert not operations.is_rejection(state | {"operation": SYNC})
    assert not operations.is_rejection(None)


def test_an_operation_taken_out_of_a_rejection_is_a_request() -> None:
    """Its word is nobody's id: it would be taken for one that has run already."""
    state = operations.rejection(SYNC, "no", "2026-01-01T00:00:00Z")
    assert operations.classify(state["operation"]) == Entry(Origin.REQUEST)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, False),
        ({}, False),
        ({"phase": "Running"}, True),
        ({"phase": "Terminating"}, True),
        ({"phase": "Succeeded"}, False),
        ({"phase": "Error"}, False),
    ],
)
def test_unfinished_states(state: dict[str, Any] | None, expected: bool) -> None:
    """What Argo CD would resume."""
    assert operations.is_unfinished(state) is expected


_INFO = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["a", names.INFO_ENTRY]), "value": st.text()})
)


@settings(deadline=None)
@given(_INFO, st.text("abcdef0123456789", min_size=1))
def test_stamping_anew_replaces_whatever_entry_was_there(info: list[Any], intent: str) -> None:
    """One entry of ours, always the last, always fitting; the others keep their order."""
    stamped = operations.stamped(SYNC | {"info": info}, intent)
    assert operations.classify(stamped) == Entry(Origin.INTENT, intent)
    assert stamped["info"][:-1] == [entry for entry in info if entry["name"] != names.INFO_ENTRY]
