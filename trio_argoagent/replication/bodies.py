"""The bodies of records, and their shapes: what the other side sends is checked before it is looked into."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model import nesting
from trio_argoagent.model.objects import decode
from trio_argoagent.model.records import Record
from trio_argoagent.sync import kinds, projection

_PARTS: Final = {"annotations": dict, "finalizers": list, "labels": dict}


def read_copy(record: Record) -> dict[str, Any] | None:
    """The body of a copy's record, its shape checked.

    Raises:
        RemoteProtocolError: it is not a copy projection.
    """
    body = read_body(record)
    if body is not None:
        content = {field: kinds.SHAPES[field] for field in kinds.BASE[record.key.kind].content}
        for part, shape in (_PARTS | content).items():
            if not isinstance(body.get(part), shape):
                wrong = f"{part} is missing or no {shape.__name__}"
                raise RemoteProtocolError(f"the body of {record.key}: {wrong}")
    return body


def read_body(record: Record) -> dict[str, Any] | None:
    """The body of a record as JSON.

    Raises:
        RemoteProtocolError: it is none, or not an object.
    """
    if record.body is None:
        return None
    try:
        body = decode(record.body)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise RemoteProtocolError(f"the body of {record.key} is not JSON: {exc}") from exc
    if not isinstance(body, dict):
        raise RemoteProtocolError(f"the body of {record.key} is not a JSON object")
    if len(record.digest.split(" ")) != 1:
        # It becomes a word of the marker, which could never be read again.
        raise RemoteProtocolError(f"the digest of {record.key} is more than one word")
    if nesting.is_deeper(record.body):
        # It would be stored, and then end whoever reads it without a limit.
        raise RemoteProtocolError(
            f"the body of {record.key} is nested deeper than {nesting.MAX_DEPTH} levels"
        )
    return body


def is_departure(record: Record | None) -> bool:
    """Does this record of a copy make it go?"""
    body = read_body(record) if record is not None else {}
    return body is None or bool(body.get(projection.DELETING))
