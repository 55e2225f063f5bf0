"""Answers that are compressed, and documents beside the resources."""

from __future__ import annotations

import gzip

import pytest

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.http import ApiHandler
from trio_argoagent.apiserver.http.replies import PACK_MAX, PACK_MIN, Reply
from trio_argoagent.model.objects import decode
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.net.http import Request

from ..core.helpers import NS, make
from .exchanges import ask

MAPS = f"/api/v1/namespaces/{NS}/configmaps"


async def test_a_long_list_is_compressed(handler: ApiHandler, server: ApiServer) -> None:
    """For those who take it; the others get it as it is."""
    make(server, {"metadata": {"name": "c1"}, "data": {"k": "v" * PACK_MIN}}, CONFIG_MAPS)
    plain = await ask(handler, "GET", MAPS)
    assert "content-encoding" not in plain.headers
    packed = await ask(handler, "GET", MAPS, accept_encoding="deflate, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert decode(gzip.decompress(packed.data)) == plain.value
    assert len(packed.data) < PACK_MIN // 10


@pytest.mark.parametrize("size", [PACK_MIN - 1, PACK_MAX + 1])
def test_what_is_not_worth_it(size: int) -> None:
    """Short answers, and those that would keep everybody else waiting."""
    request = Request("GET", "/", (("accept-encoding", "gzip"),))
    reply = Reply(b"x" * size)
    assert reply.packed_for(request) is reply


async def test_metrics(handler: ApiHandler) -> None:
    """For those who are known."""
    answer = await ask(handler, "GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"trio_argoagent_apiserver_watches 0\n" in answer.data
    assert (await ask(handler, "GET", "/metrics", token="")).status == 401


async def test_requests_are_counted(handler: ApiHandler) -> None:
    """By verb, resource and code; a watch as such, a refusal as what it is answered with."""
    path = "/apis/argoproj.io/v1alpha1/namespaces/default/applications"
    await ask(handler, "GET", path)
    await ask(handler, "GET", f"{path}/web")
    await ask(handler, "GET", f"{path}?watch=true&timeoutSeconds=1")
    text = (await ask(handler, "GET", "/metrics")).data.decode()
    found = [line for line in text.splitlines() if line.startswith("trio_argoagent_apiserver_request_total{")]
    head = "trio_argoagent_apiserver_request_total"
    assert found == [
        f'{head}{{verb="{verb}",resource="applications",code="{code}"}} 1'
        for verb, code in (("get", 404), ("list", 200), ("watch", 200))
    ]


async def test_token_review(handler: ApiHandler) -> None:
    """Whose token it is."""
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    answer = await ask(handler, "POST", path, {"kind": "TokenReview", "spec": {"token": "t"}})
    assert answer.value["status"]["user"]["username"] == "alice"
