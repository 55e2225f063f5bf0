"""A status that is too large loses resources from the end, says so, and is stable."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.sync import projection
from trio_argoagent.sync.fitting import MAX_STATUS, OMITTED, fitted


def _rows(count: int) -> list[dict[str, Any]]:
    return [{"kind": "ConfigMap", "name": f"map-{number:05}", "status": "Synced"} for number in range(count)]


def _status(count: int, synced: int = 0) -> dict[str, Any]:
    state = {"phase": "Succeeded", "syncResult": {"resources": _rows(synced), "revision": "a"}}
    return {"health": {"status": "Healthy"}, "resources": _rows(count), "operationState": state}


def test_what_fits_is_left_alone() -> None:
    """Also what was cut once: the other side computes the same digest of what it has stored."""
    assert fitted(_status(5), 2_000) == _status(5)
    once = fitted(_status(100), 2_000)
    assert len(canonical(once)) <= 2_000
    again = fitted(Object.of({"status": once}).get("status"), 2_000)
    assert again == once


@pytest.mark.parametrize(("count", "synced"), [(100, 0), (100, 100), (10, 500), (0, 500)])
def test_what_does_not_fit_is_cut_and_says_so(count: int, synced: int) -> None:
    """The first resources stay, in order; all that does not grow stays; one condition tells."""
    status = _status(count, synced) | {"conditions": [{"type": "SyncError", "message": "x"}]}
    found = fitted(status, 4_000)
    assert len(canonical(found)) <= 4_000
    assert found["resources"] == _rows(count)[: len(found["resources"])]
    result = found["operationState"]["syncResult"]
    assert result["resources"] == _rows(synced)[: len(result["resources"])] and result["revision"] == "a"
    first, told = found["conditions"]
    assert first["type"] == "SyncError" and told["type"] == OMITTED
    left = count - len(found["resources"])
    assert told["message"].startswith(f"{left} of {count} resources are left out here")


def test_a_status_that_grows_keeps_one_condition() -> None:
    """The one that tells is renewed, not joined by another."""
    status = fitted(_status(100), 2_000)
    status["resources"] += _rows(200)
    found = fitted(status, 2_000)
    assert [each["type"] for each in found["conditions"]] == [OMITTED]


def test_what_feeds_carry_is_within_the_limit() -> None:
    """However large the status of the object is."""
    count = MAX_STATUS // 50
    carried = projection.status_of(Object.of({"status": _status(count, count)}))
    assert len(canonical(carried)) <= MAX_STATUS and carried["conditions"][0]["type"] == OMITTED
