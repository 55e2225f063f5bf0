"""Who may do what, by Roles, ClusterRoles and their bindings.

Rules only ever grant, and what nothing grants is refused. The group ``system:masters`` may do everything.
Aggregated ClusterRoles have the rules that stand in them: nothing fills them here. Source: Kubernetes'
documentation, "Using RBAC Authorization"; k8s.io/kubernetes plugin/pkg/auth/authorizer/rbac and
pkg/registry/rbac/validation/rule.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from trio_argoagent.apiserver.core import failures, grants
from trio_argoagent.apiserver.core.access import Attributes, Decision
from trio_argoagent.apiserver.core.rbactypes import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    GROUP,
    ROLE_BINDINGS,
    ROLES,
)
from trio_argoagent.apiserver.core.reads import Reads
from trio_argoagent.apiserver.core.server import SYSTEM, ApiServer
from trio_argoagent.apiserver.core.users import AUTHENTICATED, MASTERS, User, account_of
from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.errors import NotFound
from trio_argoagent.model.resources import Resource

RULE: TypeAlias = Mapping[str, Any]
_ALL: Final = "*"


@attrs.frozen
class _Grant:
    """One rule that holds for somebody, and by which binding."""

    rule: RULE
    by: str


class Rbac:
    """An ``Authorizer``. See the module.

    Args:
        server: where the roles and bindings are.
    """

    refuses: Final = True

    def __init__(self, server: Reads) -> None:
        self._server = server

    def decide(self, user: User, wanted: Attributes) -> Decision:
        """May this user do that, and by which binding; or which role is missing."""
        if MASTERS in user.groups:
            return Decision(True)
        missing: list[str] = []
        for grant in self._grants(user, wanted.namespace, missing):
            if allows(grant.rule, wanted):
                return Decision(True, f"RBAC: allowed by {grant.by}")
        found = f"[{', '.join(missing)}]" if len(missing) > 1 else "".join(missing)
        return Decision(False, f"RBAC: {found}" if found else "")

    def rules_of(self, user: User, namespace: str) -> Sequence[dict[str, Any]]:
        """The rules that hold for a user in that namespace and in the whole cluster."""
        return [dict(grant.rule) for grant in self._grants(user, namespace, [])]

    def check_grant(self, user: User, resource: Resource, value: Mapping[str, Any]) -> None:
        """Nobody hands on what he does not have, unless he may ``escalate`` roles or ``bind`` this one.

        Raises:
            Forbidden: it would; says what is missing.
        """
        if MASTERS in user.groups:
            return
        metadata, role = value["metadata"], value.get("roleRef")
        namespace = metadata.get("namespace", "")
        verb, named = ("escalate", metadata["name"]) if role is None else ("bind", role["name"])
        about = resource if role is None else ROLES if role["kind"] == ROLES.kind else CLUSTER_ROLES
        may = Attributes(verb, about.group, about.plural, namespace=namespace, name=named)
        if self.decide(user, may).allowed:
            return
        rules = value.get("rules") or () if role is None else self._role(role, namespace)
        if rules is None:
            raise failures.not_found(resource, named)
        lacking = grants.lacking([grant.rule for grant in self._grants(user, namespace, [])], rules)
        if lacking:
            raise failures.forbidden(resource, metadata["name"], grants.refusal(user, lacking))

    def _grants(self, user: User, namespace: str, missing: list[str]) -> Iterator[_Grant]:
        """What holds there, that of the whole cluster first; what a binding names in vain is ``missing``."""
        places = [(CLUSTER_ROLE_BINDINGS, "")] + ([(ROLE_BINDINGS, namespace)] if namespace else [])
        for resource, where in places:
            for binding in self._server.list(resource, where).items:
                subject = _subject_of(binding.value, user, where)
                if subject is None:
                    continue
                role = binding.value["roleRef"]
                rules = self._role(role, where)
                if rules is None:
                    kind = ROLES if role["kind"] == ROLES.kind else CLUSTER_ROLES
                    missing.append(f"{kind.kind.lower()}.{GROUP} {failures.quoted(role['name'])} not found")
                    continue
                by = _told(resource.kind, binding, subject)
                yield from (_Grant(rule, by) for rule in rules)

    def _role(self, role: RULE, namespace: str) -> Sequence[RULE] | None:
        """The rules of the role that a binding names; None: there is none."""
        of_namespace = role["kind"] == ROLES.kind
        try:
            found = self._server.get(
                ROLES if of_namespace else CLUSTER_ROLES, namespace if of_namespace else "", role["name"]
            )
        except NotFound:
            return None
        return found.value.get("rules") or ()


def _subject_of(binding: RULE, user: User, namespace: str) -> RULE | None:
    """The subject that is this user."""
    for subject in binding.get("subjects") or ():
        kind, name = subject["kind"], subject["name"]
        if kind == "User" and name == user.name:
            return subject  # type: ignore[no-any-return]
        if kind == "Group" and name in user.all_groups:
            return subject  # type: ignore[no-any-return]
        if kind == "ServiceAccount" and account_of(user.name) == (
            subject.get("namespace") or namespace,
            name,
        ):
            return subject  # type: ignore[no-any-return]
    return None


def _told(kind: str, binding: Stored, subject: RULE) -> str:
    role, where = binding.value["roleRef"], f"/{binding.namespace}" if binding.namespace else ""
    of = f"/{subject['namespace']}" if subject.get("namespace") else ""
    return (
        f'{kind} "{binding.name}{where}" of {role["kind"]} "{role["name"]}" to {subject["kind"]} '
        f'"{subject["name"]}{of}"'
    )


def allows(rule: RULE, wanted: Attributes) -> bool:
    """Does this rule of a role grant it?"""
    if not _has(rule, "verbs", wanted.verb):
        return False
    if not wanted.resource:
        return any(_matches_path(path, wanted.path) for path in rule.get("nonResourceURLs") or ())
    resources = rule.get("resources") or ()
    return (
        _has(rule, "apiGroups", wanted.group)
        and (
            _has(rule, "resources", wanted.full_resource)
            or bool(wanted.subresource and f"*/{wanted.subresource}" in resources)
        )
        and (not rule.get("resourceNames") or wanted.name in rule["resourceNames"])
    )


def _has(rule: RULE, field: str, value: str) -> bool:
    values = rule.get(field) or ()
    return value in values or _ALL in values


def _matches_path(pattern: str, path: str) -> bool:
    if pattern.endswith(_ALL):
        return path.startswith(pattern.rstrip(_ALL))
    return pattern == path


_ALLOW_ALL: Final = (
    {"verbs": [_ALL], "apiGroups": [_ALL], "resources": [_ALL]},
    {"verbs": [_ALL], "nonResourceURLs": [_ALL]},
)
_ONESELF: Final = (
    {
        "verbs": ["create"],
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
)
_DOCUMENTS: Final = (
    {
        "verbs": ["get"],
        "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"],
    },
)
_BORN_WITH: Final = (
    ("cluster-admin", _ALLOW_ALL, MASTERS),
    ("system:basic-user", _ONESELF, AUTHENTICATED),
    ("system:discovery", _DOCUMENTS, AUTHENTICATED),
)
"""ClusterRole, its rules, and the group that has it: what a real server has of this from the start."""


def open_rbac(server: ApiServer, now: float) -> Rbac:
    """The authorizer of a fresh server, with the roles in it that a server is born with.

    Args:
        server: has no such roles yet.
        now: wall seconds.
    """
    for name, rules, group in _BORN_WITH:
        role = {"metadata": {"name": name}, "rules": [dict(rule) for rule in rules]}
        server.create(CLUSTER_ROLES, "", role, actor=SYSTEM, now=now)
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": GROUP, "kind": CLUSTER_ROLES.kind, "name": name},
            "subjects": [{"kind": "Group", "apiGroup": GROUP, "name": group}],
        }
        server.create(CLUSTER_ROLE_BINDINGS, "", binding, actor=SYSTEM, now=now)
    return Rbac(server)
