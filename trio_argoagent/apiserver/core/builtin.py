"""The resources the server knows without being told, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.apiserver.core import corerules
from trio_argoagent.apiserver.core.kinds import (
    AGE,
    CRDS,
    EVENTS,
    LEASES,
    NEW_EVENTS,
    SELECTABLE,
    SERVICE_ACCOUNTS,
    VERBS,
    Column,
    ResourceType,
)
from trio_argoagent.apiserver.core.schema import compile_schema
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES, SECRETS, Resource


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(item: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """A list; with keys, one that several managers may share."""
    shared = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)} if keys else {}
    return {"type": "array", "items": item, **shared}


_STR: Final = {"type": "string"}
_INT: Final = {"type": "integer"}
_BOOL: Final = {"type": "boolean"}
_MAP: Final = {"type": "object", "additionalProperties": _STR}
_ANY: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_REFERENCE: Final = _object(
    apiVersion=_STR, kind=_STR, namespace=_STR, name=_STR, uid=_STR, resourceVersion=_STR, fieldPath=_STR
)


def _core(resource: Resource, schema: Mapping[str, Any], **more: Any) -> ResourceType:
    kind = resource.kind
    return ResourceType(
        resource,
        singular=kind.lower(),
        list_kind=f"{kind}List",
        schema=schema,
        shape=compile_schema(schema, root=True),
        **more,
    )


def core_types() -> tuple[ResourceType, ...]:
    """The kinds that are there without a CRD."""
    return (
        _core(
            NAMESPACES,
            _object(
                spec=_object(finalizers=_list(_STR)),
                status=_object(phase=_STR, conditions=_list(_ANY, "type")),
            ),
            short_names=("ns",),
            verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
            subresources=("finalize", "status"),
            selectable={**SELECTABLE, "name": ("metadata", "name"), "status.phase": ("status", "phase")},
            columns=(Column("Status", "string", ".status.phase"), *AGE),
            rule=corerules.namespace,
        ),
        _core(
            SECRETS,
            _object(data=_MAP, stringData=_MAP, type=_STR, immutable=_BOOL),
            selectable={**SELECTABLE, "type": ("type",)},
            columns=(Column("Type", "string", ".type"), *AGE),
            rule=corerules.secret,
        ),
        _core(
            CONFIG_MAPS,
            _object(data=_MAP, binaryData=_MAP, immutable=_BOOL),
            short_names=("cm",),
            rule=corerules.config_map,
        ),
        _core(
            SERVICE_ACCOUNTS,
            _object(
                secrets=_list(_REFERENCE, "name"),
                imagePullSecrets=_list(_object(name=_STR), "name"),
                automountServiceAccountToken=_BOOL,
            ),
            short_names=("sa",),
        ),
        _events(),
        _new_events(),
        _leases(),
        _core(
            CRDS,
            _object(spec=_ANY, status=_ANY),
            short_names=("crd", "crds"),
            categories=("api-extensions",),
            subresources=("status",),
            columns=(Column("Created At", "date", ".metadata.creationTimestamp"),),
            generations=True,
            rule=corerules.crd,
        ),
    )  # fmt: skip


def _leases() -> ResourceType:
    spec = _object(
        holderIdentity=_STR, leaseDurationSeconds=_INT, acquireTime=_STR, renewTime=_STR,
        leaseTransitions=_INT, strategy=_STR, preferredHolder=_STR,
    )  # fmt: skip
    return _core(
        LEASES,
        _object(spec=spec),
        columns=(Column("Holder", "string", ".spec.holderIdentity"), *AGE),
        rule=corerules.lease,
    )


# What an Event of events.k8s.io calls otherwise: name there -> name in the core group, where it is stored.
_RENAMED: Final[Mapping[str, str]] = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
# Go writes these also when they are empty.
_TIME: Final = {**_STR, "nullable": True, "default": None}
_SOURCE: Final = {**_object(component=_STR, host=_STR), "default": {}}
_EVENT: Final[Mapping[str, Any]] = dict(
    involvedObject=_REFERENCE, related=_REFERENCE, reason=_STR, message=_STR, type=_STR, action=_STR,
    source=_SOURCE, count=_INT, firstTimestamp=_TIME, lastTimestamp=_TIME, eventTime=_TIME,
    series=_object(count=_INT, lastObservedTime=_STR), reportingComponent=_STR, reportingInstance=_STR,
)  # fmt: skip
_EMPTY: Final = {**_STR, "default": ""}
_REFERENCE_FIELDS: Final = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def _events() -> ResourceType:
    selectable: dict[str, tuple[str, ...]] = {
        f"involvedObject.{field}": ("involvedObject", field) for field in _REFERENCE_FIELDS
    }
    selectable |= {field: (field,) for field in ("reason", "type", "reportingComponent")}
    return _core(
        EVENTS,
        _object(**{**_EVENT, "reportingComponent": _EMPTY, "reportingInstance": _EMPTY}),
        short_names=("ev",),
        selectable={**SELECTABLE, **selectable},
        rule=corerules.event,
    )


def _new_events() -> ResourceType:
    names = {there: here for here, there in _RENAMED.items()}
    selectable: dict[str, tuple[str, ...]] = {
        f"regarding.{field}": ("involvedObject", field) for field in _REFERENCE_FIELDS
    }
    selectable |= {"reason": ("reason",), "type": ("type",), "reportingController": ("reportingComponent",)}
    return _core(
        NEW_EVENTS,
        _object(**{names.get(field, field): schema for field, schema in _EVENT.items()}),
        short_names=("ev",),
        selectable={**SELECTABLE, **selectable},
        rule=corerules.new_event,
        home=EVENTS,
        renamed=_RENAMED,
    )
