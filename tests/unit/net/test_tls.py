"""TLS over memory and what certificates say."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from trio_argoagent.errors import UserError
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.tls import TlsStream, client_context, common_name, fingerprint, server_context

from .identities import Authority, Identity

LARGE = bytes(range(256)) * 8_000  # 2 MB


@asynccontextmanager
async def handshaken(
    server: ssl.SSLContext, client: ssl.SSLContext
) -> AsyncIterator[tuple[TlsStream, TlsStream]]:
    """Both ends, after the handshake."""
    near, far = trio.testing.memory_stream_pair()
    a = TlsStream(near, client, server_hostname="localhost")
    b = TlsStream(far, server, server_side=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(a.do_handshake)
        await b.do_handshake()
    yield a, b


def contexts(
    authority: Authority, server: Identity, client: Identity | None = None
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context, with mutual TLS when the client has an identity; and a client's."""
    return (
        server_context(
            certificate=server.certificate,
            key=server.key,
            client_ca=authority.certificate if client else None,
            require_client=client is not None,
            alpn=("h2", "http/1.1"),
        ),
        client_context(
            ca=authority.certificate,
            certificate=client.certificate if client else None,
            key=client.key if client else None,
            alpn=("h2",),
        ),
    )


async def test_two_megabytes_each_way(authority: Authority, server_identity: Identity) -> None:
    """Bytes arrive unchanged in both directions at once, and the end is an end."""
    async with handshaken(*contexts(authority, server_identity)) as (a, b), trio.open_nursery() as nursery:

        async def sends(stream: TlsStream) -> None:
            await stream.send_all(LARGE)
            await stream.send_eof()

        async def receives(stream: TlsStream) -> bytes:
            pieces = []
            while piece := await stream.receive_some():
                pieces.append(piece)
            return b"".join(pieces)

        nursery.start_soon(b.send_all, LARGE)
        nursery.start_soon(sends, a)
        assert await receives(b) == LARGE
        assert a.alpn == b.alpn == "h2"
        assert a.bytes_sent == b.bytes_received > len(LARGE)


async def test_all_records_in_one_receive(authority: Authority, server_identity: Identity) -> None:
    """What has arrived in many records is received at once, or in the portions asked for."""
    async with handshaken(*contexts(authority, server_identity)) as (a, b):
        await a.send_all(LARGE[:60_000])
        assert len(await b.receive_some(1000)) == 1000
        assert await b.receive_some() == LARGE[1000:60_000]


async def test_cancelled_receive_loses_nothing(authority: Authority, server_identity: Identity) -> None:
    """A receiver that is cancelled can simply receive again."""
    async with handshaken(*contexts(authority, server_identity)) as (a, b):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(b.receive_some)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        await a.send_all(b"here")
        with trio.CancelScope() as scope:
            scope.cancel()
            await b.receive_some()
        await a.send_all(b"and there")
        assert await b.receive_some(2) == b"he"
        with trio.CancelScope() as scope:
            scope.cancel()
            await b.receive_some()
        assert scope.cancelled_caught
        assert await b.receive_some() == b"reand there"


async def test_mutual_identity(
    authority: Authority, server_identity: Identity, client_identity: Identity
) -> None:
    """Each side sees the other's certificate, by name and by fingerprint."""
    async with handshaken(*contexts(authority, server_identity, client_identity)) as (a, b):
        seen = b.peer_certificate
        assert seen is not None and a.peer_certificate is not None
        assert common_name(seen) == "agent-1" and common_name(a.peer_certificate) == "server"
        assert fingerprint(seen) == hashlib.sha256(seen).hexdigest().upper()
        assert seen == ssl.PEM_cert_to_DER_cert(client_identity.certificate.decode())


