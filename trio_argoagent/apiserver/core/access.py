"""What a request wants to do, and whether its user may: the words of it. ``rbac`` has the rules.

Source: k8s.io/apiserver pkg/endpoints/request/requestinfo.go for what a path means, and
pkg/endpoints/handlers/responsewriters/errors.go for how a refusal reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import attrs

from trio_argoagent.apiserver.core import failures, selectors
from trio_argoagent.apiserver.core.options import Query
from trio_argoagent.apiserver.core.requests import WATCH
from trio_argoagent.apiserver.core.routing import Route
from trio_argoagent.apiserver.core.users import User
from trio_argoagent.errors import Forbidden
from trio_argoagent.model.resources import Resource

_VERBS: Final = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_OF_ALL: Final = {"get": "list", "delete": "deletecollection"}
"""What the verb is called without a name."""


@attrs.frozen
class Attributes:
    """What a request wants to do.

    Attributes:
        verb: Kubernetes' own for a resource, else the method.
        group: of the API.
        resource: its plural; empty: it is about none, but a path.
        subresource: if it is about one.
        namespace: empty: all of them, or the resource has none.
        name: of the object; empty: not said.
        path: of what is no resource.
    """

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """``resource`` or ``resource/subresource``, as in a rule."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    def denied(self, user: str, reason: str = "") -> Forbidden:
        """The 403 of a user who may not.

        Args:
            user: the name.
            reason: what the rules have to say of it.
        """
        if not self.resource:
            what = f"cannot {self.verb} path {failures.quoted(self.path)}"
            return Forbidden(f"forbidden: User {failures.quoted(user)} {what}", details={})
        where = (
            f"in the namespace {failures.quoted(self.namespace)}"
            if self.namespace
            else "at the cluster scope"
        )
        text = (
            f"User {failures.quoted(user)} cannot {self.verb} resource {failures.quoted(self.full_resource)} "
            f"in API group {failures.quoted(self.group)} {where}"
        )
        qualified = f"{self.resource}.{self.group}" if self.group else self.resource
        head = f"{qualified} {failures.quoted(self.name)}" if self.name else qualified
        details = {"name": self.name, "group": self.group, "kind": self.resource}
        return Forbidden(
            f"{head} is forbidden: {text}{': ' + reason if reason else ''}",
            details={key: value for key, value in details.items() if value},
        )


def of_request(method: str, path: str, route: Route | None, query: Query) -> Attributes:
    """What a request wants.

    Args:
        method: upper case.
        path: without its query.
        route: what the path names; None: no resource.
        query: the rest.
    """
    if route is None:
        return Attributes(method.lower(), path=path)
    verb, name, namespace = _VERBS.get(method, ""), route.name, route.namespace
    if not name:
        verb = _OF_ALL.get(verb, verb)
        if verb == "list":
            verb = WATCH if _asked(query, "watch") in ("true", "1") else verb
            name = selectors.wanted(_asked(query, "fieldSelector"), "metadata.name")
    if not route.group and route.plural == "namespaces":
        # A namespace is inside itself: so a Role there may let somebody see it.
        namespace = route.name
    return Attributes(verb, route.group, route.plural, route.subresource, namespace, name)


def _asked(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""


@attrs.frozen
class Decision:
    """May they?

    Attributes:
        allowed: yes or no.
        reason: who granted it, or what is wrong with the rules; may be empty.
    """

    allowed: bool
    reason: str = ""


class Authorizer(Protocol):
    """Says who may do what."""

    @property
    def refuses(self) -> bool:
        """Is there anything that somebody may not?"""

    def decide(self, user: User, wanted: Attributes) -> Decision:
        """May this user do that?"""

    def rules_of(self, user: User, namespace: str) -> Sequence[dict[str, Any]]:
        """The rules that hold for a user there, each as in a Role."""

    def check_grant(self, user: User, resource: Resource, value: Mapping[str, Any]) -> None:
        """May this user store that Role or binding? Raises ``Forbidden``."""


class AlwaysAllow:
    """Whoever is known may do everything."""

    refuses: Final = False

    def decide(self, user: User, wanted: Attributes) -> Decision:
        """Yes."""
        return Decision(True)

    def rules_of(self, user: User, namespace: str) -> Sequence[dict[str, Any]]:
        """One that says so, twice."""
        return [
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
            {"verbs": ["*"], "nonResourceURLs": ["*"]},
        ]

    def check_grant(self, user: User, resource: Resource, value: Mapping[str, Any]) -> None:
        """Yes."""


def check(authorizer: Authorizer, user: User, wanted: Attributes) -> None:
    """Let it pass.

    Raises:
        Forbidden: the user may not.
    """
    decision = authorizer.decide(user, wanted)
    if not decision.allowed:
        raise wanted.denied(user.name, decision.reason)
