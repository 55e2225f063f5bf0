"""The condition ``AgentError`` on an Application: what was refused, where, and what to do.

Nothing that is refused is acknowledged and forgotten: it stands on the object that it is about. The condition
is ours alone. It lies outside D and AP: a status with it and the same status without it are equal for every
feed, so showing a refusal never makes a record. All other conditions belong to Argo CD, which for its part
leaves types that it does not know as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.model.objects import Object
from trio_argoagent.sync import steps

AGENT_ERROR: Final = "AgentError"


def without(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status without our condition. No conditions and an empty list of them are the same here."""
    others = [condition for condition in status.get("conditions") or () if not _is_ours(condition)]
    rest = {name: value for name, value in status.items() if name != "conditions"}
    return rest | ({"conditions": others} if others else {})


def said(status: Mapping[str, Any]) -> str:
    """What our condition says; empty: there is none."""
    return next(
        (str(each.get("message", "")) for each in status.get("conditions") or () if _is_ours(each)), ""
    )


def may_stand(obj: Object) -> bool:
    """Could our condition stand on this object? Without decoding its status."""
    return AGENT_ERROR.encode() in bytes(obj.fields.get("status", b""))


def settle(
    status: Mapping[str, Any], shown: Mapping[str, Any], message: str | None, at: str
) -> dict[str, Any]:
    """A status with what shall stand of our condition.

    Args:
        status: what else shall be shown.
        shown: what the object shows now; a condition that stays as it is keeps its time.
        message: what shall be said; empty: nothing; None: whatever is said now.
        at: now, RFC 3339.
    """
    standing = [each for each in shown.get("conditions") or () if _is_ours(each)]
    ours = standing[:1]
    if message is not None and message != said(shown):
        fresh = {"type": AGENT_ERROR, "message": message, "lastTransitionTime": at}
        ours = [fresh] if message else []
    if ours == standing and without(status) == without(shown):
        return dict(shown)  # Whatever the order of its conditions is.
    settled = without(status)
    return settled | ({"conditions": [*settled.get("conditions", ()), *ours]} if ours else {})


def show(obj: Object, message: str | None, at: str) -> steps.Patch | None:
    """Make our condition say this and nothing else; None: it does. For arguments see ``settle``."""
    shown: dict[str, Any] | None = obj.get("status")
    settled = settle(shown or {}, shown or {}, message, at)
    if settled == (shown or {}):
        return None
    if shown is None:
        change = steps.op_add("/status", settled)
    elif "conditions" in settled:
        change = steps.op_add("/status/conditions", settled["conditions"])
    else:
        change = steps.op_remove("/status/conditions")
    return steps.Patch([steps.at_version(obj), change])


def _is_ours(condition: Any) -> bool:
    return isinstance(condition, dict) and condition.get("type") == AGENT_ERROR
