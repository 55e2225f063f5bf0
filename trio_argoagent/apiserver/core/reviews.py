"""Questions about oneself that are asked with a POST and stored nowhere: may I, what may I, who am I.

Whoever is authenticated may do everything here, so the answers are short. Source: Kubernetes' API reference,
authorization.k8s.io/v1 and authentication.k8s.io/v1.
"""

from __future__ import annotations

from collections.abc import Mapping
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
RESOURCES: Final = (WHO, ACCESS, RULES)

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


def answer(resource: Resource, value: Any, user: str) -> dict[str, Any]:
    """What was asked, with the answer in its status.

    Raises:
        BadRequest: it is not such a question.
    """
    if not isinstance(value, Mapping) or value.get("kind", resource.kind) != resource.kind:
        raise BadRequest(f"the body must be a {resource.kind}")
    status: dict[str, Any] = {"allowed": True, "reason": "everybody who is known here may do everything"}
    if resource == RULES:
        status = dict(_EVERYTHING)
    elif resource == WHO:
        status = {"userInfo": {"username": user, "groups": list(GROUPS)}}
    head = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}}
    spec = {"spec": value["spec"]} if "spec" in value else {}
    return {**head, **spec, "status": status}
