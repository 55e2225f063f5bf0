"""Conversations about who may do what; see ``script``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .script import APPLY, APPS, JSON, MAPS, MERGE, SECRETS, TABLE, Ask, applied, config_map, secret

RBAC: Final = "/apis/rbac.authorization.k8s.io/v1/namespaces/NS"
REVIEWS: Final = "/apis/authorization.k8s.io/v1"
SOMEBODY: Final = "somebody"


def role(name: str, *rules: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    """A Role with these rules: (verbs, group, resources)."""
    given = [
        {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split(), **more}
        for verbs, group, resources in rules
    ]
    return {"metadata": {"name": name}, "rules": given}


def binding(label: str, role: str = "r", subjects: Any = None, **ref: Any) -> dict[str, Any]:
    """A RoleBinding of that Role to ``SOMEBODY``."""
    whom = [{"kind": "User", "name": SOMEBODY}] if subjects is None else subjects
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role, **ref}
    return {"metadata": {"name": label}, "roleRef": ref, "subjects": whom}


def rights(*rules: tuple[str, str, str], **more: Any) -> tuple[Ask, ...]:
    """``SOMEBODY`` gets these, and nothing else."""
    return (
        Ask("POST", f"{RBAC}/roles", role("r", *rules, **more)),
        Ask("POST", f"{RBAC}/rolebindings", binding("b")),
    )


def by_somebody(method: str, path: str, body: Any = None, type: str = JSON) -> Ask:
    """``SOMEBODY`` asks."""
    return Ask(method, path, body, type, user=SOMEBODY)


def may(verb: str, resource: str, **more: Any) -> dict[str, Any]:
    """A review: may one do that here?"""
    about = {"verb": verb, "resource": resource, "namespace": "NS", **more}
    return {"spec": {"resourceAttributes": about}}


RIGHTS: Final[Mapping[str, Sequence[Ask]]] = {
    "rights": (
        *rights(("get list watch create patch", "", "configmaps"), ("*", "argoproj.io", "*")),
        by_somebody("GET", MAPS), by_somebody("GET", f"{MAPS}/m"), by_somebody("POST", MAPS, config_map()),
        by_somebody("DELETE", f"{MAPS}/m"), by_somebody("DELETE", MAPS),
        by_somebody("PUT", f"{MAPS}/m", config_map()),
        by_somebody("PATCH", f"{MAPS}/m", {"data": {"a": "1"}}, MERGE),
        by_somebody("PATCH", f"{MAPS}/n?fieldManager=x", applied("n", a="1"), APPLY),
        by_somebody("GET", SECRETS), by_somebody("GET", f"{SECRETS}?watch=true"),
        by_somebody("GET", f"{SECRETS}/s"), by_somebody("POST", SECRETS, secret("s")),
        by_somebody("GET", APPS), by_somebody("GET", "/apis/argoproj.io/v1alpha1/applications"),
        by_somebody("GET", f"{APPS}/a/status"),
        by_somebody("GET", "/api/v1/namespaces/NS"), by_somebody("GET", "/api/v1/namespaces"),
        by_somebody("GET", "/api/v1/nodes"), by_somebody("GET", "/metrics"),
        by_somebody("GET", "/apis/nothing.io/v1/nothing"),
    ),
    "rights to see one's namespace": (
        *rights(("get", "", "namespaces")),
        by_somebody("GET", "/api/v1/namespaces/NS"), by_somebody("GET", "/api/v1/namespaces/default"),
        by_somebody("GET", "/api/v1/namespaces"), by_somebody("DELETE", "/api/v1/namespaces/NS"),
    ),
    "rights to names": (
        *rights(("get list patch create delete deletecollection", "", "configmaps"), resourceNames=["m"]),
        Ask("POST", MAPS, config_map()), Ask("POST", MAPS, config_map("n")),
        by_somebody("GET", f"{MAPS}/m"), by_somebody("GET", f"{MAPS}/n"), by_somebody("GET", MAPS),
        by_somebody("GET", f"{MAPS}?fieldSelector=metadata.name%3Dm"),
        by_somebody("GET", f"{MAPS}?fieldSelector=metadata.name%3Dn"),
        by_somebody("POST", MAPS, config_map("m")), by_somebody("DELETE", f"{MAPS}/n"),
        by_somebody("DELETE", MAPS), by_somebody("DELETE", f"{MAPS}/m"),
        by_somebody("PATCH", f"{MAPS}/m?fieldManager=x", applied("m", a="1"), APPLY),
    ),
    "rights to parts": (
        *rights(("get update", "", "*/status")),
        by_somebody("GET", "/api/v1/namespaces/NS/status"),
        by_somebody("PATCH", "/api/v1/namespaces/NS/status", {}, MERGE),
        by_somebody("GET", "/api/v1/namespaces/NS"),
    ),
    "rights that cannot be handed on": (
        *rights(
            ("get create patch", "rbac.authorization.k8s.io", "roles rolebindings"), ("get", "", "secrets")
        ),
        by_somebody("POST", f"{RBAC}/roles", role("one", ("get", "", "secrets"))),
        by_somebody("POST", f"{RBAC}/roles", role("two", ("get list", "", "secrets"))),
        by_somebody("POST", f"{RBAC}/roles", role("two", ("*", "*", "*"))),
        by_somebody("POST", f"{RBAC}/roles", role("two", ("get list watch", "", "secrets configmaps"))),
        by_somebody("PATCH", f"{RBAC}/roles/one", {"metadata": {"labels": {"a": "b"}}}, MERGE),
        by_somebody("PATCH", f"{RBAC}/roles/one", role("one", ("*", "", "secrets")), MERGE),
        by_somebody("POST", f"{RBAC}/rolebindings", binding("one", "one")),
        Ask("POST", f"{RBAC}/roles", role("all", ("*", "*", "*"))),
        by_somebody("POST", f"{RBAC}/rolebindings", binding("all", "all")),
        by_somebody("POST", f"{RBAC}/rolebindings", binding("gone", "gone")),
        by_somebody("POST", f"{RBAC}/rolebindings", binding("all", "cluster-admin", kind="ClusterRole")),
    ),
    "rights that are missing": (
        Ask("POST", f"{RBAC}/rolebindings", binding("b")), by_somebody("GET", MAPS),
        Ask("POST", f"{RBAC}/rolebindings", binding("c", "x", kind="ClusterRole")), by_somebody("GET", MAPS),
        Ask("POST", f"{REVIEWS}/subjectaccessreviews",
            {"spec": {"user": SOMEBODY, **may("list", "configmaps")["spec"]}}),
    ),
    "reviews": (
        *rights(("get", "", "configmaps")),
        by_somebody("POST", f"{REVIEWS}/selfsubjectaccessreviews", may("get", "configmaps")),
        by_somebody("POST", f"{REVIEWS}/selfsubjectaccessreviews", may("list", "configmaps")),
        by_somebody("POST", f"{REVIEWS}/subjectaccessreviews", may("list", "configmaps")),
        by_somebody("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}),
        Ask("POST", f"{REVIEWS}/subjectaccessreviews",
            {"spec": {"user": SOMEBODY, **may("get", "configmaps")["spec"]}}),
        Ask("POST", f"{REVIEWS}/subjectaccessreviews", may("get", "configmaps")),
        Ask("POST", f"{REVIEWS}/subjectaccessreviews", {"spec": {"user": SOMEBODY}}),
        Ask("POST", f"{REVIEWS}/namespaces/NS/localsubjectaccessreviews",
            {"metadata": {"namespace": "NS"},
             "spec": {"user": SOMEBODY, **may("get", "configmaps")["spec"]}}),
        Ask("POST", f"{REVIEWS}/selfsubjectaccessreviews",
            {"spec": {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}}),
    ),
    "roles that make no sense": tuple(Ask("POST", f"{RBAC}/roles", role("r") | each) for each in (
        {"rules": None}, {"rules": [{"apiGroups": [""], "resources": ["x"]}]},
        {"rules": [{"verbs": ["get"]}]},
        {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]},
        {"metadata": {"name": "a:B"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["x"]}]},
        {"metadata": {"name": "a/b"}}, {"metadata": {"name": "c%"}}, {"rules": "x"},
        {"rules": [{"verb": ["get"]}]},
    )),
    "bindings that make no sense": (
        *(Ask("POST", f"{RBAC}/rolebindings", value) for value in (
            {"metadata": {"name": "b"}}, binding("b", kind="Pod"), binding("b", apiGroup="x"),
            binding("b", name=""),
            binding("b", subjects=[{"kind": "Pod", "name": "x"}]), binding("b", subjects=[{"kind": "User"}]),
            binding("b", subjects=[{"kind": "ServiceAccount", "name": "x"}]),
            binding("c", subjects=[{"kind": "User", "name": "x", "apiGroup": "y"}]),
            binding("d", subjects=[]),
        )),
        Ask("PATCH", f"{RBAC}/rolebindings/b", {"roleRef": {"name": "other"}}, MERGE),
        Ask("GET", f"{RBAC}/rolebindings/b"), Ask("GET", f"{RBAC}/rolebindings", accept=TABLE),
    ),
}  # fmt: skip
