"""From a path to an answer."""

from __future__ import annotations

import pytest

from trio_argoagent.apiserver.core import discovery
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.http import ApiHandler

from .exchanges import ask


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz/ping", "/version"])
async def test_strangers_may_ask_for_health(handler: ApiHandler, path: str) -> None:
    """Without credentials: is it alive, and which version is it."""
    assert (await ask(handler, "GET", path, token="")).status == 200


@pytest.mark.parametrize("path", ["/api", "/apis", "/openapi/v3", "/api/v1/secrets", "/nowhere"])
async def test_strangers_may_not_ask_for_more(handler: ApiHandler, path: str) -> None:
    """Everything else is 401, whether it exists or not."""
    answer = await ask(handler, "GET", path, token="")
    assert (answer.status, answer.value["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/api/v1", "APIResourceList"),
        ("/apis", "APIGroupList"),
        ("/apis/argoproj.io", "APIGroup"),
        ("/apis/argoproj.io/v1alpha1", "APIResourceList"),
    ],
)
async def test_discovery(handler: ApiHandler, path: str, kind: str) -> None:
    """Each level has its document."""
    answer = await ask(handler, "GET", path)
    assert (answer.status, answer.value["kind"]) == (200, kind)


@pytest.mark.parametrize("path", ["/api", "/apis"])
async def test_aggregated_discovery(handler: ApiHandler, path: str) -> None:
    """All in one for who asks so, and the content type says that it is."""
    answer = await ask(handler, "GET", path, accept=f"{discovery.AGGREGATED_TYPE},application/json")
    assert answer.headers["content-type"] == discovery.AGGREGATED_TYPE
    assert answer.value["kind"] == "APIGroupDiscoveryList"
    assert answer.value["items"]


async def test_openapi(handler: ApiHandler) -> None:
    """The index leads to documents."""
    paths = (await ask(handler, "GET", "/openapi/v3")).value["paths"]
    url = paths["apis/argoproj.io/v1alpha1"]["serverRelativeURL"]
    assert (await ask(handler, "GET", url)).value["openapi"] == "3.0.0"


@pytest.mark.parametrize(
    "path",
    [
        "/openapi/v2",
        "/apis/x",
        "/apis/x/v1",
        "/apis/x/v1/things",
        "/api/v1/namespaces/argocd/namespaces/x",
        "/apis/argoproj.io/v1alpha1/applications/a1",
        "/api/v1/namespaces/argocd/secrets/a1/status",
    ],
)
async def test_nothing_there(handler: ApiHandler, path: str) -> None:
    """A path that leads nowhere is 404 with a Status."""
    answer = await ask(handler, "GET", path)
    assert answer.status == 404
    assert answer.value["message"] == "the server could not find the requested resource"


async def test_a_subresource_that_a_custom_kind_does_not_have(handler: ApiHandler) -> None:
    """It is the object that is not found."""
    answer = await ask(handler, "GET", "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/a1/status")
    assert (answer.status, answer.value["message"]) == (404, 'applications.argoproj.io "a1" not found')


async def test_methods(handler: ApiHandler) -> None:
    """A method that makes no sense is 405."""
    assert (await ask(handler, "POST", "/apis")).status == 405
    assert (await ask(handler, "OPTIONS", "/api/v1/secrets")).status == 405
    assert (await ask(handler, "GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")).status == 405


async def test_reviews(handler: ApiHandler, server: ApiServer) -> None:
    """A question about oneself is answered and stored nowhere."""
    before = server.rv
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = await ask(handler, "POST", path, {"kind": "SelfSubjectReview"})
    assert (answer.status, answer.value["status"]["userInfo"]["username"]) == (201, "alice")
    assert server.rv == before


async def test_impersonation(handler: ApiHandler, server: ApiServer) -> None:
    """Who is known may act as somebody else, and the log says as whom."""
    value = {"metadata": {"name": "c1"}}
    path = "/api/v1/namespaces/argocd/configmaps"
    await ask(handler, "POST", path, value, impersonate_user="bob")
    assert server.log[-1].actor == "bob"
