"""Paths and methods."""

from __future__ import annotations

import pytest

from trio_argoagent.apiserver.core import routing
from trio_argoagent.apiserver.core.routing import Action, Route
from trio_argoagent.errors import MethodNotAllowed, NotFound
from trio_argoagent.model.resources import APPLICATIONS

from .helpers import new_server

CASES = {
    "/api/v1/namespaces": Route("", "v1", "namespaces"),
    "/api/v1/namespaces/a": Route("", "v1", "namespaces", "", "a"),
    "/api/v1/namespaces/a/status": Route("", "v1", "namespaces", "", "a", "status"),
    "/api/v1/namespaces/a/finalize": Route("", "v1", "namespaces", "", "a", "finalize"),
    "/api/v1/namespaces/a/secrets": Route("", "v1", "secrets", "a"),
    "/api/v1/namespaces/a/secrets/s": Route("", "v1", "secrets", "a", "s"),
    "/api/v1/namespaces/a/secrets/status": Route("", "v1", "secrets", "a", "status"),
    "/api/v1/namespaces/a/finalize/x": Route("", "v1", "finalize", "a", "x"),
    "/api/v1/secrets": Route("", "v1", "secrets"),
    "/apis/g.io/v1/namespaces/a/apps/x/status": Route("g.io", "v1", "apps", "a", "x", "status"),
    "/apis/g.io/v1/apps/": Route("g.io", "v1", "apps"),
    "/apis/g.io/v1/namespaces/a/apps/x%20y": Route("g.io", "v1", "apps", "a", "x y"),
}


@pytest.mark.parametrize("path", CASES)
def test_paths(path: str) -> None:
    """Each shape of a resource path is taken apart."""
    assert routing.parse(routing.split(path)) == CASES[path]


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1", "/apis/g/v1", "/version", "/apis/g/v1/namespaces/a/b/c/d/e"]
)
def test_other_paths(path: str) -> None:
    """What is not the path of a resource is none."""
    assert routing.parse(routing.split(path)) is None


@pytest.mark.parametrize(
    ("method", "name", "action"),
    [
        ("GET", "", Action.LIST),
        ("GET", "a", Action.GET),
        ("POST", "", Action.CREATE),
        ("PUT", "a", Action.UPDATE),
        ("PATCH", "a", Action.PATCH),
        ("DELETE", "a", Action.DELETE),
        ("DELETE", "", Action.DELETE_COLLECTION),
    ],
)
def test_actions(method: str, name: str, action: Action) -> None:
    """A method means what it means in Kubernetes, of one object or of all."""
    assert Route("", "v1", "secrets", "n", name).action(method) is action


@pytest.mark.parametrize(("method", "name"), [("POST", "a"), ("PUT", ""), ("PATCH", ""), ("OPTIONS", "a")])
def test_no_action(method: str, name: str) -> None:
    """What is not in the table is 405."""
    with pytest.raises(MethodNotAllowed):
        Route("", "v1", "secrets", "n", name).action(method)


def test_scope() -> None:
    """A namespace for what has none, or none for one object that has one, leads nowhere."""
    server = new_server()
    spaces, apps = (
        server.resource("", "v1", "namespaces"),
        server.resource(APPLICATIONS.group, APPLICATIONS.version, APPLICATIONS.plural),
    )
    Route("", "v1", "namespaces", "", "a").check_scope(spaces)
    Route(APPLICATIONS.group, APPLICATIONS.version, APPLICATIONS.plural).check_scope(apps)
    for route, kind in (
        (Route("", "v1", "namespaces", "a"), spaces),
        (Route(APPLICATIONS.group, APPLICATIONS.version, APPLICATIONS.plural, "", "x"), apps),
    ):
        with pytest.raises(NotFound):
            route.check_scope(kind)
