"""What the built-in kinds are made with: the words of their schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.schema import compile_schema
from trio_argoagent.model.resources import Resource

A_TEXT: Final = {"type": "string"}


def an_object(**properties: Any) -> dict[str, Any]:
    """One with these fields."""
    return {"type": "object", "properties": properties}


def a_list(item: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A list; with keys, one that several managers may share."""
    shared = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)} if keys else {}
    return {"type": "array", "items": item, **shared}


def core_type(resource: Resource, schema: Mapping[str, Any], **more: Any) -> ResourceType:
    """A kind that is there without a CRD; ``more`` is of ``ResourceType``."""
    kind = resource.kind
    return ResourceType(
        resource,
        singular=kind.lower(),
        list_kind=f"{kind}List",
        schema=schema,
        shape=compile_schema(schema, root=True),
        **more,
    )
