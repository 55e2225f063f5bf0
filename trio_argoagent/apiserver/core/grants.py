"""What of some rules other rules do not cover: so that nobody hands on a right that he does not have.

Source: k8s.io/component-helpers auth/rbac/validation/policy_comparator.go and
k8s.io/kubernetes pkg/registry/rbac/validation/rule.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.rbactypes import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    ROLES,
)
from trio_argoagent.apiserver.core.users import User
from trio_argoagent.model.resources import Resource

_KINDS: Final = {each.kind: each for each in (ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS)}
_GO_NAMES: Final = {
    "apiGroups": "APIGroups",
    "resources": "Resources",
    "resourceNames": "ResourceNames",
    "nonResourceURLs": "NonResourceURLs",
    "verbs": "Verbs",
}
"""In the order in which they are told."""


def is_grant(resource: Resource) -> bool:
    """Do objects of this resource grant rights?"""
    return _KINDS.get(resource.kind) == resource


def lacking(owned: Sequence[Mapping[str, Any]], rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What of ``rules`` is not covered by ``owned``, in rules that name one thing each but for the verbs."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for atom in (atom for rule in rules for atom in _atoms(rule)):
        if not any(_covers(rule, atom) for rule in owned):
            verb, what = atom["verbs"][0], {key: value for key, value in atom.items() if key != "verbs"}
            known = found.setdefault(tuple(each[0] for each in what.values()), {**what, "verbs": []})
            if verb not in known["verbs"]:
                known["verbs"].append(verb)
    return list(found.values())


def refusal(user: User, missing: Sequence[Mapping[str, Any]]) -> str:
    """Why a grant is refused, in Kubernetes' words."""
    lines = sorted(_compact(rule) for rule in missing)
    groups = " ".join(map(failures.quoted, user.all_groups))
    who = f'user "{user.name}" (groups=[{groups}])'
    return f"{who} is attempting to grant RBAC permissions not currently held:\n" + "\n".join(lines)


def _atoms(rule: Mapping[str, Any]) -> Iterator[dict[str, list[str]]]:
    for verb in rule.get("verbs") or ():
        for path in rule.get("nonResourceURLs") or ():
            yield {"nonResourceURLs": [path], "verbs": [verb]}
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                what = {"apiGroups": [group], "resources": [resource]}
                for name in rule.get("resourceNames") or ():
                    yield {**what, "resourceNames": [name], "verbs": [verb]}
                if not rule.get("resourceNames"):
                    yield {**what, "verbs": [verb]}


def _covers(rule: Mapping[str, Any], atom: Mapping[str, Sequence[str]]) -> bool:
    if not _has(rule, "verbs", atom["verbs"][0]):
        return False
    if "nonResourceURLs" in atom:
        path = atom["nonResourceURLs"][0]
        return any(
            each == path or (each.endswith("*") and path.startswith(each.rstrip("*")))
            for each in rule.get("nonResourceURLs") or ()
        )
    resource, names = atom["resources"][0], rule.get("resourceNames")
    _, _, subresource = resource.partition("/")
    return (
        _has(rule, "apiGroups", atom["apiGroups"][0])
        and (
            _has(rule, "resources", resource)
            or bool(subresource and f"*/{subresource}" in (rule.get("resources") or ()))
        )
        and (not names or atom.get("resourceNames", [""])[0] in names)
    )


def _has(rule: Mapping[str, Any], field: str, value: str) -> bool:
    values = rule.get(field) or ()
    return value in values or "*" in values


def _compact(rule: Mapping[str, Any]) -> str:
    parts = (
        f"{said}:[{' '.join(map(failures.quoted, rule[field]))}]"
        for field, said in _GO_NAMES.items()
        if rule.get(field)
    )
    return "{" + ", ".join(parts) + "}"
