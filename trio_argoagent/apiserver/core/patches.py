"""The patches that every resource takes: JSON (RFC 6902) and merge (RFC 7386).

Each returns a new document that shares with the old one whatever it does not change, and the old document
itself where nothing changes. The patch's own values become part of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core.failures import patch_failed
from trio_argoagent.apiserver.core.values import same
from trio_argoagent.errors import ApiError, BadRequest

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"

MAX_OPERATIONS: Final = 10_000  # of one JSON patch, as in the real server
MAX_DEPTH: Final = 512  # levels of a merge patch

_MISSING: Final = object()


# --- RFC 6902 ---------------------------------------------------------------------------------------------


def apply_json(document: Any, operations: Any) -> Any:
    """Carry out a JSON patch: all of it or nothing.

    Raises:
        BadRequest: it is not a list of operations.
        Invalid: a test failed, or an operation does not apply.
    """
    if not isinstance(operations, list) or not all(isinstance(op, dict) for op in operations):
        raise BadRequest(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
    if len(operations) > MAX_OPERATIONS:
        raise ApiError(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}",
            code=413,
            reason="RequestEntityTooLarge",
        )
    for operation in operations:
        apply = _OPERATIONS.get(operation.get("op"))
        if apply is None:
            raise patch_failed(f"Unexpected kind: {operation.get('op')}")
        document = apply(document, operation)
    return document


def _pointer(operation: Mapping[str, Any], field: str = "path") -> list[str]:
    text = operation.get(field)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise patch_failed(f"{operation.get('op')} operation does not apply: bad {field}: {text!r}")
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise patch_failed(f"{operation['op']} operation does not apply: missing value")
    return operation["value"]


def _index(node: Sequence[Any], step: str, limit: int, missing: ApiError) -> int:
    index = int(step) if step.isascii() and step.isdigit() and (step == "0" or step[0] != "0") else -1
    if not 0 <= index < limit:
        raise missing
    return index


def _find(node: Any, steps: Sequence[str], missing: ApiError) -> Any:
    for step in steps:
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list):
            node = node[_index(node, step, len(node), missing)]
        else:
            raise missing
    return node


def _edit(node: Any, steps: Sequence[str], leaf: Callable[[Any, str], Any], missing: ApiError) -> Any:
    """The document with ``leaf(parent, last step)`` in place of the parent, copied along the path only."""
    step = steps[0]
    if len(steps) == 1:
        return leaf(node, step)
    child = _find(node, (step,), missing)
    edited = _edit(child, steps[1:], leaf, missing)
    if isinstance(node, dict):
        return {**node, step: edited}
    index = int(step)
    return [*node[:index], edited, *node[index + 1 :]]


def _add(document: Any, operation: Mapping[str, Any]) -> Any:
    return _insert(document, _pointer(operation), _value(operation), "add")


def _insert(document: Any, steps: Sequence[str], value: Any, op: str) -> Any:
    missing = patch_failed(
        f"{op} operation does not apply: doc is missing path: /{'/'.join(steps)}: missing value"
    )

    def leaf(node: Any, step: str) -> Any:
        if isinstance(node, dict):
            return {**node, step: value}
        if not isinstance(node, list):
            raise missing
        index = len(node) if step == "-" else _index(node, step, len(node) + 1, missing)
        return [*node[:index], value, *node[index:]]

    return _edit(document, steps, leaf, missing) if steps else value


def _remove(document: Any, operation: Mapping[str, Any], field: str = "path") -> Any:
    steps = _pointer(operation, field)
    where = f"{operation['op']} operation does not apply"
    missing = patch_failed(f"{where}: doc is missing key: {operation[field]}: missing value")

    def leaf(node: Any, step: str) -> Any:
        if isinstance(node, dict) and step in node:
            return {key: item for key, item in node.items() if key != step}
        if not isinstance(node, list):
            raise missing
        index = _index(node, step, len(node), missing)
        return [*node[:index], *node[index + 1 :]]

    if not steps:
        raise missing
    return _edit(document, steps, leaf, missing)


def _replace(document: Any, operation: Mapping[str, Any]) -> Any:
    steps, value = _pointer(operation), _value(operation)
    missing = patch_failed(
        f"replace operation does not apply: doc is missing key: {operation['path']}: missing value"
    )

    def leaf(node: Any, step: str) -> Any:
        _find(node, (step,), missing)
        if isinstance(node, dict):
            return {**node, step: value}
        index = int(step)
        return [*node[:index], value, *node[index + 1 :]]

    return _edit(document, steps, leaf, missing) if steps else value


def _move(document: Any, operation: Mapping[str, Any]) -> Any:
    value = _copied(document, operation)
    # Moving a value into itself fails by itself: its place is gone before it is put there.
    return _insert(_remove(document, operation, "from"), _pointer(operation), value, "move")


def _copy(document: Any, operation: Mapping[str, Any]) -> Any:
    return _insert(document, _pointer(operation), _copied(document, operation), "copy")


def _copied(document: Any, operation: Mapping[str, Any]) -> Any:
    steps = _pointer(operation, "from")
    op = operation["op"]
    return _find(
        document,
        steps,
        patch_failed(f"{op} operation does not apply: doc is missing from path: /{'/'.join(steps)}"),
    )


def _check(document: Any, operation: Mapping[str, Any]) -> Any:
    steps, wanted = _pointer(operation), operation.get("value")
    failed = patch_failed(f"testing value {operation['path']} failed: test failed")
    parent = _find(document, steps[:-1], failed)
    # The real server takes an absent member of an object for null.
    is_member = steps and isinstance(parent, dict)
    found = parent.get(steps[-1]) if is_member else _find(parent, steps[-1:], failed)
    if not same(found, wanted):
        raise failed
    return document


_OPERATIONS: Final[Mapping[Any, Callable[[Any, Mapping[str, Any]], Any]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _check,
}


# --- RFC 7386 ---------------------------------------------------------------------------------------------


def apply_merge(document: Any, patch: Any, depth: int = 0) -> Any:
    """Carry out a merge patch: objects merge, null removes, everything else replaces.

    Raises:
        BadRequest: it is nested deeper than ``MAX_DEPTH``.
    """
    if not isinstance(patch, dict):
        return document if same(document, patch) else patch
    if depth > MAX_DEPTH:
        raise BadRequest("error decoding patch: nested too deep")
    fresh = not isinstance(document, dict)
    base: Mapping[str, Any] = {} if fresh else document
    changed: dict[str, Any] | None = {} if fresh else None
    for key, item in patch.items():
        before = base.get(key, _MISSING)
        if item is None:
            after = _MISSING
        else:
            after = apply_merge(None if before is _MISSING else before, item, depth + 1)
        if after is before:
            continue
        if changed is None:
            changed = dict(base)
        if after is _MISSING:
            del changed[key]
        else:
            changed[key] = after
    return document if changed is None else changed
