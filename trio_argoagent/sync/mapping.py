"""Hub names and specs <-> spoke names and specs: by namespace, or by destination (``destinations``).

By namespace, all Applications of a hub namespace are one agent's: the namespace is called as the agent, or as
the hub says. Keys are in spoke-side names and all mapping is done by the principal: an agent applies what it
is given. The rules are argocd-agent's, so that one installation can take over from the other.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import attrs

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.sync import kinds
from trio_argoagent.sync.normalise import normalise_application_spec
from trio_argoagent.sync.patterns import glob, glob_or_regex
from trio_argoagent.sync.roles import Roles

IN_CLUSTER: Final = "in-cluster"
IN_CLUSTER_SERVER: Final = "https://kubernetes.default.svc"
_MAX_NAME: Final = 253
# RFC 1123 subdomain. A name becomes part of a request path: nothing else may get there.
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


def _destination_matches(destination: Mapping[str, Any], agent: str) -> bool:
    name, server = destination.get("name") or "", destination.get("server") or ""
    if name:
        return glob(name, agent)
    if server == "*":
        return True
    try:
        wanted = parse_qs(urlsplit(server).query).get("agentName")
    except ValueError:
        return False  # No URL: again a user's mistake, and nobody else's trouble.
    return wanted is not None and glob(wanted[0], agent)


class Style(enum.StrEnum):
    """How it is known which agent an Application of the hub is for; both sides must know it alike."""

    NAMESPACE = "namespace"
    DESTINATION = "destination"


def destinations_match(spec: Mapping[str, Any], agent: str) -> bool:
    """Is an AppProject for this agent's cluster?

    A destination whose name is ``!glob`` and matches withholds it; otherwise one destination must match.
    """
    destinations: Sequence[Mapping[str, Any]] = spec.get("destinations") or ()
    denied = (name[1:] for d in destinations if (name := d.get("name") or "").startswith("!"))
    if any(glob(pattern, agent) for pattern in denied):
        return False
    return any(_destination_matches(d, agent) for d in destinations)


@attrs.frozen
class NamespaceMapping:
    """The mapping between the hub and one agent.

    Attributes:
        agent: its name, which is what destinations on the hub call its cluster.
        agent_namespace: Argo CD's namespace on the spoke.
        principal_namespace: Argo CD's namespace on the hub.
        autonomous: is the spoke the source?
        hub_namespace: where its Applications are on the hub; empty: in the one that is called as the agent.
    """

    agent: str
    agent_namespace: str
    principal_namespace: str
    autonomous: bool
    hub_namespace: str = ""

    @property
    def home(self) -> str:
        """The hub namespace that stands for this agent: when it goes, so has the agent's part of the hub."""
        return self.hub_namespace or self.agent

    def said(self) -> tuple[str, ...]:
        """What must stay the same for the absence of an object to mean that it is gone."""
        named = (self.hub_namespace,) if self.home != self.agent else ()
        return ("namespace", self.agent, self.principal_namespace, self.agent_namespace, *named)

    def hub_name(self, key: Key) -> tuple[str, str]:
        """Namespace and name on the hub of what has this key."""
        if not kinds.BASE[key.kind].shared:
            return self.home, key.name
        name = self._prefixed(key.name) if self.autonomous else key.name
        return self.principal_namespace, name

    def key(self, kind: Kind, namespace: str, name: str) -> Key | None:
        """The key of what has this name on the hub; None where nothing of this agent can be."""
        shared = kinds.BASE[kind].shared
        if namespace != (self.principal_namespace if shared else self.home):
            return None
        if shared and self.autonomous:
            prefix = f"{self.agent}-"
            if not name.startswith(prefix) or name == prefix:
                return None
            name = name.removeprefix(prefix)
        return Key(kind, self.agent_namespace, name)

    def reaches(self, kind: Kind, namespace: str, name: str) -> bool:
        """May what is done for this agent touch what has this name on the hub?"""
        return _NAME.fullmatch(name) is not None and self.key(kind, namespace, name) is not None

    def find(self, kind: Kind, obj: Object) -> Key | None:
        """The key of this object of the hub; None: it is not this agent's."""
        return self.key(kind, obj.meta.namespace, obj.meta.name)

    def shadowed(self, app: Object) -> str:
        """Why an Application that asks for this agent is not mapped; empty: it is, or asks for another."""
        return ""

    def in_scope(self, key: Key) -> bool:
        """May this agent speak of that key at all? Computed here, never from what the agent says."""
        if key.namespace != self.agent_namespace or _NAME.fullmatch(key.name) is None:
            return False
        return len(self.hub_name(key)[1]) <= _MAX_NAME

    def admits(self, project: Mapping[str, Any]) -> bool:
        """May this agent have an AppProject of this spec? It must be for its cluster and its Applications."""
        namespaces: Sequence[str] = project.get("sourceNamespaces") or ()
        return destinations_match(project, self.agent) and any(
            glob_or_regex(pattern, self.home) for pattern in namespaces
        )

    @property
    def _withheld(self) -> tuple[str, ...]:
        """Fields of an AppProject's spec that say nothing on this agent's cluster."""
        return "sourceNamespaces", "roles"

    def _prefixed(self, project: str) -> str:
        return f"{self.agent}-{project}"

    def down(self, key: Key, projection: dict[str, Any]) -> dict[str, Any]:
        """What the spoke shall hold of the hub object of this key."""
        if "spec" not in projection:
            return projection  # Nothing else speaks of namespaces, clusters or projects in another way there.
        spec = self._project_down(projection["spec"]) if key.kind is Kind.APP_PROJECT else projection["spec"]
        if key.kind is Kind.APPLICATION:
            spec = normalise_application_spec(spec)
            destination = {k: v for k, v in (spec.get("destination") or {}).items() if k != "server"}
            spec["destination"] = destination | {"name": IN_CLUSTER}
        return projection | {"spec": spec}

    def _project_down(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        matching = [d for d in spec.get("destinations") or () if _destination_matches(d, self.agent)]
        here = [d | {"name": IN_CLUSTER, "server": IN_CLUSTER_SERVER} for d in matching]
        kept = {name: value for name, value in spec.items() if name not in self._withheld}
        return kept | {"destinations": here}

    def up(self, key: Key, projection: dict[str, Any]) -> dict[str, Any]:
        """What the hub shall show of the spoke's object of this key.

        Raises:
            ValueError, TypeError, AttributeError: it makes no sense, or holds what must not go up.
        """
        spec = dict(projection["spec"])
        if key.kind is Kind.APPLICATION:
            destination = {k: v for k, v in (spec.get("destination") or {}).items() if k != "server"}
            spec["destination"] = destination | {"name": self.agent}
            spec["project"] = self._prefixed(spec.get("project") or "default")
        if key.kind is Kind.APP_PROJECT:
            spec["sourceNamespaces"] = [self.home]
            everywhere = {"name": self.agent, "server": "*"}
            spec["destinations"] = [d | everywhere for d in spec.get("destinations") or ()]
            if spec.get("roles"):
                roles = Roles(key.name, self._prefixed(key.name), self.home)
                spec["roles"] = [roles.up(role) for role in spec["roles"]]
        # Nobody on the hub would ever remove Argo CD's finalizers from a mirror.
        return projection | {"spec": spec, "finalizers": []}

    def status_up(self, status: dict[str, Any]) -> dict[str, Any]:
        """A spoke's status as the hub shows it: child Applications live in the mirrors' namespace.

        What is in the given one is not changed.
        """
        return self._move_children(status, self.agent_namespace, self.home)

    def status_down(self, status: dict[str, Any]) -> dict[str, Any]:
        """The inverse of ``status_up``: what the spoke's status was."""
        return self._move_children(status, self.home, self.agent_namespace)

    def _move_children(self, status: dict[str, Any], source: str, target: str) -> dict[str, Any]:
        if not self.autonomous or not status.get("resources"):
            return status
        moved = [
            child | {"namespace": target}
            if child.get("kind") == "Application" and child.get("namespace") == source
            else child
            for child in status["resources"]
        ]
        return status | {"resources": moved}
