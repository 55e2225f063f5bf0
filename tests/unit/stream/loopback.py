"""A principal's listener and agents' dialers on the loopback interface, with certificates for them."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import attrs
import trio
from cryptography import x509

from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.net.http import Handler
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import DAY, Authority
from trio_argoagent.pki.names import agent_name
from trio_argoagent.ports.transport import Dialer, Link, Listener
from trio_argoagent.stream.admission import Admission, by_certificate
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.listen import NO_ROUTES, Http2Listener
from trio_argoagent.stream.websocket_dial import WebSocketDialer

START = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
LONG = 36_500 * DAY
"""OpenSSL judges by the real clock: a hundred years are valid now, a day in 2020 is not."""


@cache
def leaf_key() -> keys.PrivateKey:
    """The key of every leaf."""
    return keys.new_key()


@cache
def authority(name: str) -> Authority:
    """A root of its own for each name."""
    return Authority.create(keys.new_key(), name=name, serial=1, now=START, lifetime=LONG)


@cache
def server_pem(ca: str = "ours", *, host: str = "127.0.0.1", lifetime: float = LONG) -> bytes:
    """A principal's certificate."""
    key = leaf_key().public_key()
    return authority(ca).issue_server(key, name="p", hosts=[host], serial=2, now=START, lifetime=lifetime)


@cache
def client_pem(ca: str = "ours", *, agent: str = "a1", lifetime: float = LONG) -> bytes:
    """An agent's certificate."""
    key = leaf_key().public_key()
    return authority(ca).issue_client(key, agent=agent, serial=3, now=START, lifetime=lifetime)


@cache
def nameless_pem() -> bytes:
    """A client's certificate that is valid and names no agent."""
    ca, key = authority("ours"), leaf_key()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "No Agent")])
    first, last = ca.certificate.not_valid_before_utc, ca.certificate.not_valid_after_utc
    builder = x509.CertificateBuilder(ca.certificate.subject, subject, key.public_key(), 4, first, last)
    return keys.certificate_pem(builder.sign(ca.key, keys.digest_for(ca.key)))


def principal_tls(
    certificate: bytes | None = None, *, require_client: bool = True, alpn: tuple[str, ...] = ("h2",)
) -> ssl.SSLContext:
    """What a principal listens with."""
    return server_context(
        certificate=certificate or server_pem(),
        key=keys.key_pem(leaf_key()),
        client_ca=authority("ours").certificate_pem,
        require_client=require_client,
        alpn=alpn,
        minimum=ssl.TLSVersion.TLSv1_3,
    )


def agent_tls(
    certificate: bytes | None = None,
    *,
    ca: str = "ours",
    anonymous: bool = False,
    alpn: tuple[str, ...] = ("h2",),
) -> ssl.SSLContext:
    """What an agent dials with."""
    return client_context(
        ca=authority(ca).certificate_pem,
        certificate=None if anonymous else certificate or client_pem(),
        key=None if anonymous else keys.key_pem(leaf_key()),
        alpn=alpn,
    )


async def echo(link: Link) -> None:
    """Send back every frame until the agent ends the link."""
    while frames := await link.receive():
        for frame in frames:
            await link.wait_room()
            link.send_nowait(frame)


ADMISSION: Final = Admission(by_certificate(agent_name))
BOTH: Final = ("h2", "http/1.1")
"""What a principal agrees on that allows WebSockets."""


class Errors(list[Exception]):
    """What a listener was told went wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.some = trio.Event()
        """Set when there is one."""

    def append(self, exc: Exception) -> None:
        """One more."""
        super().append(exc)
        self.some.set()


@attrs.frozen
class Hub:
    """A listener that serves."""

    port: int
    errors: Errors

    def dialer(self, context: ssl.SSLContext | None = None, **options: Any) -> Dialer:
        """An agent's way to it."""
        return Http2Dialer("127.0.0.1", self.port, context or agent_tls(), **options)

    def web_dialer(self, context: ssl.SSLContext | None = None, **options: Any) -> Dialer:
        """The same over a WebSocket."""
        context = context or agent_tls(alpn=("http/1.1",))
        return WebSocketDialer("127.0.0.1", self.port, context, **options)


@asynccontextmanager
async def open_hub(
    handler: Callable[[Link], Awaitable[None]] = echo,
    context: ssl.SSLContext | None = None,
    *,
    websocket: bool = False,
    admission: Admission = ADMISSION,
    routes: Mapping[tuple[str, str], Handler] = NO_ROUTES,
) -> AsyncIterator[Hub]:
    """Serve links on a free port."""
    sockets = await trio.open_tcp_listeners(0, host="127.0.0.1")
    errors = Errors()
    context = context or principal_tls(alpn=BOTH if websocket else ("h2",))
    listener: Listener = Http2Listener(sockets, context, admission, errors.append, websocket, routes)
    async with trio.open_nursery() as nursery:
        await nursery.start(listener.serve, handler)
        yield Hub(sockets[0].socket.getsockname()[1], errors)
        nursery.cancel_scope.cancel()
