"""The resources the server knows without being told: a table of the core kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from trio_argoagent.apiserver.core import corerules, failures
from trio_argoagent.apiserver.core.fieldtypes import FieldType, of_object
from trio_argoagent.apiserver.core.schema import Shape, compile_schema
from trio_argoagent.apiserver.core.values import encode
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES, SECRETS, Resource

EVENTS: Final = Resource("", "v1", "events", "Event")
SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
LEASES: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CRDS: Final = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)

VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

Rule: TypeAlias = Callable[[dict[str, Any], Mapping[str, Any] | None], list[failures.Problem]]
"""(the new value, which it may change at the top level; the stored one) -> what is wrong."""


@attrs.frozen
class Column:
    """A printer column of a Table.

    Attributes:
        name: its heading.
        type: string, integer, number, boolean or date.
        path: a JSONPath as in a CRD, from the object's root: ``.status.sync.status``.
        priority: 0 is shown always, more only in wide output.
        description: for people.
        format: of the value, mostly empty.
    """

    name: str
    type: str
    path: str
    priority: int = 0
    description: str = ""
    format: str = ""


SELECTABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "metadata.name": ("metadata", "name"),
    "metadata.namespace": ("metadata", "namespace"),
}
AGE: Final = (Column("Age", "date", ".metadata.creationTimestamp"),)


@attrs.frozen(eq=False)
class ResourceType:
    """All there is to know about one resource in one version.

    Attributes:
        resource: where it lives.
        singular: its singular name, for discovery.
        list_kind: the kind of a list of it.
        short_names: for kubectl.
        categories: for kubectl.
        verbs: what it supports.
        subresources: names of its subresources (``status``, ``finalize``).
        columns: printer columns after the name.
        schema: its OpenAPI v3 schema as it was given.
        shape: the same, compiled.
        custom: does it come from a CRD?
        generations: does it count ``metadata.generation``?
        selectable: what field selectors may name.
        rule: what the schema cannot say.
        fields: how its fields are owned; follows from the schema.
        head: how the JSON of a stored object of it begins.
    """

    resource: Resource
    singular: str
    list_kind: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    subresources: tuple[str, ...] = ()
    columns: tuple[Column, ...] = AGE
    schema: Mapping[str, Any] = attrs.field(factory=dict)
    shape: Shape = attrs.field(factory=Shape)
    custom: bool = False
    generations: bool = False
    selectable: Mapping[str, tuple[str, ...]] = SELECTABLE
    rule: Rule = corerules.nothing
    fields: FieldType = attrs.field(init=False)
    head: bytes = attrs.field(init=False)

    @head.default
    def _head(self) -> bytes:
        return encode({"apiVersion": self.resource.api_version, "kind": self.resource.kind})[:-1] + b","

    @fields.default
    def _fields(self) -> FieldType:
        return of_object(self.schema)

    @property
    def has_status(self) -> bool:
        """Is ``status`` written through a subresource of its own?"""
        return "status" in self.subresources


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
        _core(
            LEASES,
            _object(
                spec=_object(
                    holderIdentity=_STR, leaseDurationSeconds=_INT, acquireTime=_STR, renewTime=_STR,
                    leaseTransitions=_INT, strategy=_STR, preferredHolder=_STR,
                )
            ),
            columns=(Column("Holder", "string", ".spec.holderIdentity"), *AGE),
            rule=corerules.lease,
        ),
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


def _events() -> ResourceType:
    fields = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    selectable: dict[str, tuple[str, ...]] = {
        f"involvedObject.{field}": ("involvedObject", field) for field in fields
    }
    selectable |= {"reason": ("reason",), "type": ("type",), "reportingComponent": ("reportingComponent",)}
    return _core(
        EVENTS,
        _object(
            involvedObject=_REFERENCE, related=_REFERENCE, reason=_STR, message=_STR, type=_STR, action=_STR,
            source=_object(component=_STR, host=_STR), count=_INT, firstTimestamp=_STR, lastTimestamp=_STR,
            eventTime=_STR, series=_object(count=_INT, lastObservedTime=_STR),
            reportingComponent=_STR, reportingInstance=_STR,
        ),
        short_names=("ev",),
        selectable={**SELECTABLE, **selectable},
        columns=(
            Column("Last Seen", "date", ".lastTimestamp"),
            Column("Type", "string", ".type"),
            Column("Reason", "string", ".reason"),
            Column("Object", "string", ".involvedObject.name"),
            Column("Message", "string", ".message"),
        ),
        rule=corerules.event,
    )  # fmt: skip
