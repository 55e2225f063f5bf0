"""What both sides must come to the same of."""

from __future__ import annotations

import pytest
from msgspec import structs

from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.records import Evidence, Record
from trio_argoagent.runtime import spans

KEY = Key(Kind.APPLICATION, "argocd", "web")
RECORD = Record(KEY, "uid", "D", "17", b"{}")


def test_a_trace_is_of_a_value() -> None:
    """Of whom, which object, which value; when it was read, and under which number it went, are not in it."""
    trace = spans.trace_of("east", RECORD)
    assert len(trace) == 16 and any(trace)
    assert spans.trace_of("east", structs.replace(RECORD, asof="18", body=None)) == trace
    others = [
        spans.trace_of("west", RECORD),
        spans.trace_of("east", structs.replace(RECORD, uid="other")),
        spans.trace_of("east", structs.replace(RECORD, digest="E")),
        spans.trace_of("east", structs.replace(RECORD, key=KEY.of(Kind.STATUS))),
        spans.trace_of("east", structs.replace(RECORD, uid="ui", digest="dD")),
    ]
    assert len({trace, *others}) == 6


def test_a_span_is_of_a_record() -> None:
    """Each that is sent has its own."""
    trace = spans.trace_of("east", RECORD)
    found = [
        spans.span_of(trace, 1, RECORD),
        spans.span_of(trace, 2, RECORD),
        spans.span_of(trace, 1, structs.replace(RECORD, asof="18")),
        spans.span_of(b"x" * 16, 1, RECORD),
    ]
    assert len(set(found)) == 4 and all(len(each) == 8 for each in found)


def test_they_never_change() -> None:
    """Programs of different versions must agree on them: these are those of the first one."""
    trace = spans.trace_of("east", RECORD)
    assert trace.hex() == "cadb37ff0805811b673a527da7055a5d"
    assert spans.span_of(trace, 7, RECORD).hex() == "092f724360647595"


@pytest.mark.parametrize(
    ("kind", "verb", "evidence", "target", "event", "operation"),
    [
        (Kind.APPLICATION, "", None, "application", "spec-update", "update"),
        (Kind.APPLICATION, "", Evidence.WITNESSED, "application", "delete", "delete"),
        (Kind.APP_PROJECT, "", None, "appproject", "spec-update", "update"),
        (Kind.REPOSITORY, "", None, "repository", "spec-update", "update"),
        (Kind.REPO_CREDS, "", None, "repository", "spec-update", "update"),
        (Kind.GPG_KEYS, "", None, "gpgkey", "spec-update", "update"),
        (Kind.STATUS, "", None, "application", "status-update", "update"),
        (Kind.STATUS, "", Evidence.INFERRED, "application", "delete", "delete"),
        (Kind.INTENT, Verb.SYNC, None, "application", "set-operation", "sync"),
        (Kind.INTENT, Verb.TERMINATE, None, "application", "terminate-operation", "terminate"),
        (Kind.INTENT, Verb.REFRESH, None, "application", "refresh", "refresh"),
        (Kind.INTENT, Verb.HYDRATE, None, "application", "hydrate", "hydrate"),
    ],
)
def test_names(
    kind: Kind, verb: str, evidence: Evidence | None, target: str, event: str, operation: str
) -> None:
    """argocd-agent's, where it has one."""
    record = structs.replace(RECORD, key=KEY.of(kind, verb), evidence=evidence)
    assert (spans.target(record.key), spans.event_type(record)) == (target, event)
    assert spans.operation(record, new=False) == operation
    assert spans.about(record)["argocd.event.type"] == event


def test_every_kind_has_a_target() -> None:
    """A new kind is a new row."""
    assert all(spans.target(KEY.of(kind)) for kind in Kind)
