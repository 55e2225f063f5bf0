"""The roles of a spoke's AppProject, as the hub shows them: made anew, or not at all.

Argo CD checks a role where its own API is asked; what comes through Kubernetes it takes as it is, and hands
all of it to Casbin, line by line. So a line, a group or a name that is not plainly what it should be could
grant anything to anybody. Each is therefore taken apart and built again with this agent's names, and what
cannot be taken apart is refused. Tokens of a role are not carried: the other cluster's server has signed
them.

A role is for people of the hub, and it is the spoke that chooses for whom and for what. So it can be about
the agent's own Applications as it likes, but of what the hub's server keeps for itself, clusters and
repositories with their credentials, it can let nobody do more than look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

_RESOURCES: Final = {
    "applications": True, "applicationsets": True, "logs": True, "exec": True,
    "clusters": False, "repositories": False,
}  # fmt: skip
"""What a role of a project can be about (Argo CD's ``ValidateProject``), and whether its objects have a
namespace: those are the agent's, the others are the hub's."""
_LOOK: Final = "get"
_ROLE: Final = re.compile(r"[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?")
_ACTION: Final = re.compile(r"\*|[a-z]+(/[-A-Za-z0-9._*?/]*)?")
_OBJECT: Final = re.compile(r"[-A-Za-z0-9._*?\[\]!:@%+=&~/]+")
"""Names, URLs and globs: where Casbin is told to match by regular expressions, an alternative (``|``) would
be one to the whole object, its project included."""
_GROUP: Final = re.compile(r"[^\s,\"](?:[^\r\n\t,\"]*[^\s,\"])?")
_ROLES: Final = ("role:", "proj:")
"""How Argo CD calls roles where groups are named: whoever has such a role would have this one, too."""
_FIELDS: Final = 6
_SHOWN: Final = 80
"""Characters of what is refused that are repeated."""


@attrs.frozen
class Roles:
    """How one agent's roles are called on the hub.

    Attributes:
        project: the AppProject's name on the spoke.
        renamed: its name on the hub.
        home: the hub namespace of its Applications.
    """

    project: str
    renamed: str
    home: str

    def up(self, role: Mapping[str, Any]) -> dict[str, Any]:
        """One role of ``spec.roles``.

        Raises:
            ValueError: something in it cannot be rebuilt; the text says what.
        """
        name = role.get("name")
        if not isinstance(name, str) or _ROLE.fullmatch(name) is None:
            raise ValueError(f"{_quoted(name)} is no name of a role")
        lines = [self._line(name, line) for line in _texts(role, "policies")]
        made: dict[str, Any] = {"name": name, "policies": lines}
        if isinstance(role.get("description"), str):
            made["description"] = role["description"]
        if role.get("groups"):
            made["groups"] = [_group(name, group) for group in _texts(role, "groups")]
        return made

    def _line(self, role: str, line: str) -> str:
        fields = [field.strip(" ") for field in line.split(",")]
        wrong = f"role {role}: the policy {_quoted(line)} cannot be carried over"
        if len(fields) != _FIELDS:
            raise ValueError(f"{wrong}: it has not {_FIELDS} fields")
        kind, subject, resource, action, about, effect = fields
        project, _, name = about.partition("/")
        grants = effect == "allow" and action != _LOOK
        for fits, why in (
            (kind == "p", "it does not begin with p"),
            (subject == f"proj:{self.project}:{role}", f"it is not about proj:{self.project}:{role}"),
            (resource in _RESOURCES, f"a project has no {_quoted(resource)}"),
            (_ACTION.fullmatch(action) is not None, f"{_quoted(action)} is no action"),
            (project == self.project, f"its object is not of project {self.project}"),
            (_OBJECT.fullmatch(name) is not None, f"{_quoted(about)} is no object"),
            (effect in ("allow", "deny"), f"{_quoted(effect)} is no effect"),
            (_RESOURCES.get(resource) or not grants, f"the hub's {resource} are its own: {_LOOK} alone"),
        ):
            if not fits:
                raise ValueError(f"{wrong}: {why}")
        there = f"{self.renamed}/{self.home}/{name}" if _RESOURCES[resource] else f"{self.renamed}/{name}"
        return f"p, proj:{self.renamed}:{role}, {resource}, {action}, {there}, {effect}"


def _group(role: str, group: str) -> str:
    if _GROUP.fullmatch(group) is None:
        raise ValueError(f"role {role}: {_quoted(group)} is no name of a group that can be carried over")
    if group.startswith(_ROLES):
        raise ValueError(f"role {role}: {_quoted(group)} is the name of a role, and not of a group")
    return group


def _texts(role: Mapping[str, Any], field: str) -> Sequence[str]:
    found = role.get(field)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"{field} of a role are not a list of texts")
    return found


def _quoted(text: object) -> str:
    return repr(str(text)[:_SHOWN])
