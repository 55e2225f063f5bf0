"""Sets of fields: who owns what, in memory and as ``fieldsV1`` has it.

A path is a tuple of steps in their wire form: ``f:NAME`` a member of an object, ``k:{"name":"x"}`` the item
of a list that has this key, ``v:"x"`` an item of a set. A set of fields is a set of paths; on the wire it is
a tree, in which a member with children says ``.`` of itself. Flat sets are larger and make union and
difference free of code; they live for one request.

Source: KEP-555; sigs.k8s.io/structured-merge-diff fieldpath/serialize.go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str, ...]
FieldSet: TypeAlias = frozenset[Path]

EMPTY: Final[FieldSet] = frozenset()
MAX_FIELDS: Final = 100_000  # paths of one set that a client sends

_SELF: Final = "."
_STEPS: Final = ("f:", "k:", "v:", "i:")


def compact(value: Any) -> str:
    """JSON without spaces, keys in order: how a key or a value stands in a step."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def member(name: str) -> str:
    """The step to a member of an object."""
    return f"f:{name}"


def to_wire(fields: FieldSet) -> dict[str, Any]:
    """The ``fieldsV1`` of a set."""
    root: dict[str, Any] = {}
    # In order, so that equal sets give equal bytes.
    for path in sorted(fields):
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node[_SELF] = {}
    return _bare(root)


def _bare(node: dict[str, Any]) -> dict[str, Any]:
    # A leaf is an empty object; only what has children says "." of itself.
    if len(node) == 1 and _SELF in node:
        return {}
    return {step: {} if step == _SELF else _bare(child) for step, child in node.items()}


def from_wire(value: Any) -> FieldSet:
    """The set of a ``fieldsV1``.

    Raises:
        ValueError: it is none.
    """
    found: set[Path] = set()
    _read(value, (), found)
    found.discard(())
    return frozenset(found)


def _read(node: Any, path: Path, found: set[Path]) -> None:
    if not isinstance(node, Mapping):
        raise ValueError(f"not an object at {render(path) or 'the top'}")
    if len(found) > MAX_FIELDS:
        raise ValueError(f"more than {MAX_FIELDS} fields")
    if not node:
        found.add(path)
    for step, child in node.items():
        if step == _SELF:
            found.add(path)
        elif step[:2] in _STEPS:
            _read(child, (*path, step), found)
        else:
            raise ValueError(f"unknown path element {step!r}")


def leaves_first(path: Path) -> tuple[tuple[bool, str], ...]:
    """A key to sort by: what ends at a level comes before what goes deeper. So conflicts are listed."""
    return tuple((depth < len(path), step) for depth, step in enumerate(path, 1))


def render(path: Path) -> str:
    """A path for people: ``.spec.items[name="x"].value``."""
    return "".join(map(_render_step, path))


def _render_step(step: str) -> str:
    kind, rest = step[:2], step[2:]
    if kind == "f:":
        return f".{rest}"
    if kind == "v:":
        return f"[={rest}]"
    if kind == "i:":
        return f"[{rest}]"
    key: Mapping[str, Any] = json.loads(rest)
    return "[" + ",".join(f"{name}={compact(value)}" for name, value in key.items()) + "]"
