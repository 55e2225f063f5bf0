"""Questions that are asked with a POST and stored nowhere: may I, what may I, who am I, whose token is this.

Whoever is authenticated may do everything here, so the answers are short. Source: Kubernetes' API reference,
authorization.k8s.io/v1 and authentication.k8s.io/v1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from trio_argoagent.errors import BadRequest
from trio_argoagent.model.resources import Resource

ACCESS: Final = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
RULES: Final = Resource(
    "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False
)
WHO: Final = Resource(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False
)
TOKEN: Final = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
SUBJECT: Final = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
LOCAL: Final = Resource(
    "authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview"
)
RESOURCES: Final = (WHO, TOKEN, ACCESS, RULES, SUBJECT, LOCAL)

GROUPS: Final = ("system:masters", "system:authenticated")
_EVERYTHING: Final = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}


def find(group: str, version: str, plural: str) -> Resource | None:
    """The review behind a path; None if it is none."""
    for resource in RESOURCES:
        if (resource.group, resource.version, resource.plural) == (group, version, plural):
            return resource
    return None


def answer(resource: Resource, value: Any, user: str, user_of: Callable[[str], str]) -> dict[str, Any]:
    """What was asked, with the answer in its status.

    Args:
        resource: which question.
        value: as it was sent.
        user: who asks.
        user_of: whose token that is; empty: nobody's.

    Raises:
        BadRequest: it is not such a question.
    """
    if not isinstance(value, Mapping) or value.get("kind", resource.kind) != resource.kind:
        raise BadRequest(f"the body must be a {resource.kind}")
    status: dict[str, Any] = {"allowed": True}
    if resource == RULES:
        status = dict(_EVERYTHING)
    elif resource == WHO:
        status = {"userInfo": _info(user)}
    elif resource == TOKEN:
        status = _whose(value.get("spec"), user_of)
    head = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}}
    spec = {"spec": value["spec"]} if "spec" in value else {}
    return {**head, **spec, "status": status}


def _info(user: str) -> dict[str, Any]:
    return {"username": user, "groups": list(GROUPS)}


def _whose(spec: Any, user_of: Callable[[str], str]) -> dict[str, Any]:
    token = spec.get("token") if isinstance(spec, Mapping) else None
    if not isinstance(token, str) or not token:
        raise BadRequest("token is required for TokenReview in authentication")
    user = user_of(token)
    if not user:
        return {"user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": _info(user)}
