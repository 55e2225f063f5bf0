"""How the parts of an object are owned: field by field, item by item, or as a whole.

It follows from the schema: an object is owned member by member unless its map type is ``atomic``; a list is
owned as a whole unless its list type is ``set`` or ``map``. Where the schema lets anything through, objects
are taken member by member and lists as a whole. Types are made as a walk comes to them: most of a schema is
never met.

Source: Kubernetes' documentation, "Merge strategy" of server-side apply; sigs.k8s.io/structured-merge-diff.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.apiserver.core.fieldsets import compact, member


class How(enum.Enum):
    """How a value is owned."""

    WHOLE = "as a whole"
    MEMBERS = "member by member"
    ITEMS = "item by item"


class FieldType:
    """The type of one place in an object.

    Args:
        schema: of that place; None: anything goes.
    """

    def __init__(self, schema: Mapping[str, Any] | None) -> None:
        schema = schema or {}
        self._properties: Mapping[str, Any] = schema.get("properties") or {}
        self._rest = schema.get("additionalProperties")
        self._items = schema.get("items")
        kind = schema.get("type", "")
        self._open = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or not (
            kind or self._properties or schema.get("x-kubernetes-int-or-string")
        )
        self._may_be_object = kind in ("", "object") and schema.get("x-kubernetes-map-type") != "atomic"
        self._list_type = schema.get("x-kubernetes-list-type", "atomic")
        self._keys: tuple[str, ...] = tuple(schema.get("x-kubernetes-list-map-keys", ()))
        self._children: dict[str, FieldType] = {}
        self._item: FieldType | None = None

    def how(self, value: Any) -> How:
        """How such a value is owned. One of the wrong type counts as a whole: the schema will refuse it."""
        if isinstance(value, dict):
            return How.MEMBERS if self._may_be_object else How.WHOLE
        if isinstance(value, list) and self._list_type in ("set", "map"):
            return How.ITEMS
        return How.WHOLE

    def names(self, name: str) -> bool:
        """Does the schema name that member?"""
        return name in self._properties

    def knows(self, name: str) -> bool:
        """May there be such a member?"""
        return name in self._properties or self._open or bool(self._rest)

    def child(self, name: str) -> FieldType:
        """The type of a member; of one that may not be there: anything."""
        found = self._children.get(name)
        if found is not None:
            return found
        if name in self._properties:
            made = self._children[name] = FieldType(self._properties[name])
            return made
        # Not remembered under its name: there is no end to the names of a map.
        return FieldType(self._rest) if isinstance(self._rest, Mapping) else ANYTHING

    @property
    def item(self) -> FieldType:
        """The type of a list's items."""
        if self._item is None:
            self._item = FieldType(self._items) if isinstance(self._items, Mapping) else ANYTHING
        return self._item

    def step(self, item: Any) -> str:
        """The step to an item of a list that is owned item by item.

        Raises:
            ValueError: the item has none, and why.
        """
        if self._list_type == "set":
            return f"v:{compact(item)}"
        if not isinstance(item, dict):
            raise ValueError("associative list with keys may not have non-map elements")
        key = {name: item.get(name, self._default(name)) for name in self._keys}
        if all(value is None for value in key.values()):
            names = ", ".join(self._keys)
            raise ValueError(f"associative list with keys has an element that omits all key fields ({names})")
        return f"k:{compact(key)}"

    def _default(self, name: str) -> Any:
        properties = (self._items or {}).get("properties") or {}
        return (properties.get(name) or {}).get("default")

    def along(self, step: str) -> FieldType:
        """The type that a step leads to."""
        return self.child(step[2:]) if step.startswith("f:") else self.item


ANYTHING: Final = FieldType(None)

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "integer"}
_FLAG: Final = {"type": "boolean"}
_TEXTS: Final = {"type": "object", "additionalProperties": _TEXT}
_METADATA: Final = {
    "type": "object",
    "properties": {
        **dict.fromkeys(
            (
                "name", "generateName", "namespace", "uid", "resourceVersion", "creationTimestamp",
                "deletionTimestamp", "selfLink",
            ),
            _TEXT,
        ),
        **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), _NUMBER),
        **dict.fromkeys(("labels", "annotations"), _TEXTS),
        "finalizers": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"},
        "ownerReferences": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "items": {
                "type": "object",
                "x-kubernetes-map-type": "atomic",
                "properties": {
                    **dict.fromkeys(("apiVersion", "kind", "name", "uid"), _TEXT),
                    **dict.fromkeys(("controller", "blockOwnerDeletion"), _FLAG),
                },
            },
        },
        "managedFields": {"type": "array"},
    },
}  # fmt: skip


def of_object(schema: Mapping[str, Any]) -> FieldType:
    """The type of whole objects with that schema: metadata is the same for all of them."""
    head = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": _METADATA}
    return FieldType({**schema, "type": "object", "properties": {**(schema.get("properties") or {}), **head}})


def metadata_step(name: str) -> tuple[str, str]:
    """The path of a field of ``metadata``."""
    return member("metadata"), member(name)
