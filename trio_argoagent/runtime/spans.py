"""A trace is the life of one value of one object on its way to another cluster: which spans it has.

Nothing of it travels. Both sides compute the trace from what a record says anyway: whose it is, its key, its
uid and its digest D. So a trace survives reconnects and restarts, an agent of any version can be on the other
side, and a record is not a byte longer; and whether a trace is sampled, which follows from its id, both sides
decide alike. The one span that is referred to across the link, the record's, is named by the trace, the
revision that the record was read at, and its number.

An object that goes back to an earlier value continues that value's trace; so does a copy that is put back.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from typing import Final

import attrs

from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.records import Record

_TRACE: Final = b"trio-argoagent/trace/1"
_RECORD: Final = b"trio-argoagent/record/1"
_TARGETS: Final = {
    Kind.APPLICATION: "application",
    Kind.APP_PROJECT: "appproject",
    Kind.REPOSITORY: "repository",
    Kind.REPO_CREDS: "repository",
    Kind.GPG_KEYS: "gpgkey",
    Kind.STATUS: "application",
    Kind.INTENT: "application",
}
_ASKS: Final[Mapping[str, str]] = {Verb.SYNC: "set-operation", Verb.TERMINATE: "terminate-operation"}


class SpanKind(enum.Enum):
    """As OpenTelemetry names them."""

    INTERNAL = "INTERNAL"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"
    CLIENT = "CLIENT"


@attrs.frozen
class Span:
    """One step that has come to its end.

    Attributes:
        trace: 16 bytes.
        id: 8 bytes.
        parent: of another span of that trace, 8 bytes; empty: none.
        name: see docs/tracing.md.
        kind: of the step.
        start: seconds since the Unix epoch.
        end: likewise.
        attributes: what it is about.
        problem: how it failed; empty: it did not.
        remote: is the parent the other side's?
    """

    trace: bytes
    id: bytes
    parent: bytes
    name: str
    kind: SpanKind
    start: float
    end: float
    attributes: Mapping[str, str | int]
    problem: str = ""
    remote: bool = False


def trace_of(agent: str, record: Record) -> bytes:
    """The trace of this value of this object, between the hub and this agent."""
    return _hash(_TRACE, agent, str(record.key), record.uid, record.digest)[:16]


def span_of(trace: bytes, number: int, record: Record) -> bytes:
    """The span of this record under this number, in its trace."""
    return _hash(_RECORD, trace.hex(), record.asof, str(number))[:8]


def _hash(domain: bytes, *parts: str) -> bytes:
    # Lengths first: no two lists of parts are the same text.
    texts = [part.encode("utf-8", "surrogatepass") for part in parts]
    return hashlib.sha256(domain + b"".join(len(each).to_bytes(4, "big") + each for each in texts)).digest()


def target(key: Key) -> str:
    """What argocd-agent calls the target of an event about this."""
    return _TARGETS[key.kind]


def event_type(record: Record) -> str:
    """What argocd-agent calls an event that says this, where it has one; a creation is a change."""
    if record.evidence is not None:
        return "delete"
    if record.key.kind is Kind.STATUS:
        return "status-update"
    if record.key.kind is Kind.INTENT:
        return _ASKS.get(record.key.verb, record.key.verb)
    return "spec-update"


def operation(record: Record, *, new: bool) -> str:
    """What has happened to the object: ``create``, ``update``, ``delete``, or what is asked for."""
    if record.evidence is not None:
        return "delete"
    if record.key.kind is Kind.INTENT:
        return record.key.verb
    return "create" if new else "update"


def about(record: Record) -> dict[str, str | int]:
    """The attributes of every span about a record, in argocd-agent's names."""
    key = record.key
    return {
        "argocd.event.id": "_".join(filter(None, (key.name, record.uid, record.asof))),
        "argocd.event.target": target(key),
        "argocd.event.type": event_type(record),
        "k8s.resource.kind": key.kind.value,
        "k8s.resource.name": key.name,
        "k8s.resource.namespace": key.namespace,
        "k8s.resource.uid": record.uid,
    }
