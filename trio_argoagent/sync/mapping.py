"""Hub names and specs <-> spoke names and specs, namespace-based: the hub namespace is the agent's name.

Keys are in spoke-side names and all mapping is done by the principal: an agent applies what it is given.
The rules are argocd-agent's, so that one installation can take over from the other.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import attrs

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.sync import kinds
from trio_argoagent.sync.normalise import normalise_application_spec

IN_CLUSTER: Final = "in-cluster"
IN_CLUSTER_SERVER: Final = "https://kubernetes.default.svc"
_ROLE_RESOURCES: Final = frozenset(("applications", "applicationsets", "logs", "exec"))
_MAX_NAME: Final = 253
# RFC 1123 subdomain. A name becomes part of a request path: nothing else may get there.
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


def _glob(pattern: str, text: str) -> bool:
    return fnmatch.fnmatchcase(text, pattern)


def _glob_or_regex(pattern: str, text: str) -> bool:
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        try:
            return re.search(pattern[1:-1], text) is not None
        except (re.error, OverflowError, RecursionError):
            return False  # Like Argo CD: a user's mistake in one project must not end the principal.
    return _glob(pattern, text)


def _destination_matches(destination: Mapping[str, Any], agent: str) -> bool:
    name, server = destination.get("name") or "", destination.get("server") or ""
    if name:
        return _glob(name, agent)
    if server == "*":
        return True
    try:
        wanted = parse_qs(urlsplit(server).query).get("agentName")
    except ValueError:
        return False  # No URL: again a user's mistake, and nobody else's trouble.
    return wanted is not None and _glob(wanted[0], agent)


def project_matches(spec: Mapping[str, Any], agent: str) -> bool:
    """May this agent have that AppProject?

    A destination whose name is ``!glob`` and matches withholds it; otherwise one destination and one entry of
    ``sourceNamespaces`` must match.
    """
    destinations: Sequence[Mapping[str, Any]] = spec.get("destinations") or ()
    denied = (name[1:] for d in destinations if (name := d.get("name") or "").startswith("!"))
    if any(_glob(pattern, agent) for pattern in denied):
        return False
    allowed = any(_destination_matches(d, agent) for d in destinations)
    return allowed and any(_glob_or_regex(p, agent) for p in spec.get("sourceNamespaces") or ())


@attrs.frozen
class NamespaceMapping:
    """The mapping between the hub and one agent.

    Attributes:
        agent: its name, which is its namespace on the hub.
        agent_namespace: Argo CD's namespace on the spoke.
        principal_namespace: Argo CD's namespace on the hub.
        autonomous: is the spoke the source?
    """

    agent: str
    agent_namespace: str
    principal_namespace: str
    autonomous: bool

    def hub_name(self, key: Key) -> tuple[str, str]:
        """Namespace and name on the hub of what has this key."""
        if not kinds.BASE[key.kind].shared:
            return self.agent, key.name
        name = self._prefixed(key.name) if self.autonomous else key.name
        return self.principal_namespace, name

    def key(self, kind: Kind, hub_name: str, verb: str = "") -> Key | None:
        """The key of a hub object of that kind; None for one that is not this agent's."""
        if kinds.BASE[kind].shared and self.autonomous:
            prefix = f"{self.agent}-"
            if not hub_name.startswith(prefix) or hub_name == prefix:
                return None
            hub_name = hub_name.removeprefix(prefix)
        return Key(kind, self.agent_namespace, hub_name, verb)

    def in_scope(self, key: Key) -> bool:
        """May this agent speak of that key at all? Computed here, never from what the agent says."""
        if key.namespace != self.agent_namespace or _NAME.fullmatch(key.name) is None:
            return False
        return len(self.hub_name(key)[1]) <= _MAX_NAME

    def _prefixed(self, project: str) -> str:
        return f"{self.agent}-{project}"

    def down(self, kind: Kind, projection: dict[str, Any]) -> dict[str, Any]:
        """What the spoke shall hold of a hub object."""
        if "spec" not in projection:
            return projection  # Nothing else speaks of namespaces, clusters or projects in another way there.
        spec = self._project_down(projection["spec"]) if kind is Kind.APP_PROJECT else projection["spec"]
        if kind is Kind.APPLICATION:
            spec = normalise_application_spec(spec)
            destination = {k: v for k, v in (spec.get("destination") or {}).items() if k != "server"}
            spec["destination"] = destination | {"name": IN_CLUSTER}
        return projection | {"spec": spec}

    def _project_down(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        matching = [d for d in spec.get("destinations") or () if _destination_matches(d, self.agent)]
        here = [d | {"name": IN_CLUSTER, "server": IN_CLUSTER_SERVER} for d in matching]
        kept = {name: value for name, value in spec.items() if name not in ("sourceNamespaces", "roles")}
        return kept | {"destinations": here}

    def up(self, kind: Kind, projection: dict[str, Any]) -> dict[str, Any]:
        """What the hub shall show of a spoke's object."""
        spec = dict(projection["spec"])
        if kind is Kind.APPLICATION:
            destination = {k: v for k, v in (spec.get("destination") or {}).items() if k != "server"}
            spec["destination"] = destination | {"name": self.agent}
            spec["project"] = self._prefixed(spec.get("project") or "default")
        if kind is Kind.APP_PROJECT:
            spec["sourceNamespaces"] = [self.agent]
            everywhere = {"name": self.agent, "server": "*"}
            spec["destinations"] = [d | everywhere for d in spec.get("destinations") or ()]
            if spec.get("roles"):
                spec["roles"] = [self._role_up(role) for role in spec["roles"]]
        # Nobody on the hub would ever remove Argo CD's finalizers from a mirror.
        return projection | {"spec": spec, "finalizers": []}

    def _role_up(self, role: Mapping[str, Any]) -> dict[str, Any]:
        return dict(role) | {"policies": [self._policy_up(line) for line in role.get("policies") or ()]}

    def _policy_up(self, line: str) -> str:
        fields = [field.strip() for field in line.split(",")]
        subject = fields[1].split(":") if len(fields) == 6 else []
        if len(subject) != 3 or subject[0] != "proj" or fields[2] not in _ROLE_RESOURCES:
            return line
        project, _, application = fields[4].partition("/")
        if project != subject[1] or not application:
            return line
        renamed = self._prefixed(project)
        fields[1] = f"proj:{renamed}:{subject[2]}"
        fields[4] = f"{renamed}/{self.agent}/{application}"
        return ", ".join(fields)

    def status_up(self, status: dict[str, Any]) -> dict[str, Any]:
        """A spoke's status as the hub shows it: child Applications live in the mirrors' namespace."""
        return self._move_children(status, self.agent_namespace, self.agent)

    def status_down(self, status: dict[str, Any]) -> dict[str, Any]:
        """The inverse of ``status_up``: what the spoke's status was."""
        return self._move_children(status, self.agent, self.agent_namespace)

    def _move_children(self, status: dict[str, Any], source: str, target: str) -> dict[str, Any]:
        if not self.autonomous:
            return status
        for child in status.get("resources") or ():
            if child.get("kind") == "Application" and child.get("namespace") == source:
                child["namespace"] = target
        return status
