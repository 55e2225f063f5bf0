"""From a request's path and method to what it is about. Source: Kubernetes' API concepts, "API terminology".

A resource path is ``/api/v1`` or ``/apis/GROUP/VERSION``, then perhaps ``namespaces/NAME``, then the plural,
the object's name and a subresource. Namespaces are the one trap: ``/api/v1/namespaces/a/status`` is the
subresource of namespace ``a``, ``/api/v1/namespaces/a/secrets`` a collection inside it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote

import attrs

from trio_argoagent.apiserver.core import failures
from trio_argoagent.apiserver.core.kinds import ResourceType

_OF_A_NAMESPACE: Final = ("status", "finalize")
TOKEN: Final = "token"
"""Of a ServiceAccount: makes one of its tokens."""
_MAX_SEGMENTS: Final = 4  # after the version: namespaces/NAME are taken off first


class Action(enum.StrEnum):
    """What is to be done with the resource; the values are Kubernetes' verbs."""

    GET = "get"
    LIST = "list"
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    DELETE_COLLECTION = "deletecollection"


# (method, is it about one object?) -> action. What is missing is 405.
_ACTIONS: Final[Mapping[tuple[str, bool], Action]] = {
    ("GET", False): Action.LIST,
    ("GET", True): Action.GET,
    ("HEAD", False): Action.LIST,
    ("HEAD", True): Action.GET,
    ("POST", False): Action.CREATE,
    ("PUT", True): Action.UPDATE,
    ("PATCH", True): Action.PATCH,
    ("DELETE", True): Action.DELETE,
    ("DELETE", False): Action.DELETE_COLLECTION,
}


@attrs.frozen
class Route:
    """What a path names. Without a name it is a collection.

    Attributes:
        group: empty: the core group.
        version: of the API.
        plural: of the resource.
        namespace: empty: none is named.
        name: of the object; empty: all of them.
        subresource: the part of the object; empty: the whole.
    """

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def action(self, method: str) -> Action:
        """What a method means here.

        Raises:
            MethodNotAllowed: nothing.
        """
        action = _ACTIONS.get((method, bool(self.name)))
        if self.subresource == TOKEN:  # Made by asking for it; there is nothing to look at.
            action = Action.CREATE if method == "POST" else None
        if action is None:
            raise failures.no_such_verb(method.lower())
        return action

    def check_scope(self, kind: ResourceType) -> None:
        """Is this a path that such a resource has?

        Raises:
            NotFound: a namespace is named for what has none, or missing for one object that has one; or
                there is no such subresource.
        """
        namespaced = kind.resource.namespaced
        if (self.namespace and not namespaced) or (self.name and namespaced and not self.namespace):
            raise failures.no_such_resource()
        if self.subresource and self.subresource not in kind.subresources:
            # So the real server says it: of a custom kind, it is the object that has none.
            raise failures.not_found(kind.resource, self.name) if kind.custom else failures.no_such_resource()


def split(path: str) -> Sequence[str]:
    """The segments of a path, decoded; empty ones are left out."""
    segments = [segment for segment in path.split("/") if segment]
    return [unquote(segment) for segment in segments] if "%" in path else segments


def parse(segments: Sequence[str]) -> Route | None:
    """The route of a path; None if it is not that of a resource."""
    match segments:
        case ["api", version, first, *more]:
            group, rest = "", [first, *more]
        case ["apis", group, version, first, *more]:
            rest = [first, *more]
        case _:
            return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and not (len(rest) == 3 and rest[2] in _OF_A_NAMESPACE):
        namespace, rest = rest[1], rest[2:]
    if len(rest) >= _MAX_SEGMENTS:
        return None
    plural, name, subresource = (*rest, "", "")[:3]
    return Route(group, version, plural, namespace, name, subresource)
