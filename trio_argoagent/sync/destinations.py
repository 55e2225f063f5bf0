"""Destination-based mapping: ``spec.destination.name`` says which agent an Application of the hub is for.

Its namespace is the same on both sides, so many tenants with a namespace each may share one cluster. Only
what lies in Argo CD's own namespace on the hub goes to Argo CD's own on the spoke, and is stamped. Where the
two are called otherwise, a hub namespace called as the spoke's own would go to the same place: nothing in it
is mapped, so that every key has one hub name, whatever objects there are (``shadowed`` tells people).

Managed agents only. The rules are argocd-agent's but for that last one: it lets one overwrite the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
from msgspec import structs

from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.sync import kinds, names
from trio_argoagent.sync.mapping import IN_CLUSTER, NamespaceMapping, Style, destinations_match
from trio_argoagent.sync.patterns import NONE, Patterns

REMAPPED: Final = "true"


def destination_of(app: Object) -> str:
    """The agent that an Application of the hub names; empty: none, or the hub's own cluster."""
    spec = app.get("spec")
    destination = spec.get("destination") if isinstance(spec, dict) else None
    name = destination.get("name") if isinstance(destination, dict) else None
    return name if isinstance(name, str) and name != IN_CLUSTER else ""


@attrs.frozen
class DestinationMapping(NamespaceMapping):
    """The mapping between the hub and one managed agent; see the module.

    Attributes:
        allowed: the hub's namespaces whose Applications take part, besides Argo CD's own.
    """

    allowed: Patterns = NONE

    @property
    def home(self) -> str:
        """Argo CD's own: the Applications of one agent lie in many namespaces."""
        return self.principal_namespace

    def said(self) -> tuple[str, ...]:
        """See the base."""
        where = (self.agent, self.principal_namespace, self.agent_namespace)
        return (Style.DESTINATION.value, *where, *sorted(self.allowed.patterns))

    def hub_name(self, key: Key) -> tuple[str, str]:
        """See the base."""
        if kinds.BASE[key.kind].shared or key.namespace == self.agent_namespace:
            return self.principal_namespace, key.name
        return key.namespace, key.name

    def key(self, kind: Kind, namespace: str, name: str) -> Key | None:
        """See the base."""
        if namespace == self.principal_namespace:
            return Key(kind, self.agent_namespace, name)
        if kinds.BASE[kind].shared or namespace == self.agent_namespace or not self.allowed.match(namespace):
            return None
        return Key(kind, namespace, name)

    def reaches(self, kind: Kind, namespace: str, name: str) -> bool:
        """See the base: by names alone, so an Application of any agent. Also where one is shadowed."""
        shadow = not kinds.BASE[kind].shared and namespace == self.agent_namespace
        return super().reaches(kind, namespace, name) or (shadow and self.allowed.match(namespace))

    def find(self, kind: Kind, obj: Object) -> Key | None:
        """See the base."""
        if not kinds.BASE[kind].shared and not obj.unreadable and destination_of(obj) != self.agent:
            return None  # What cannot be read may be anybody's: nobody may think that it is gone.
        return super().find(kind, obj)

    def shadowed(self, app: Object) -> str:
        """See the base. An Application of a namespace that does not take part is none of our business."""
        namespace = app.meta.namespace
        if namespace == self.principal_namespace or namespace != self.agent_namespace:
            return ""
        if destination_of(app) != self.agent or not self.allowed.match(namespace):
            return ""
        own = f"on the cluster of {self.agent} that is Argo CD's own namespace"
        return f"namespace {namespace} is not mapped: {own}, where the Applications of {self.home} go"

    def in_scope(self, key: Key) -> bool:
        """See the base."""
        found = self.key(key.kind, *self.hub_name(key)) if is_dns_label(key.namespace) else None
        if found is None or found.namespace != key.namespace:
            return False
        return super().in_scope(structs.replace(key, namespace=self.agent_namespace))

    def admits(self, project: Mapping[str, Any]) -> bool:
        """It must be for this agent's cluster; which namespaces use it is Argo CD's business there."""
        return destinations_match(project, self.agent)

    def down(self, key: Key, projection: dict[str, Any]) -> dict[str, Any]:
        """See the base."""
        body = super().down(key, projection)
        if key.kind is not Kind.APPLICATION or key.namespace != self.agent_namespace:
            return body
        return body | {"annotations": body["annotations"] | {names.REMAPPED: REMAPPED}}

    @property
    def _withheld(self) -> tuple[str, ...]:
        return ("roles",)