async def test_missing_client_certificate_is_readable(
    authority: Authority, server_identity: Identity, client_identity: Identity
) -> None:
    """A client without a certificate learns that one is required; TLS 1.3 tells it on the first read."""
    server, _ = contexts(authority, server_identity, client_identity)
    _, client = contexts(authority, server_identity)
    near, far = trio.testing.memory_stream_pair()
    a = TlsStream(near, client, server_hostname="localhost")
    b = TlsStream(far, server, server_side=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(a.do_handshake)
        with pytest.raises(TlsFailed, match="peer did not return a certificate"):
            await b.do_handshake()
    with pytest.raises(TlsFailed, match="certificate required") as caught:
        await a.receive_some()
    assert "CERTIFICATE_REQUIRED" in caught.value.reason


async def test_unknown_authority(authority: Authority, server_identity: Identity) -> None:
    """A client that does not trust the server says why, and tells the server with an alert."""
    server, _ = contexts(authority, server_identity)
    client = client_context(ca=Authority.make("other").certificate, certificate=None, key=None, alpn=())
    near, far = trio.testing.memory_stream_pair()
    a = TlsStream(near, client, server_hostname="localhost")
    b = TlsStream(far, server, server_side=True)
    errors: list[TlsFailed] = []

    async def handshake(stream: TlsStream) -> None:
        with pytest.raises(TlsFailed) as caught:
            await stream.do_handshake()
        errors.append(caught.value)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(handshake, a)
        await handshake(b)
    assert sorted(error.reason for error in errors) == ["CERTIFICATE_VERIFY_FAILED", "TLSV1_ALERT_UNKNOWN_CA"]
    assert any("unable to get local issuer" in str(error) for error in errors)
    assert not any(error.sent for error in errors)


async def test_wrong_name(authority: Authority, server_identity: Identity) -> None:
    """A certificate for another name is refused, and the text names the expected one."""
    server, client = contexts(authority, server_identity)
    near, far = trio.testing.memory_stream_pair()
    b = TlsStream(far, server, server_side=True)

    async def serve() -> None:
        with pytest.raises(TlsFailed):
            await b.do_handshake()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        with pytest.raises(TlsFailed, match=r"Hostname mismatch.*elsewhere\.example"):
            await TlsStream(near, client, server_hostname="elsewhere.example").do_handshake()


async def test_peer_that_hangs_up(authority: Authority, server_identity: Identity) -> None:
    """EOF in the middle of the handshake is an error with words, not with a code."""
    server, _ = contexts(authority, server_identity)
    near, far = trio.testing.memory_stream_pair()
    await near.send_eof()
    with pytest.raises(TlsFailed, match="closed the connection during the handshake"):
        await TlsStream(far, server, server_side=True).do_handshake()


async def test_garbage_after_the_handshake(authority: Authority, server_identity: Identity) -> None:
    """A record that nobody has encrypted ends the stream with an error, after the good bytes before it."""
    async with handshaken(*contexts(authority, server_identity)) as (a, b):
        await a.send_all(b"good")
        await a.transport.send_all(b"\x17\x03\x03\x00\x20" + bytes(32))
        assert await b.receive_some() == b"good"
        with pytest.raises(TlsFailed):
            await b.receive_some()


@pytest.mark.parametrize("which", ["certificate", "key", "ca"])
def test_unusable_pem(which: str, authority: Authority, server_identity: Identity) -> None:
    """PEM that is none is the user's error, whichever part it is."""
    parts = {
        "certificate": server_identity.certificate,
        "key": server_identity.key,
        "ca": authority.certificate,
        which: b"nonsense",
    }
    with pytest.raises(UserError, match="not usable"):
        client_context(ca=parts["ca"], certificate=parts["certificate"], key=parts["key"], alpn=())


def test_key_of_another_certificate(server_identity: Identity, client_identity: Identity) -> None:
    """A key that does not belong to the certificate is refused at once."""
    with pytest.raises(UserError, match="belong together"):
        server_context(
            certificate=server_identity.certificate,
            key=client_identity.key,
            client_ca=None,
            require_client=False,
            alpn=(),
        )


def test_required_clients_need_an_authority(server_identity: Identity) -> None:
    """Requiring certificates without a CA would accept nobody, and is refused."""
    with pytest.raises(UserError, match="no CA"):
        server_context(
            certificate=server_identity.certificate,
            key=server_identity.key,
            client_ca=None,
            require_client=True,
            alpn=(),
        )
