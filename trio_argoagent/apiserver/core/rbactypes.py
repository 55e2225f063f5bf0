"""Roles and bindings: what they look like, and what no schema can say of them.

Source: k8s.io/kubernetes pkg/apis/rbac/{types,v1/defaults,validation/validation}.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.failures import Problem
from trio_argoagent.apiserver.core.kinds import Naming, ResourceType
from trio_argoagent.apiserver.core.making import A_TEXT, a_list, an_object, core_type
from trio_argoagent.apiserver.core.values import same
from trio_argoagent.model.resources import Resource

GROUP: Final = "rbac.authorization.k8s.io"
ROLES: Final = Resource(GROUP, "v1", "roles", "Role")
ROLE_BINDINGS: Final = Resource(GROUP, "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLES: Final = Resource(GROUP, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS: Final = Resource(
    GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)

_TEXTS: Final = a_list(A_TEXT)
_RULES: Final = a_list(
    an_object(verbs=_TEXTS, apiGroups=_TEXTS, resources=_TEXTS, resourceNames=_TEXTS, nonResourceURLs=_TEXTS)
)
_BINDING: Final = an_object(
    subjects=a_list(an_object(kind=A_TEXT, apiGroup=A_TEXT, name=A_TEXT, namespace=A_TEXT)),
    roleRef=an_object(apiGroup=A_TEXT, kind=A_TEXT, name=A_TEXT),
)
_GROUP_OF: Final[Mapping[str, str]] = {"ServiceAccount": "", "User": GROUP, "Group": GROUP}


def rbac_types() -> tuple[ResourceType, ...]:
    """The four of them."""
    aggregated = an_object(
        clusterRoleSelectors=a_list(
            an_object(
                matchLabels={"type": "object", "additionalProperties": A_TEXT},
                matchExpressions=a_list(an_object(key=A_TEXT, operator=A_TEXT, values=_TEXTS)),
            )
        )
    )
    return (
        core_type(ROLES, an_object(rules=_RULES), rule=_role, named_as=Naming.SEGMENT),
        core_type(ROLE_BINDINGS, _BINDING, rule=_binding, named_as=Naming.SEGMENT),
        core_type(
            CLUSTER_ROLES,
            an_object(rules=_RULES, aggregationRule=aggregated),
            rule=_cluster_role,
            named_as=Naming.SEGMENT,
        ),
        core_type(CLUSTER_ROLE_BINDINGS, _BINDING, rule=_cluster_binding, named_as=Naming.SEGMENT),
    )


def _role(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    return _rules(value, namespaced=True)


def _cluster_role(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    return _rules(value, namespaced=False)


def _rules(value: dict[str, Any], *, namespaced: bool) -> list[Problem]:
    """Every rule names verbs, and either resources with their groups or paths."""
    value.setdefault("rules", None)
    problems = []
    for number, rule in enumerate(value["rules"] or ()):
        where = f"rules[{number}]"
        if not rule.get("verbs"):
            problems.append(failures.required(f"{where}.verbs", "verbs must contain at least one value"))
        if rule.get("nonResourceURLs"):
            problems += _paths(rule, where, namespaced=namespaced)
            continue
        if not rule.get("apiGroups"):
            text = "resource rules must supply at least one api group"
            problems.append(failures.required(f"{where}.apiGroups", text))
        if not rule.get("resources"):
            text = "resource rules must supply at least one resource"
            problems.append(failures.required(f"{where}.resources", text))
    return problems


def _paths(rule: Mapping[str, Any], where: str, *, namespaced: bool) -> list[Problem]:
    paths, field = rule["nonResourceURLs"], f"{where}.nonResourceURLs"
    problems = []
    if namespaced:
        problems.append(
            failures.invalid_value(field, paths, "namespaced rules cannot apply to non-resource URLs")
        )
    if any(rule.get(each) for each in ("apiGroups", "resources", "resourceNames")):
        text = "rules cannot apply to both regular resources and non-resource URLs"
        problems.append(failures.invalid_value(field, paths, text))
    return problems


def _binding(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    return _bound(value, old, ("Role", "ClusterRole"))


def _cluster_binding(value: dict[str, Any], old: Mapping[str, Any] | None) -> list[Problem]:
    return _bound(value, old, ("ClusterRole",))


def _bound(value: dict[str, Any], old: Mapping[str, Any] | None, roles: Sequence[str]) -> list[Problem]:
    """A binding binds one role for ever to whom it names. What goes without saying is filled in."""
    value["roleRef"] = role = {"apiGroup": GROUP, **_said(value.get("roleRef"))}
    subjects = value["subjects"] = [
        {**({"apiGroup": GROUP} if _GROUP_OF.get(each.get("kind", "")) else {}), **_said(each)}
        for each in value.get("subjects") or ()
    ]
    if not subjects:
        del value["subjects"]
    problems = []
    if role["apiGroup"] != GROUP:
        problems.append(failures.not_supported("roleRef.apiGroup", role["apiGroup"], [GROUP]))
    if role.get("kind") not in roles:
        problems.append(failures.not_supported("roleRef.kind", role.get("kind", ""), roles))
    if not role.get("name"):
        problems.append(failures.required("roleRef.name"))
    for number, each in enumerate(subjects):
        problems += _subject(each, f"subjects[{number}]", namespaced="Role" in roles)
    if old is not None and not same(role, old.get("roleRef")):
        problems.append(failures.invalid_value("roleRef", role, "cannot change roleRef"))
    return problems


def _said(value: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: item for key, item in (value or {}).items() if item}


def _subject(value: Mapping[str, Any], where: str, *, namespaced: bool) -> list[Problem]:
    problems = []
    kind = value.get("kind", "")
    if not value.get("name"):
        problems.append(failures.required(f"{where}.name"))
    if kind not in _GROUP_OF:
        return [*problems, failures.not_supported(f"{where}.kind", kind, [*_GROUP_OF])]
    group, wanted = value.get("apiGroup", ""), _GROUP_OF[kind]
    if group != wanted:
        problems.append(failures.not_supported(f"{where}.apiGroup", group, [wanted]))
    if kind == "ServiceAccount" and not value.get("namespace") and not namespaced:
        problems.append(failures.required(f"{where}.namespace"))
    return problems
