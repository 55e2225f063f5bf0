"""Questions that are asked with a POST and stored nowhere: may I, what may I, who am I, whose token is this.

What may be done is the authorizer's word. Source: Kubernetes' API reference, authorization.k8s.io/v1 and
authentication.k8s.io/v1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.access import Attributes, Authorizer
from trio_argoagent.apiserver.core.users import User
from trio_argoagent.errors import ApiError, BadRequest
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
LOCAL: Final = Resource("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview")
RESOURCES: Final = (WHO, TOKEN, ACCESS, RULES, SUBJECT, LOCAL)

_RULE_FIELDS: Final = ("verbs", "apiGroups", "resources", "resourceNames")
_PATH_FIELDS: Final = ("verbs", "nonResourceURLs")


def find(group: str, version: str, plural: str) -> Resource | None:
    """The review behind a path; None if it is none."""
    for resource in RESOURCES:
        if (resource.group, resource.version, resource.plural) == (group, version, plural):
            return resource
    return None


def answer(
    resource: Resource,
    value: Any,
    user: User,
    user_of: Callable[[str], User | None],
    authorizer: Authorizer,
    namespace: str = "",
) -> dict[str, Any]:
    """What was asked, with the answer in its status.

    Args:
        resource: which question.
        value: as it was sent.
        user: who asks.
        user_of: whose token that is; None: nobody's.
        authorizer: says who may do what.
        namespace: of the request.

    Raises:
        BadRequest: it is not such a question.
        Invalid: it leaves out what it asks about.
    """
    if not isinstance(value, Mapping) or value.get("kind", resource.kind) != resource.kind:
        raise BadRequest(f"the body must be a {resource.kind}")
    given = value.get("spec")
    spec: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if resource == RULES:
        status = _rules(authorizer.rules_of(user, spec.get("namespace") or ""))
    elif resource == WHO:
        status = {"userInfo": _info(user)}
    elif resource == TOKEN:
        status = _whose(spec, user_of)
    else:
        asked = user if resource == ACCESS else _other(resource, spec)
        status = _may(resource, spec, asked, authorizer, namespace if resource == LOCAL else "")
    metadata = value.get("metadata") or {}
    head = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    told = {"spec": value["spec"]} if "spec" in value else {}
    return {**head, **told, "status": status}


def _may(
    resource: Resource, spec: Mapping[str, Any], user: User, authorizer: Authorizer, home: str
) -> dict[str, Any]:
    about, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (about is None) is (path is None):
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise _wrong(resource, failures.invalid_value("spec.resourceAttributes", about, text))
    if home and (about or {}).get("namespace") != home:
        text = f"must match metadata.namespace: {home}"
        raise _wrong(resource, failures.invalid_value("spec.resourceAttributes.namespace", about, text))
    if about is None:
        wanted = Attributes(_text(path, "verb"), path=_text(path, "path"))
    else:
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        wanted = Attributes(*(_text(about, name) for name in names))
    decision = authorizer.decide(user, wanted)
    return {"allowed": decision.allowed} | ({"reason": decision.reason} if decision.reason else {})


def _other(resource: Resource, spec: Mapping[str, Any]) -> User:
    name, groups = _text(spec, "user"), spec.get("groups") or ()
    if not name and not groups:
        text = "at least one of user or group must be specified"
        raise _wrong(resource, failures.invalid_value("spec.user", name, text))
    return User(name, tuple(map(str, groups)))


def _text(value: Any, field: str) -> str:
    found = value.get(field) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def _wrong(resource: Resource, problem: failures.Problem) -> ApiError:
    return failures.invalid(resource.group, "", "", [problem])  # Nameless, so a real server says it.


def _rules(rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    def those(fields: tuple[str, ...], which: str) -> list[dict[str, Any]]:
        return [
            {field: rule[field] for field in fields if rule.get(field)} for rule in rules if rule.get(which)
        ]

    return {
        "resourceRules": those(_RULE_FIELDS, "resources"),
        "nonResourceRules": those(_PATH_FIELDS, "nonResourceURLs"),
        "incomplete": False,
    }


def _info(user: User) -> dict[str, Any]:
    return {"username": user.name, "groups": list(user.all_groups)}


def _whose(spec: Mapping[str, Any], user_of: Callable[[str], User | None]) -> dict[str, Any]:
    token = _text(spec, "token")
    if not token:
        raise BadRequest("token is required for TokenReview in authentication")
    user = user_of(token)
    if user is None:
        return {"user": {}, "error": "invalid bearer token"}
    return {"authenticated": True, "user": _info(user)}
