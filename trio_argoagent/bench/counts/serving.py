"""Requests to the embedded API server, from a client's call to its answer: HTTP/2 in memory, and no TLS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import trio
import trio.testing

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.http import Access, ApiHandler
from trio_argoagent.bench.kube import apiserver
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.net.http2 import Http2Connection, open_http2
from trio_argoagent.net.server import serve_http2
from trio_argoagent.testing.scheduling import make_env, simulate

AT_ONCE: Final = 16
"""Requests on their way."""
SPACES: Final = 10
"""Namespaces, with one Application each."""
_TOKEN: Final = "a-token"


def _fill(server: ApiServer) -> None:
    for number in range(SPACES):
        space = {"metadata": {"name": f"team-{number:02}"}}
        server.create(NAMESPACES, "", space, actor="admin", now=0.0)
        app = apiserver.application("app-0", number)
        server.create(APPLICATIONS, f"team-{number:02}", app, actor="admin", now=0.0)


def _round(number: int) -> int:
    """The benchmark's number of a request: about each Application in turn, and no two writes are alike."""
    turns, which = divmod(number, SPACES)
    return turns * apiserver.SPACES * apiserver.OBJECTS + which


async def _ask(client: Http2Connection, wanted: apiserver.Wanted) -> None:
    method, path, headers, body = wanted
    head = (("authorization", f"Bearer {_TOKEN}"), *headers)
    stream = await client.open_stream(method, path, head, end_stream=not body)
    if body:
        stream.send_nowait(body)
        stream.end()
    status, _ = await stream.response()
    assert status == 200
    while await stream.receive():
        pass


async def _serve(make: Callable[[int], apiserver.Wanted], count: int) -> None:
    env = make_env(1, "server")
    server = argocd_server(entropy=env.entropy)
    _fill(server)
    handler = ApiHandler(server, env=env, authenticate=Access({_TOKEN: "admin"}))
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve_http2, handler, theirs))
        async with open_http2(ours, client=True, authority="server") as client:
            await client.wait_ready()
            wanted = (make(_round(number)) for number in range(count))

            async def ask() -> None:
                for each in wanted:
                    await _ask(client, each)

            async with trio.open_nursery() as asking:
                for _ in range(AT_ONCE):
                    asking.start_soon(ask)
        nursery.cancel_scope.cancel()


def requests(make: Callable[[int], apiserver.Wanted], count: int) -> None:
    """So many of them."""
    simulate(_serve, make, count, seed=1)


WORK: Final[Mapping[str, Callable[[int], None]]] = {
    "read": partial(requests, apiserver.get),
    "write": partial(requests, apiserver.patch),
}
"""By case: does so many of it."""
