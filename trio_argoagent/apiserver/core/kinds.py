"""What a resource is to the server: all there is to know about one; and the names of those built in."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.fieldtypes import FieldType, of_object
from trio_argoagent.apiserver.core.schema import Shape
from trio_argoagent.apiserver.core.values import encode
from trio_argoagent.model.resources import Resource

EVENTS: Final = Resource("", "v1", "events", "Event")
NEW_EVENTS: Final = Resource("events.k8s.io", "v1", "events", "Event")
SERVICE_ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
LEASES: Final = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CRDS: Final = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)

VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Naming(enum.Enum):
    """What a name may be."""

    SUBDOMAIN = enum.auto()
    """Of RFC 1123."""
    LABEL = enum.auto()
    """Likewise."""
    SEGMENT = enum.auto()
    """Whatever can be one step of a path."""


Rule: TypeAlias = Callable[[dict[str, Any], Mapping[str, Any] | None], list[failures.Problem]]
"""(the new value, which it may change at the top level; the stored one) -> what is wrong."""


def no_rule(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[failures.Problem]:
    """The schema says all."""
    return []


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
        named_as: which names its objects may have.
        selectable: what field selectors may name.
        rule: what the schema cannot say.
        home: whose objects these are, if another resource's are shown here in another form; see ``views``.
        renamed: which top-level fields have another name there: name here -> name there.
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
    named_as: Naming = Naming.SUBDOMAIN
    selectable: Mapping[str, tuple[str, ...]] = SELECTABLE
    rule: Rule = no_rule
    home: Resource | None = None
    renamed: Mapping[str, str] = attrs.field(factory=dict)
    fields: FieldType = attrs.field(init=False)
    head: bytes = attrs.field(init=False)

    @head.default
    def _head(self) -> bytes:
        return encode({"apiVersion": self.resource.api_version, "kind": self.resource.kind})[:-1] + b","

    @fields.default
    def _fields(self) -> FieldType:
        return of_object(self.schema)

    @property
    def storage(self) -> Resource:
        """Where its objects are."""
        return self.home or self.resource

    @property
    def has_status(self) -> bool:
        """Is ``status`` written through a subresource of its own?"""
        return "status" in self.subresources
