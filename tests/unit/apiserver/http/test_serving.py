"""Over sockets: both protocols, both ways in, and what a broken peer leaves behind."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator

import pytest
import trio

from trio_argoagent.apiserver.http.replies import BODY
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.net.client import HttpClient, open_client
from trio_argoagent.net.contexts import client_context

from .world import TOKEN, World, authority, served

MAPS = "/api/v1/namespaces/default/configmaps"
BEARER = (("authorization", f"Bearer {TOKEN}"),)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A served server."""
    async with served() as made:
        yield made


def context(*, identity: str = "", alpn: tuple[str, ...] = ("h2",)) -> ssl.SSLContext:
    """A client's TLS settings; ``identity``: with a certificate of that name."""
    mine = authority().issue(identity) if identity else None
    return client_context(
        ca=authority().certificate,
        certificate=mine.certificate if mine else None,
        key=mine.key if mine else None,
        alpn=alpn,
    )


@pytest.fixture
async def client(world: World) -> AsyncIterator[HttpClient]:
    """HTTP/2, without credentials of its own."""
    async with open_client(host="127.0.0.1", port=world.port, context=context()) as made:
        yield made


async def test_a_token_gets_in(world: World, client: HttpClient) -> None:
    """And names the actor of what is written."""
    body = b'{"metadata":{"name":"c1"}}'
    assert (await client.request("POST", MAPS, BEARER, body)).status == 201
    assert world.server.log[-1].actor == "alice"
    assert (await client.request("GET", MAPS)).status == 401


async def test_a_certificate_gets_in(world: World) -> None:
    """Its common name is the actor."""
    own = context(identity="carol")
    async with open_client(host="127.0.0.1", port=world.port, context=own) as client:
        assert (await client.request("POST", MAPS, (), b'{"metadata":{"name":"c1"}}')).status == 201
    assert world.server.log[-1].actor == "carol"


async def test_http_1_1(world: World) -> None:
    """Two requests on one connection, then a watch in chunks."""
    tls = context(alpn=("http/1.1",))
    stream = await trio.open_ssl_over_tcp_stream(
        "127.0.0.1", world.port, ssl_context=tls, https_compatible=True
    )
    head = f"Host: here\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    with trio.fail_after(60):
        async with stream:
            for _ in range(2):
                await stream.send_all(f"GET {MAPS} HTTP/1.1\r\n{head}".encode())
                assert await until(stream, b'"items":[]}')
            await stream.send_all(
                f"GET {MAPS}?watch=1&resourceVersion={world.server.rv} HTTP/1.1\r\n{head}".encode()
            )
            assert await until(stream, b"chunked")
            world.server.create(CONFIG_MAPS, "default", {"metadata": {"name": "c1"}}, actor="x", now=0)
            assert await until(stream, b'"name":"c1"')


async def until(stream: trio.SSLStream[trio.SocketStream], wanted: bytes) -> bool:
    """Read until those bytes have come."""
    data = b""
    while wanted not in data:
        piece = await stream.receive_some()
        if not piece:
            return False
        data += piece
    return True


async def test_a_watch_over_http_2(world: World, client: HttpClient) -> None:
    """Events come at once, and leaving the watch closes it on the server."""
    target = f"{MAPS}?watch=1&resourceVersion={world.server.rv}"
    with trio.fail_after(60):
        async with client.stream("GET", target, BEARER) as watch:
            assert watch.status == 200
            world.server.create(CONFIG_MAPS, "default", {"metadata": {"name": "c1"}}, actor="x", now=0)
            assert json.loads(await watch.receive())["object"]["metadata"]["name"] == "c1"
            assert world.server.statistics().watches == 1
        while world.server.statistics().watches:
            await client.request("GET", MAPS, BEARER)


async def test_too_large_a_body(world: World, client: HttpClient) -> None:
    """413 with a Status, and the connection lives on."""
    answer = await client.request("POST", MAPS, BEARER, b" " * (BODY + 1))
    assert (answer.status, json.loads(answer.body)["reason"]) == (413, "RequestEntityTooLarge")
    assert (await client.request("GET", MAPS, BEARER)).status == 200
