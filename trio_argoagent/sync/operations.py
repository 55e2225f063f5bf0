"""Whose operation is this? Our entry in an operation's ``info`` tells.

``<id> <digest>``: a request of the hub that we have stamped: an intent. ``mirror <digest>``: a copy of what
runs on the spoke. The digest is of the operation without the entry: where it does not fit, somebody (a
progressive sync merges its request into what stands there) has made a new request out of an old one.
Argo CD copies ``info`` into operationState, so the entry survives all that its controllers do.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

import attrs

from trio_argoagent.sync import digest, names, projection

_MIRROR: Final = "mirror"
_REJECTED: Final = "rejected"
UNFINISHED: Final = frozenset(("Running", "Terminating"))


class Origin(enum.Enum):
    """What an operation on the hub is."""

    NONE = "none"
    REQUEST = "request"
    INTENT = "intent"
    MIRROR = "mirror"


@attrs.frozen
class Entry:
    """An operation's origin, and the id of an intent."""

    origin: Origin
    id: str = ""


def _bare(operation: Mapping[str, Any]) -> dict[str, Any]:
    bare = dict(operation)
    projection.drop_entry(bare)
    return bare


def _stamped(operation: Mapping[str, Any], word: str) -> dict[str, Any]:
    bare = _bare(operation)
    entry = {"name": names.INFO_ENTRY, "value": f"{word} {digest.stored(bare)}"}
    return bare | {"info": [*bare.get("info", ()), entry]}


def _word(operation: Mapping[str, Any]) -> str:
    """The first word of our entry where its digest fits; else empty."""
    for item in operation.get("info") or ():
        if item.get("name") == names.INFO_ENTRY:
            word, _, told = str(item.get("value", "")).partition(" ")
            return word if told == digest.stored(_bare(operation)) else ""
    return ""


def classify(operation: Mapping[str, Any] | None) -> Entry:
    """What a hub object's ``.operation`` is."""
    if not operation:
        return Entry(Origin.NONE)
    word = _word(operation)
    if word in ("", _REJECTED):
        # An operation taken out of our own rejection is asked for anew: that word is nobody's id.
        return Entry(Origin.REQUEST)
    return Entry(Origin.MIRROR) if word == _MIRROR else Entry(Origin.INTENT, word)


def told(operation: Mapping[str, Any] | None) -> str:
    """The digest of an operation without our entry: equal ones ask for the same."""
    return digest.stored(_bare(operation or {}))


def stamped(operation: Mapping[str, Any], intent: str) -> dict[str, Any]:
    """The operation with the entry of an intent."""
    return _stamped(operation, intent)


def mirrored(operation: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the hub shows of a spoke's operation: never with an id, or it would be sent again."""
    return _stamped(operation, _MIRROR) if operation else None


def rejection(operation: Mapping[str, Any], message: str, at: str) -> dict[str, Any]:
    """The operationState that answers a request which the spoke cannot run."""
    return {
        "phase": "Error",
        "message": message,
        "operation": _stamped(operation, _REJECTED),
        "startedAt": at,
        "finishedAt": at,
    }


def is_rejection(state: Mapping[str, Any] | None) -> bool:
    """Is this operationState our own answer?"""
    return bool(state) and _word((state or {}).get("operation") or {}) == _REJECTED


def is_unfinished(state: Mapping[str, Any] | None) -> bool:
    """Does this operationState still belong to a running operation (one that will be retried included)?"""
    return bool(state) and (state or {}).get("phase") in UNFINISHED
