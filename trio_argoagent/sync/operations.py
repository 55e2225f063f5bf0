"""Whose operation is this? Our entry in an operation's ``info`` tells.

``<id> <digest> [<until>]``: a request of the hub that we have stamped: an intent, and the Unix second at
which it expires. ``mirror <digest>``: a copy of what runs on the spoke. ``rejected <digest> <id>``: our own
answer to that intent. The digest is of the operation without the entry: where it does not fit, somebody (a
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
_DIGITS: Final = 12
"""Of the longest number of seconds that is looked at: the year 33658."""
UNFINISHED: Final = frozenset(("Running", "Terminating"))


class Origin(enum.Enum):
    """What an operation on the hub is."""

    NONE = "none"
    REQUEST = "request"
    INTENT = "intent"
    MIRROR = "mirror"


@attrs.frozen
class Entry:
    """An operation's origin; of an intent also its id, and the Unix second at which it expires (0: never)."""

    origin: Origin
    id: str = ""
    until: int = 0


def _bare(operation: Mapping[str, Any]) -> dict[str, Any]:
    bare = dict(operation)
    projection.drop_entry(bare)
    return bare


def _stamped(operation: Mapping[str, Any], word: str, more: str = "") -> dict[str, Any]:
    bare = _bare(operation)
    entry = {"name": names.INFO_ENTRY, "value": f"{word} {digest.stored(bare)} {more}".rstrip()}
    return bare | {"info": [*bare.get("info", ()), entry]}


def _words(operation: Mapping[str, Any]) -> tuple[str, str]:
    """What our entry says before and after its digest, where that fits; else nothing."""
    for item in operation.get("info") or ():
        if item.get("name") == names.INFO_ENTRY:
            word, told, more = [*str(item.get("value", "")).split(" "), "", ""][:3]
            return (word, more) if told == digest.stored(_bare(operation)) else ("", "")
    return "", ""


def classify(operation: Mapping[str, Any] | None) -> Entry:
    """What a hub object's ``.operation`` is."""
    if not operation:
        return Entry(Origin.NONE)
    word, more = _words(operation)
    if word in ("", _REJECTED):
        # An operation taken out of our own rejection is asked for anew: that word is nobody's id.
        return Entry(Origin.REQUEST)
    if word == _MIRROR:
        return Entry(Origin.MIRROR)
    # A number that somebody has made up must not cost more than one that we have.
    return Entry(Origin.INTENT, word, int(more) if more.isdecimal() and len(more) <= _DIGITS else 0)


def is_intent(operation: Mapping[str, Any] | None, intent: str) -> bool:
    """Is this operation the intent of that id?"""
    entry = classify(operation)
    return (entry.origin, entry.id) == (Origin.INTENT, intent)


def told(operation: Mapping[str, Any] | None) -> str:
    """The digest of an operation without our entry: equal ones ask for the same."""
    return digest.stored(_bare(operation or {}))


def stamped(operation: Mapping[str, Any], intent: str, until: int = 0) -> dict[str, Any]:
    """The operation with the entry of an intent, and the Unix second at which it expires (0: never)."""
    return _stamped(operation, intent, str(until) if until else "")


def mirrored(operation: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the hub shows of a spoke's operation: never with an id, or it would be sent again."""
    return _stamped(operation, _MIRROR) if operation else None


def rejection(operation: Mapping[str, Any], message: str, at: str) -> dict[str, Any]:
    """The operationState that answers a request which the spoke cannot run."""
    return {
        "phase": "Error",
        "message": message,
        "operation": _stamped(operation, _REJECTED, classify(operation).id),
        "startedAt": at,
        "finishedAt": at,
    }


def is_rejection(state: Mapping[str, Any] | None) -> bool:
    """Is this operationState our own answer?"""
    return bool(state) and _words((state or {}).get("operation") or {})[0] == _REJECTED


def rejected_intent(state: Mapping[str, Any] | None) -> str:
    """Which intent our own answer is about; empty: this is none, or it does not say."""
    word, more = _words((state or {}).get("operation") or {})
    return more if word == _REJECTED else ""


def is_unfinished(state: Mapping[str, Any] | None) -> bool:
    """Does this operationState still belong to a running operation (one that will be retried included)?"""
    return bool(state) and (state or {}).get("phase") in UNFINISHED
