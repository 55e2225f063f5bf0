"""Which copy a record would make go, and on what evidence."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from msgspec import structs

from tests.unit.sync.test_plan import COPY, MIRROR, applied, body, deleting, live
from tests.unit.sync.toyserver import record_of
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Evidence, Record
from trio_argoagent.sync import marker, names, plan
from trio_argoagent.sync.guard import Departure
from trio_argoagent.sync.plan import Place

SEEN, MISSED = Evidence.WITNESSED, Evidence.INFERRED


def tombstone(uid: str = "u1", evidence: Evidence | None = MISSED, asof: str = "99") -> Record:
    """A record that this uid is gone."""
    return structs.replace(record_of(COPY, uid, None), digest="", body=None, evidence=evidence, asof=asof)


def ask(record: Record, value: Any, obj: Object | None, place: Place = COPY) -> Departure | None:
    """What would go."""
    return plan.departure(place, record, value, obj)


@pytest.mark.parametrize("evidence", [SEEN, MISSED])
def test_a_tombstone_of_what_stands(evidence: Evidence) -> None:
    """It names the copy's source uid and its own evidence."""
    found = ask(tombstone(evidence=evidence), None, live())
    assert found == Departure(tombstone().key, "u1", evidence)


def test_nothing_goes() -> None:
    """No copy, another uid's copy, one on its way out, the same value: none of these is a departure."""
    assert ask(tombstone(), None, None) is None
    assert ask(tombstone("u2"), None, live()) is None
    assert ask(tombstone(), None, live(finalizers=("x",), going=True)) is None
    assert ask(record_of(COPY, "u1", body()), body(), live()) is None
    assert ask(record_of(COPY, "u1", body(labels={})), body(labels={}), live()) is None


def test_a_cascade_needs_evidence() -> None:
    """A deletionTimestamp that was seen is evidence; a record that does not say so has none."""
    value = deleting(names.FAMILY)
    record = record_of(COPY, "u1", value)
    for evidence, counts_as in ((SEEN, SEEN), (MISSED, MISSED), (None, MISSED)):
        found = ask(structs.replace(record, evidence=evidence), value, live())
        assert found == Departure(record.key, "u1", counts_as)


def test_a_recreate_counts_as_a_deletion() -> None:
    """Seen, if the old uid's deletion was; inferred, if only the specs differ; none, if they are equal."""
    other = body(spec={"project": "q"})
    record = record_of(COPY, "u2", other)
    assert ask(record, other, live()) == Departure(record.key, "u1", MISSED)
    seen = structs.replace(record, replaces="u1")
    assert ask(seen, other, live()) == Departure(record.key, "u1", SEEN)
    assert ask(record_of(COPY, "u2", body()), body(), live()) is None


def test_a_copy_from_the_sources_future() -> None:
    """Made as of a later version than the one at which it is missing: the source has gone back."""
    value = applied()
    mark = marker.parse(value["metadata"]["annotations"][names.MARKER])
    assert mark is not None
    value["metadata"]["annotations"][names.MARKER] = str(attrs.evolve(mark, asof="100"))
    obj = Object.of(value)
    for asof, back in (("99", True), ("100", False), ("101", False), ("", False)):
        found = ask(tombstone(asof=asof), None, obj)
        assert found is not None
        assert found.gone_back is back
    seen = ask(tombstone(evidence=SEEN, asof="99"), None, obj)
    assert seen is not None
    assert not seen.gone_back


def test_a_hubs_own_object_is_no_mirror() -> None:
    """What we would not touch does not go."""
    value = applied(MIRROR)
    del value["metadata"]["annotations"][names.SOURCE_UID]
    assert ask(tombstone(), None, Object.of(value), MIRROR) is None
