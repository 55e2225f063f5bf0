"""Our server, asked by nghttp2's programs (Debian: ``nghttp2-client``), over loopback.

They have no client certificates in these tests: the listener asks for none, and is for tests only. It also
speaks HTTP/2 without TLS (``prior knowledge``, RFC 9113 section 3.3), which no port of ours does.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from tests.unit.net.identities import Identity
from tests.unit.net.wiring import listening
from trio_argoagent.net.contexts import server_context
from trio_argoagent.net.http import Exchange, Handler
from trio_argoagent.net.server import serve_http2, serve_https

TIMEOUT = 60.0  # seconds for one program: it never takes one

pytestmark = pytest.mark.skipif(
    shutil.which("nghttp") is None or shutil.which("h2load") is None,
    reason="nghttp and h2load are not installed (Debian: nghttp2-client)",
)


async def serve(exchange: Exchange) -> None:
    """A GET is told where it went, a POST how much has come; ``/big`` is a MiB."""
    if exchange.request.method == "POST":
        await exchange.respond(200, [], b"%d bytes\n" % len(await exchange.body()))
    elif exchange.request.path == "/big":
        await exchange.respond(200, [], bytes(1 << 20))
    else:
        await exchange.respond(200, [], f"you are at {exchange.request.path}\n".encode())


async def serve_plain(
    handler: Handler, listeners: list[trio.SocketListener], *, task_status: trio.TaskStatus[None]
) -> None:
    """HTTP/2 from the first byte on."""
    task_status.started()
    await trio.serve_listeners(partial(serve_http2, handler), listeners)


@asynccontextmanager
async def server(scheme: str, identity: Identity) -> AsyncIterator[str]:
    """The test-only listener; the value is the URL of its root."""
    context = server_context(
        certificate=identity.certificate, key=identity.key, client_ca=None, require_client=False, alpn=["h2"]
    )
    if scheme == "http":
        async with listening(serve_plain, serve) as port:
            yield f"http://127.0.0.1:{port}"
    else:
        async with listening(serve_https, serve, context) as port:
            yield f"https://127.0.0.1:{port}"


async def run(*command: str) -> str:
    """A program's whole output; it must succeed."""
    with trio.fail_after(TIMEOUT):
        done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
    text = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, text
    return text


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_get(scheme: str, server_identity: Identity) -> None:
    """With ALPN, and with prior knowledge."""
    async with server(scheme, server_identity) as url:
        assert await run("nghttp", "-y", f"{url}/here") == "you are at /here\n"


async def test_post(server_identity: Identity, tmp_path: Path) -> None:
    """A body that does not fit into any window at once."""
    body = tmp_path / "body"
    body.write_bytes(bytes(3_000_000))
    async with server("https", server_identity) as url:
        assert await run("nghttp", "-y", "-d", str(body), f"{url}/") == "3000000 bytes\n"


async def test_trailers_and_padding(server_identity: Identity, tmp_path: Path) -> None:
    """Both leave the body alone."""
    body = tmp_path / "body"
    body.write_bytes(b"four")
    async with server("https", server_identity) as url:
        assert (
            await run("nghttp", "-y", "-b", "200", "--trailer", "x-sum: 1", "-d", str(body), f"{url}/")
            == "4 bytes\n"
        )


async def test_small_windows(server_identity: Identity) -> None:
    """A MiB through windows of a KiB: nothing is sent that does not fit, and everything arrives."""
    async with server("https", server_identity) as url:
        text = await run("nghttp", "-y", "-n", "-v", "-w", "10", "-W", "10", f"{url}/big")
    sizes = [int(size) for size in re.findall(r"recv DATA frame <length=(\d+)", text)]
    assert sum(sizes) == 1 << 20 and max(sizes) <= 1024


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_many_streams(scheme: str, server_identity: Identity) -> None:
    """5,000 requests, 4 connections, 100 streams on each: all are answered."""
    async with server(scheme, server_identity) as url:
        text = await run("h2load", "-n", "5000", "-c", "4", "-m", "100", f"{url}/x")
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in text


async def test_big_answers(server_identity: Identity) -> None:
    """40 of a MiB, on 8 streams of one connection."""
    async with server("https", server_identity) as url:
        text = await run("h2load", "-n", "40", "-c", "1", "-m", "8", f"{url}/big")
    assert "40 succeeded, 0 failed" in text and f"({40 << 20}) data" in text
