"""Is a schema structural? A CustomResourceDefinition with one that is not is refused.

Source: Kubernetes' documentation, "Specifying a structural schema"; k8s.io/apiextensions-apiserver
pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.failures import Problem

MAX_DEPTH: Final = 64  # levels; compiling refuses deeper ones
_LIST_TYPES: Final = ("atomic", "set", "map")
_MAP_TYPES: Final = ("atomic", "granular")
_LIST_TYPE: Final = "x-kubernetes-list-type"
_MAP_TYPE: Final = "x-kubernetes-map-type"
_OPEN: Final = "x-kubernetes-preserve-unknown-fields"
_KEYS: Final = "x-kubernetes-list-map-keys"


def problems(schema: Any, where: str) -> list[Problem]:
    """What is wrong with the schema of a whole object that stands there."""
    if type(schema) is not dict:
        return [failures.required(where, "schemas are required")]
    found: list[Problem] = []
    if schema.get("type") != "object":
        text = "must be object at the root"
        found.append(failures.invalid_value(f"{where}.type", schema.get("type", ""), text))
    _walk(schema, (None, where), found, 0)
    return found


def _render(path: Any) -> str:
    text = ""
    while path is not None:
        path, step = path
        text = step + text
    return text


def _walk(schema: dict[str, Any], path: Any, found: list[Problem], depth: int) -> None:
    # Definitions have thousands of places, and simulations thousands of servers: what is usual goes quickly.
    if _LIST_TYPE in schema or _MAP_TYPE in schema:
        found += _types(schema, _render(path))
    properties, rest = schema.get("properties"), schema.get("additionalProperties")
    if depth > MAX_DEPTH:
        return
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        found.append(failures.forbidden_field(f"{_render(path)}.uniqueItems", text))
    if properties:
        if rest:
            text = "additionalProperties and properties are mutual exclusive"
            found.append(failures.forbidden_field(f"{_render(path)}.additionalProperties", text))
        for name, part in properties.items():
            _place(part, (path, f".properties[{name}]"), found, depth)
    if rest and rest is not True:
        _place(rest, (path, ".additionalProperties"), found, depth)
    if "items" in schema:
        _place(schema["items"], (path, ".items"), found, depth)


def _place(part: Any, path: Any, found: list[Problem], depth: int) -> None:
    if type(part) is not dict:
        found.append(failures.invalid_value(_render(path), part, "must be a schema"))
        return
    if not part.get("type") and not part.get("x-kubernetes-int-or-string") and not part.get(_OPEN):
        kind = "array items" if path[1] == ".items" else "object fields"
        found.append(failures.required(f"{_render(path)}.type", f"must not be empty for specified {kind}"))
    if len(part) > 1:  # Else it says its type, and no more.
        _walk(part, path, found, depth + 1)


def _types(schema: Mapping[str, Any], where: str) -> Iterator[Problem]:
    kind, keys = schema.get(_LIST_TYPE, "atomic"), schema.get(_KEYS)
    if kind not in _LIST_TYPES:
        yield failures.not_supported(f"{where}.{_LIST_TYPE}", kind, _LIST_TYPES)
    shape = schema.get(_MAP_TYPE, "granular")
    if shape not in _MAP_TYPES:
        yield failures.not_supported(f"{where}.{_MAP_TYPE}", shape, _MAP_TYPES)
    if kind != "map":
        return
    if not keys:
        yield failures.required(f"{where}.{_KEYS}", "must not be empty if x-kubernetes-list-type is map")
    items = schema.get("items") or {}
    known, needed = items.get("properties") or {}, items.get("required") or ()
    for key in keys or ():
        if key not in known:
            text = "entries must all be names of item properties"
            yield failures.invalid_value(f"{where}.{_KEYS}", key, text)
        elif key not in needed and "default" not in known[key]:
            text = f"this property is in {_KEYS}, so it must have a default or be a required property"
            yield failures.required(f"{where}.items.properties[{key}].default", text)
