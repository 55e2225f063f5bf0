"""Proxies: what the environment asks for, and the tunnel."""

from __future__ import annotations

import base64
import ssl
import traceback

import pytest
import trio
import trio.testing

from trio_argoagent.errors import UserError
from trio_argoagent.net.client import open_client
from trio_argoagent.net.connect import tunnel
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.proxy import Proxy, environment_proxy, is_exempt, parse_proxy, proxy_for
from trio_argoagent.net.server import serve_https

from .identities import Authority, Identity
from .test_tls import contexts
from .wiring import echo, listening


@pytest.fixture
def plain(authority: Authority, server_identity: Identity) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts without client certificates."""
    return contexts(authority, server_identity)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://p.example:3128", Proxy("p.example", 3128)),
        ("p.example:3128", Proxy("p.example", 3128)),
        ("https://p.example/", Proxy("p.example", 443, tls=True)),
        ("http://[::1]", Proxy("::1", 80)),
        ("http://us%40er:p%3Aw@p:1", Proxy("p", 1, authorization="Basic dXNAZXI6cDp3")),
    ],
)
def test_urls(url: str, proxy: Proxy) -> None:
    """With and without scheme, port, user."""
    assert parse_proxy(url) == proxy


@pytest.mark.parametrize(
    "url", ["socks5://p:1080", "http://", "http://p:port", "http://p:70000", "http://p:0", "http://a b:3"]
)
def test_urls_that_cannot_be_used(url: str) -> None:
    """One line; what it says holds no password."""
    with pytest.raises(UserError, match="http://host:port"):
        parse_proxy(url.replace("//", "//user:hunter2@", 1) if "p" in url[5:] else url)
    assert "hunter2" not in repr(Proxy("p", 1, authorization="Basic hunter2"))


@pytest.mark.parametrize("url", ["http://[::1", "http://user:hunter2[@p:1", "http://user:hunter2\u2100@p:1"])
def test_what_is_no_url_at_all(url: str) -> None:
    """One line, and no traceback that quotes the password."""
    with pytest.raises(UserError, match=r"^the proxy's address cannot be used: write ") as caught:
        parse_proxy(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_password_of_any_bytes() -> None:
    """The environment is bytes; what is no UTF-8 goes to the proxy as it is."""
    secret = parse_proxy(b"http://me:\xff@p:1".decode(errors="surrogateescape")).authorization
    assert base64.b64decode(secret.removeprefix("Basic ")) == b"me:\xff"


@pytest.mark.parametrize(
    ("exempt", "host", "port", "expected"),
    [
        ("", "api.example", 443, False),
        ("*", "api.example", 443, True),
        ("example", "api.example", 443, True),
        ("example", "example", 443, True),
        (".example", "api.example", 443, True),
        (".example", "example", 443, False),
        ("*.example", "api.example", 443, True),
        ("other, Example", "API.example.", 443, True),
        ("ample", "api.example", 443, False),
        ("api.example:6443", "api.example", 6443, True),
        ("api.example:6443", "api.example", 443, False),
        ("10.0.0.0/8", "10.96.0.1", 443, True),
        ("10.0.0.0/8", "11.0.0.1", 443, False),
        ("10.0.0.0/8", "api.example", 443, False),
        ("10.96.0.1", "10.96.0.1", 443, True),
        ("10.96.0.1:6443", "10.96.0.1", 443, False),
        ("fd00::/8", "fd00::1", 443, True),
        ("fd00::1", "fd00:0::1", 443, True),
        ("[fd00::1]:443", "fd00::1", 443, True),
        ("10.0.0.0/99,a b:c", "10.0.0.1", 443, False),
    ],
)
def test_exemptions(exempt: str, host: str, port: int, expected: bool) -> None:
    """Names, subdomains, addresses, blocks, ports."""
    assert is_exempt(exempt, host, port) is expected


def test_the_environment() -> None:
    """Either spelling; this machine is never proxied."""
    assert proxy_for({"HTTPS_PROXY": "p:1"}, "api.example", 443) == "p:1"
    assert proxy_for({"https_proxy": "p:1"}, "api.example", 443) == "p:1"
    assert proxy_for({"HTTPS_PROXY": "p:1", "no_proxy": "example"}, "api.example", 443) == ""
    assert proxy_for({"HTTP_PROXY": "p:1"}, "api.example", 443) == ""
    for here in ("localhost", "127.0.0.1", "127.9.9.9", "::1"):
        assert proxy_for({"HTTPS_PROXY": "p:1"}, here, 443) == ""


def test_the_environment_understood() -> None:
    """A proxy, none, or a line that names the variable."""
    assert environment_proxy({"HTTPS_PROXY": "p:1"}, "api.example", 443) == Proxy("p", 1)
    assert environment_proxy({}, "api.example", 443) is None
    with pytest.raises(UserError, match=r"^HTTPS_PROXY: a proxy of type socks5 is not supported"):
        environment_proxy({"https_proxy": "socks5://p"}, "api.example", 443)
    assert environment_proxy({"https_proxy": "socks5://p"}, "localhost", 443) is None


class FakeProxy:
    """A proxy on loopback that answers as it is told, and passes bytes on once it has said 200."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> None:
        self.answer = answer
        self.asked = b""

    async def serve(self, inner: trio.SocketStream) -> None:
        """One connection."""
        async with inner:
            while b"\r\n\r\n" not in self.asked and (data := await inner.receive_some()):
                self.asked += data
            # In two pieces: an answer may be split anywhere.
            await inner.send_all(self.answer[:9])
            await inner.send_all(self.answer[9:])
            if b" 200 " not in self.answer:
                return
            host, _, port = self.asked.split()[1].decode().partition(":")
            async with await trio.open_tcp_stream(host, int(port)) as outer, trio.open_nursery() as nursery:
                nursery.start_soon(self._copy, outer, inner, nursery.cancel_scope)
                await self._copy(inner, outer, nursery.cancel_scope)

    async def _copy(self, one: trio.SocketStream, other: trio.SocketStream, scope: trio.CancelScope) -> None:
        try:
            while data := await one.receive_some():
                await other.send_all(data)
        except trio.BrokenResourceError:
            pass
        scope.cancel()

    async def run(self, *, task_status: trio.TaskStatus[int]) -> None:
        """Serve until cancelled; started with the port."""
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        task_status.started(listeners[0].socket.getsockname()[1])
        await trio.serve_listeners(self.serve, listeners)


