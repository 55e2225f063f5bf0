"""The strategic merge patch, for core kinds only.

It knows the lists of the few core kinds served here, by field name; a list it does not know is replaced.
Source: k8s.io/apimachinery pkg/util/strategicpatch and the patchStrategy tags of the core types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core.patches import MAX_DEPTH
from trio_argoagent.apiserver.core.values import same
from trio_argoagent.errors import BadRequest

_PRIMITIVE: Final = frozenset({"finalizers"})
_KEYED: Final[Mapping[str, str]] = {"ownerReferences": "uid", "conditions": "type", "secrets": "name"}
_DELETE_FROM: Final = "$deleteFromPrimitiveList/"


def apply_strategic(document: Any, patch: Any, depth: int = 0) -> Any:
    """Carry out a strategic merge patch on an object of a core kind.

    Raises:
        BadRequest: a directive is unknown, or it is nested too deep.
    """
    if not isinstance(patch, dict):
        return document if same(document, patch) else patch
    if depth > MAX_DEPTH:
        raise BadRequest("error decoding patch: nested too deep")
    base = document if isinstance(document, dict) else {}
    directive = patch.get("$patch", "merge")
    if directive == "delete":
        return {}
    if directive not in ("merge", "replace"):
        raise BadRequest(f"Unknown patch type [{directive}] found")
    if directive == "replace":
        return {key: item for key, item in patch.items() if key != "$patch"}
    result = dict(base)
    for key, item in patch.items():
        if key.startswith(_DELETE_FROM):
            field = key.removeprefix(_DELETE_FROM)
            result[field] = [entry for entry in base.get(field) or () if entry not in item]
        elif key == "$retainKeys":
            result = {name: entry for name, entry in result.items() if name in item}
        elif not key.startswith("$"):
            _merge_field(result, key, item, depth)
    return document if same(document, result) else result


def _merge_field(result: dict[str, Any], key: str, item: Any, depth: int) -> None:
    before = result.get(key)
    if item is None:
        result.pop(key, None)
    elif isinstance(item, list) and key in _PRIMITIVE:
        known = before or []
        result[key] = [*known, *(entry for entry in item if entry not in known)]
    elif isinstance(item, list) and key in _KEYED and all(isinstance(entry, dict) for entry in item):
        result[key] = _merge_keyed(before or [], item, _KEYED[key], depth)
    else:
        result[key] = apply_strategic(before, item, depth + 1)


def _merge_keyed(before: Sequence[Any], patch: Sequence[Any], key: str, depth: int) -> list[Any]:
    result = list(before)
    for entry in patch:
        if entry.get("$patch") == "replace":
            return [item for item in patch if "$patch" not in item]
        at = next((i for i, item in enumerate(result) if item.get(key) == entry.get(key)), None)
        if entry.get("$patch") == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(apply_strategic({}, entry, depth + 1))
        else:
            result[at] = apply_strategic(result[at], entry, depth + 1)
    return result
