"""What a plan tells the shell to do next with one object, and the small grammar of JSON patches.

A plan is a pure function of the record and the newest known object. The shell carries out one step, gets
the object the API server answers with, and asks again, until the step is ``Done``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome


@attrs.frozen
class Create:
    """Create this object."""

    value: Mapping[str, Any] = attrs.field(repr=False)


@attrs.frozen
class Patch:
    """Apply these JSON patch operations; their tests are the precondition."""

    operations: Sequence[Mapping[str, Any]] = attrs.field(repr=False)
    sends: bool = False
    """Does it carry the record's whole value? Then what is stored afterwards tells of normalisation."""


@attrs.frozen
class Delete:
    """Delete exactly this version of this object."""

    uid: str
    resource_version: str
    final: bool
    """No finalizer is left: once it is answered the object is gone."""


@attrs.frozen
class Done:
    """There is nothing more to write now."""

    outcome: Outcome
    reason: str = ""


Step = Create | Patch | Delete | Done

APPLIED = Done(Outcome.APPLIED)


def pending(reason: str) -> Done:
    """Not yet, for this reason."""
    return Done(Outcome.PENDING, reason)


def pointer(*parts: str) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def op_test(path: str, value: Any) -> dict[str, Any]:
    """The patch fails unless this holds."""
    return {"op": "test", "path": path, "value": value}


def op_add(path: str, value: Any) -> dict[str, Any]:
    """Set a member, present or not."""
    return {"op": "add", "path": path, "value": value}


def op_remove(path: str) -> dict[str, Any]:
    """Remove a member that is present."""
    return {"op": "remove", "path": path}


def at_version(obj: Object) -> dict[str, Any]:
    """The patch fails unless the object is still what it was when it was read."""
    return op_test("/metadata/resourceVersion", obj.meta.resource_version)


def map_changes(
    field: str, live: Mapping[str, str] | None, want: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """Key by key changes of ``metadata.<field>``: a text sets, None removes, what is not named stays.

    Args:
        field: ``labels`` or ``annotations``.
        live: what the object has; None or empty: no such map yet.
        want: the changes.
    """
    path = pointer("metadata", field)
    if not live:
        fresh = {key: text for key, text in want.items() if text is not None}
        return [op_add(path, fresh)] if fresh else []
    changes = []
    for key, text in want.items():
        if text is None:
            if key in live:
                changes.append(op_remove(path + pointer(key)))
        elif live.get(key) != text:
            changes.append(op_add(path + pointer(key), text))
    return changes


def member_changes(field: str, live: Mapping[str, Any], want: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Member by member changes of one top-level field: of a large status what is equal is not sent again.

    They fit the version that was read, and no other: ``at_version`` belongs before them.

    Args:
        field: which.
        live: what the object has; empty: maybe no such field yet.
        want: what it shall have.
    """
    path = pointer(field)
    if not live:
        return [op_add(path, want)] if want else []
    gone = [op_remove(path + pointer(name)) for name in live if name not in want]
    others = (name for name, value in want.items() if name not in live or live[name] != value)
    return gone + [op_add(path + pointer(name), want[name]) for name in others]
