"""A status that is too large for the other cluster travels without some of its resources, and says so.

An API server refuses an object that etcd would (1.5 MiB as etcd is installed); the other cluster's object has
metadata and managed fields of its own. What is cut is what grows with the number of resources, from the end;
Argo CD sorts them, so the same ones are left out each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.model.objects import canonical

MAX_STATUS: Final = 5 * 256 * 1024
"""Bytes of canonical JSON: etcd's limit less a quarter of a MiB for everything else on the object."""
OMITTED: Final = "ResourcesOmitted"
"""The type of the condition that says so."""
_MESSAGE: Final = 512
"""Bytes that the condition may take."""


def fitted(status: dict[str, Any], limit: int = MAX_STATUS) -> dict[str, Any]:
    """The status, or what of it has room. What fits comes back unchanged, whatever it says of itself.

    Args:
        status: of an Application; it may be changed.
        limit: bytes of canonical JSON.
    """
    size = len(canonical(status))
    if size <= limit:
        return status
    total = len(status.get("resources") or ())
    size = _cut(status, "resources", size, limit - _MESSAGE)
    result = (status.get("operationState") or {}).get("syncResult") or {}
    _cut(result, "resources", size, limit - _MESSAGE)
    left = total - len(status.get("resources") or ())
    told = f"{left} of {total} resources are left out here, for the status is larger than {limit} bytes"
    others = [each for each in status.get("conditions") or () if not _is_ours(each)]
    status["conditions"] = [*others, {"type": OMITTED, "message": told}]
    return status


def _cut(holder: dict[str, Any], name: str, size: int, limit: int) -> int:
    """Take rows off the end of one list until all is within the limit; returns the size then."""
    rows = holder.get(name)
    while rows and size > limit:
        size -= len(canonical(rows.pop())) + 1
    return size


def _is_ours(condition: Any) -> bool:
    return isinstance(condition, Mapping) and condition.get("type") == OMITTED
