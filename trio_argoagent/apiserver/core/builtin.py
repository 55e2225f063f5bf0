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
    Naming,
    ResourceType,
)
from trio_argoagent.apiserver.core.making import A_TEXT, a_list, an_object, core_type
from trio_argoagent.apiserver.core.rbactypes import rbac_types
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES, SECRETS

_INT: Final = {"type": "integer"}
_BOOL: Final = {"type": "boolean"}
_MAP: Final = {"type": "object", "additionalProperties": A_TEXT}
_ANY: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_REFERENCE: Final = an_object(
    apiVersion=A_TEXT,
    kind=A_TEXT,
    namespace=A_TEXT,
    name=A_TEXT,
    uid=A_TEXT,
    resourceVersion=A_TEXT,
    fieldPath=A_TEXT,
)


def core_types() -> tuple[ResourceType, ...]:
    """The kinds that are there without a CRD."""
    return (
        core_type(
            NAMESPACES,
            an_object(
                spec=an_object(finalizers=a_list(A_TEXT)),
                status=an_object(phase=A_TEXT, conditions=a_list(_ANY, "type")),
            ),
            short_names=("ns",),
            named_as=Naming.LABEL,
            verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
            subresources=("finalize", "status"),
            selectable={**SELECTABLE, "name": ("metadata", "name"), "status.phase": ("status", "phase")},
            columns=(Column("Status", "string", ".status.phase"), *AGE),
            rule=corerules.namespace,
        ),
        core_type(
            SECRETS,
            an_object(data=_MAP, stringData=_MAP, type=A_TEXT, immutable=_BOOL),
            selectable={**SELECTABLE, "type": ("type",)},
            columns=(Column("Type", "string", ".type"), *AGE),
            rule=corerules.secret,
        ),
        core_type(
            CONFIG_MAPS,
            an_object(data=_MAP, binaryData=_MAP, immutable=_BOOL),
            short_names=("cm",),
            rule=corerules.config_map,
        ),
        core_type(
            SERVICE_ACCOUNTS,
            an_object(
                secrets=a_list(_REFERENCE, "name"),
                imagePullSecrets=a_list(an_object(name=A_TEXT), "name"),
                automountServiceAccountToken=_BOOL,
            ),
            short_names=("sa",),
            subresources=("token",),
        ),
        _events(),
        _new_events(),
        _leases(),
        core_type(
            CRDS,
            an_object(spec=_ANY, status=_ANY),
            short_names=("crd", "crds"),
            categories=("api-extensions",),
            subresources=("status",),
            columns=(Column("Created At", "date", ".metadata.creationTimestamp"),),
            generations=True,
            rule=corerules.crd,
        ),
        *rbac_types(),
    )  # fmt: skip


def _leases() -> ResourceType:
    spec = an_object(
        holderIdentity=A_TEXT, leaseDurationSeconds=_INT, acquireTime=A_TEXT, renewTime=A_TEXT,
        leaseTransitions=_INT, strategy=A_TEXT, preferredHolder=A_TEXT,
    )  # fmt: skip
    return core_type(
        LEASES,
        an_object(spec=spec),
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
_TIME: Final = {**A_TEXT, "nullable": True, "default": None}
_SOURCE: Final = {**an_object(component=A_TEXT, host=A_TEXT), "default": {}}
_EVENT: Final[Mapping[str, Any]] = dict(
    involvedObject=_REFERENCE, related=_REFERENCE, reason=A_TEXT, message=A_TEXT, type=A_TEXT, action=A_TEXT,
    source=_SOURCE, count=_INT, firstTimestamp=_TIME, lastTimestamp=_TIME, eventTime=_TIME,
    series=an_object(count=_INT, lastObservedTime=A_TEXT), reportingComponent=A_TEXT,
    reportingInstance=A_TEXT,
)  # fmt: skip
_EMPTY: Final = {**A_TEXT, "default": ""}
_REFERENCE_FIELDS: Final = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def _events() -> ResourceType:
    selectable: dict[str, tuple[str, ...]] = {
        f"involvedObject.{field}": ("involvedObject", field) for field in _REFERENCE_FIELDS
    }
    selectable |= {field: (field,) for field in ("reason", "type", "reportingComponent")}
    return core_type(
        EVENTS,
        an_object(**{**_EVENT, "reportingComponent": _EMPTY, "reportingInstance": _EMPTY}),
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
    return core_type(
        NEW_EVENTS,
        an_object(**{names.get(field, field): schema for field, schema in _EVENT.items()}),
        short_names=("ev",),
        selectable={**SELECTABLE, **selectable},
        rule=corerules.new_event,
        home=EVENTS,
        renamed=_RENAMED,
    )
