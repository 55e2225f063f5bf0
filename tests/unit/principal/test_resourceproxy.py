"""What Argo CD hears where it looks for an agent's live resources."""

from __future__ import annotations

import json
from functools import partial

import pytest
import trio

from trio_argoagent.net.client import open_client
from trio_argoagent.net.contexts import client_context
from trio_argoagent.net.server import serve_https
from trio_argoagent.principal import resourceproxy

from ..stream.loopback import authority, principal_tls


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
@pytest.mark.parametrize(
    ("method", "path", "whose"),
    [
        ("GET", "/version?agentName=east", "agent 'east'"),
        ("POST", "/api/v1/namespaces/x/pods?timeout=32s&agentName=east", "agent 'east'"),
        ("GET", "/apis", "an agent"),
        ("GET", "/apis?agentName=%0d%0aX:%20y", "an agent"),
    ],
)
async def test_a_status_with_the_reason(alpn: str, method: str, path: str, whose: str) -> None:
    """503, in the form in which client-go shows an API server's own words; nothing asked is echoed raw."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    tls = principal_tls(require_client=False, alpn=("h2", "http/1.1"))
    ours = client_context(ca=authority("ours").certificate_pem, certificate=None, key=None, alpn=(alpn,))
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_https, resourceproxy.answer, listeners, tls))
        with trio.fail_after(60):
            async with open_client(host="127.0.0.1", port=port, context=ours) as client:
                answer = await client.request(method, path)
        nursery.cancel_scope.cancel()
    status = json.loads(answer.body)
    assert (answer.status, dict(answer.headers)["content-type"]) == (503, "application/json")
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    assert (status["code"], status["reason"]) == (503, "ServiceUnavailable")
    assert status["message"].startswith(f"live resources of {whose} are not available")