async def test_through_a_proxy(plain: tuple[ssl.SSLContext, ssl.SSLContext], nursery: trio.Nursery) -> None:
    """TLS and HTTP/2 end to end; the proxy sees the address, and our password."""
    errors: list[Exception] = []
    fake = FakeProxy(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\n\r\n")
    proxy = parse_proxy(f"http://me:secret@127.0.0.1:{await nursery.start(fake.run)}")
    async with listening(serve_https, echo, plain[0], on_error=errors.append) as port:
        async with open_client(
            host="127.0.0.1", port=port, context=plain[1], connect=tunnel(proxy)
        ) as client:
            assert (await client.request("POST", "/", (), b"x" * 100_000)).body == b"x" * 100_000
    head = fake.asked.decode().lower()
    assert head.startswith(f"connect 127.0.0.1:{port} http/1.1\r\n")
    assert "proxy-authorization: basic bwu6c2vjcmv0\r\n" in head and f"host: 127.0.0.1:{port}\r\n" in head


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n", "407 Who are you: it wants a user"),
        (b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "403 Forbidden: it does not allow api"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway: it cannot reach api.example:443"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "it does not speak HTTP"),
        (b"", "hung up"),
    ],
)
async def test_a_proxy_that_refuses(answer: bytes, text: str, nursery: trio.Nursery) -> None:
    """One line that names the proxy and its reason; nothing was sent."""
    proxy = Proxy("127.0.0.1", await nursery.start(FakeProxy(answer).run))
    async with open_client(host="api.example", port=443, context=None, connect=tunnel(proxy)) as client:
        with pytest.raises(ConnectionBroken, match=text) as caught:
            await client.request("GET", "/")
    assert not caught.value.sent and f"127.0.0.1:{proxy.port}" in str(caught.value)


async def test_a_proxy_that_is_not_there() -> None:
    """Likewise."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    connect = tunnel(Proxy("127.0.0.1", port))
    async with open_client(host="api.example", port=443, context=None, connect=connect) as client:
        with pytest.raises(ConnectionBroken, match=f"the proxy 127.0.0.1:{port}"):
            await client.request("GET", "/")


async def test_a_proxy_over_tls_that_is_not_certified(
    plain: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """A proxy over TLS must be certified by the system's authorities; else it is not told our password."""
    errors: list[Exception] = []
    async with listening(serve_https, echo, plain[0], on_error=errors.append) as port:
        connect = tunnel(Proxy("127.0.0.1", port, tls=True))
        async with open_client(host="api.example", port=443, context=None, connect=connect) as client:
            with pytest.raises(ConnectionBroken, match=r"(?i)certificate"):
                await client.request("GET", "/")


async def test_a_server_that_speaks_first() -> None:
    """What comes together with the proxy's answer is not lost."""
    ours, theirs = trio.testing.memory_stream_pair()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        await theirs.send_all(b"HTTP/1.1 200 OK\r\nvia: p\r\n\r\nhello")
        return ours

    stream = await tunnel(Proxy("p", 3128), connect)("api.example", 443)
    assert await stream.receive_some() == b"hello"
