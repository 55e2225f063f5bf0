"""TLS material that is followed: what can be used, what a rotation changes, and what is not taken."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio
from cryptography.hazmat.primitives.asymmetric import ec
from trio.testing import MockClock

from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.net.certificates import CLIENTS, SERVERS
from trio_argoagent.net.client import open_client
from trio_argoagent.net.contexts import Context, client_context, server_context
from trio_argoagent.net.dialling import open_transport
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.server import serve_https
from trio_argoagent.pki import keys
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import resourceproxy
from trio_argoagent.redis.client import open_redis
from trio_argoagent.redis.server import over_tcp
from trio_argoagent.runtime import tlssources
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.material import LOOK, SETTLE, Held, Material, open_material, renewed
from trio_argoagent.runtime.tlssources import Files, Unread
from trio_argoagent.runtime.tlsvalues import CA, CERTIFICATE, KEY, Identity
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import LOOPBACK, Pki
from trio_argoagent.testing.redisfake import FakeRedis

from ..stream.faulty import Shape, make
from .hubsecrets import NAMESPACE, hub, put, secret

TIMEOUT = 60.0
H2, H1 = ("h2",), ("h2", "http/1.1")


@attrs.frozen
class Told:
    """What a program hears of its material."""

    events: list[Event] = attrs.field(factory=list)

    @property
    def names(self) -> list[str]:
        """Of the events."""
        return [event.name for event in self.events]

    def material(self) -> Material:
        """That tells it."""
        return Material(real_env(), self.events.append)


def serves(identity: Held[Identity], alpn: tuple[str, ...] = H1) -> Context:
    """A server's newest context."""

    def make() -> ssl.SSLContext:
        value = identity.value
        return server_context(
            certificate=value.certificate, key=value.key, client_ca=None, require_client=False, alpn=alpn
        )

    return renewed(make, identity)


@asynccontextmanager
async def serving(context: Context) -> AsyncIterator[int]:
    """The resource proxy with this context; its port."""
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_https, resourceproxy.answer, listeners, context)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def status(port: int, pki: Pki, alpn: str) -> int:
    """What it answers to a client that trusts this authority."""
    context = client_context(ca=pki.ca, certificate=None, key=None, alpn=(alpn,))
    with trio.fail_after(TIMEOUT):
        async with open_client(host=LOOPBACK, port=port, context=context) as client:
            return (await client.request("GET", "/api/v1/pods")).status


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
async def test_a_rotation_counts_for_new_connections(alpn: str) -> None:
    """A server shows what its Secret holds now; what cannot be used, or is not there, changes nothing."""
    old, new = Pki.create(real_env()), Pki.create(real_env())
    cluster, told = await hub(), Told()
    await put(cluster, "mine", old.server("proxy"))
    material = told.material()
    identity = await material.identity("a port", secret(cluster, "mine"), SERVERS)
    async with serving(serves(identity)) as port:
        assert await status(port, old, alpn) == 503
        await put(cluster, "mine", (b"no", b"pem"))
        await material.look()
        await material.look()
        assert await status(port, old, alpn) == 503
        await put(cluster, "mine", new.server("proxy"))
        await material.look()
        assert await status(port, new, alpn) == 503
        mistrusting = client_context(ca=old.ca, certificate=None, key=None, alpn=(alpn,))
        with pytest.raises(TlsFailed), trio.fail_after(TIMEOUT):
            await open_transport(trio.open_tcp_stream, LOOPBACK, port, mistrusting, LOOPBACK)
        await cluster.delete(SECRETS, NAMESPACE, "mine")
        await material.look()
        assert await status(port, new, alpn) == 503
    assert told.names == ["tls-refused", "tls-rotated", "tls-unreadable"]


async def test_a_rotated_authority_of_redis() -> None:
    """The next connection trusts the new one alone."""
    old, new = Pki.create(real_env()), Pki.create(real_env())
    cluster, material = await hub(), Told().material()
    await put(cluster, "argocd-redis-tls", (b"", b""), ca=old.ca)
    await put(cluster, "server", new.server("redis"))
    trust = await material.trust("Redis", secret(cluster, "argocd-redis-tls"))
    shown = await material.identity("a port", secret(cluster, "server"), SERVERS)
    trusting = renewed(lambda: client_context(ca=trust.value.pem, certificate=None, key=None, alpn=()), trust)
    redis, context = FakeRedis(), serves(shown, ())
    assert not isinstance(context, ssl.SSLContext)

    async def serve(stream: trio.SocketStream) -> None:
        tls = trio.SSLStream(stream, context(), server_side=True)
        try:
            await redis.serve(tls)
        except trio.BrokenResourceError:
            return  # The client does not trust it.

    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    server = over_tcp(LOOPBACK, listeners[0].socket.getsockname()[1], trusting)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        with trio.fail_after(TIMEOUT):
            with pytest.raises(TlsFailed):
                await server.connect()
            await put(cluster, "argocd-redis-tls", (b"", b""), ca=new.ca)
            await material.look()
            async with open_redis(server) as connection:
                await connection.set("a", b"1")
                assert await connection.get("a") == b"1"
        nursery.cancel_scope.cancel()


async def test_what_cannot_be_used_at_the_start() -> None:
    """A Secret that is not there, or lacks something: one line that names option, Secret and reason."""
    cluster, material = await hub(), Told().material()
    with pytest.raises(Unread, match="--mine: Secret argocd/mine is not there") as caught:
        await material.trust("links", secret(cluster, "mine"))
    assert caught.value.missing
    pki = Pki.create(real_env())
    await put(cluster, "half", (pki.ca, b""))
    with pytest.raises(UserError, match=r"--mine: there is no tls.key beside tls.crt of Secret argocd/half"):
        await material.identity("links", secret(cluster, "half"), SERVERS)
    await put(cluster, "leaf", pki.agent("east"))
    with pytest.raises(
        UserError, match=r"--mine: the certificate in tls.crt of Secret argocd/leaf is not a CA"
    ):
        await material.trust("links", secret(cluster, "leaf"))
    await put(cluster, "mixed", (pki.agent("east")[0], pki.agent("west")[1]))
    with pytest.raises(
        UserError, match=r"is not the key of the certificate in tls.crt of Secret argocd/mixed"
    ):
        await material.identity("links", secret(cluster, "mixed"), CLIENTS)


async def test_a_bundle_is_read_from_ca_crt_first() -> None:
    """All roots in it count; without it what is in tls.crt counts, as on the hub."""
    one, two, three = (Pki.create(real_env()) for _ in range(3))
    cluster, material = await hub(), Told().material()
    await put(cluster, "both", (three.ca, b"key"), ca=one.ca + two.ca)
    await put(cluster, "hub", (three.ca, b"key"))
    both = await material.trust("links", secret(cluster, "both"))
    alone = await material.trust("links", secret(cluster, "hub"))
    assert len(both.value.fingerprints) == 2
    assert set(alone.value.fingerprints).isdisjoint(both.value.fingerprints)
    assert both.value.holds(both.value.roots[1].anchor) and not alone.value.holds(both.value.roots[1].anchor)


async def test_what_is_worse_is_not_taken_and_told_once(autojump_clock: MockClock) -> None:
    """A certificate of another CA waits until that CA is trusted: then it is taken by itself."""
    ours, theirs = Pki.create(real_env()), Pki.create(real_env())
    cluster, told = await hub(), Told()
    await put(cluster, "ca", (b"", b""), ca=ours.ca)
    await put(cluster, "mine", ours.agent("east"))
    async with open_material(real_env(), told.events.append) as material:
        trust = await material.trust("links", secret(cluster, "ca"))
        identity = await material.identity("links", secret(cluster, "mine"), CLIENTS, trust)
        await put(cluster, "mine", theirs.agent("east"))
        await trio.sleep(20 * LOOK)
        assert (identity.version, told.names) == (0, ["tls-refused"])
        assert "argocd/mine has changed and is not taken: its CA has the name of" in told.events[0].text
        await put(cluster, "ca", (b"", b""), ca=ours.ca + theirs.ca)
        with trio.fail_after(LOOK + SETTLE):
            await identity.wait_newer(0)
    assert told.names == ["tls-refused", "tls-rotated", "tls-rotated"]


async def test_what_is_no_worse_than_before_is_taken() -> None:
    """Where agents trust another CA than the principal, the chain to ours says nothing."""
    ours, theirs, third = (Pki.create(real_env()) for _ in range(3))
    cluster, told = await hub(), Told()
    await put(cluster, "ca", (b"", b""), ca=ours.ca)
    await put(cluster, "mine", theirs.server("principal"))
    material = told.material()
    trust = await material.trust("links", secret(cluster, "ca"))
    identity = await material.identity("links", secret(cluster, "mine"), SERVERS, trust)
    await put(cluster, "mine", third.server("principal"))
    await material.look()
    assert (identity.version, told.names) == (1, ["tls-doubtful", "tls-rotated"])


def write(folder: Path, pem: tuple[bytes, bytes]) -> Files:
    """A certificate and its key as files."""
    for name, content in zip(("crt", "key"), pem, strict=True):
        (folder / name).write_bytes(content)
    return Files(
        {CERTIFICATE: ("--cert", str(folder / "crt")), KEY: ("--key", str(folder / "key"))},
    )


async def test_a_file_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for a while each time, by one thread in all, and not by those that others need."""
    os.mkfifo(tmp_path / "crt")
    files = Files({CERTIFICATE: ("--cert", str(tmp_path / "crt"))})
    monkeypatch.setattr(tlssources, "PATIENCE", 0.01)
    for _ in range(3):
        with pytest.raises(Unread, match="no answer"):
            await files.read()
        assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
    os.close(os.open(tmp_path / "crt", os.O_RDWR))  # It has hung long enough.


async def test_a_key_that_tls_cannot_sign_with() -> None:
    """OpenSSL loads it, and no handshake succeeds: told at the start, and never taken for a good one."""
    pki, cluster, told = Pki.create(real_env()), await hub(), Told()
    odd = make("odd", Shape(server=True), None, ec.generate_private_key(ec.SECP256K1()))
    await put(cluster, "odd", (odd.pem, odd.key_pem))
    await put(cluster, "mine", pki.server("principal"))
    material = told.material()
    await material.identity("links", secret(cluster, "odd"), SERVERS)
    assert "OpenSSL cannot use it: " in " ".join(event.text for event in told.events)
    told.events.clear()
    identity = await material.identity("links", secret(cluster, "mine"), SERVERS)
    await put(cluster, "mine", (odd.pem, odd.key_pem))
    await material.look()
    await material.look()
    assert (identity.version, told.names) == (0, ["tls-refused"])


async def test_a_bundle_with_comments() -> None:
    """In any language: what is between the certificates is nobody's business."""
    pki, cluster, material = Pki.create(real_env()), await hub(), Told().material()
    await put(cluster, "ca", (b"", b""), ca="# Schlüssel für März\n".encode() + pki.ca + b"# the end\n")
    trust = await material.trust("links", secret(cluster, "ca"))
    assert len(trust.value.roots) == 1
    client_context(ca=trust.value.pem, certificate=None, key=None, alpn=())


async def test_files_are_followed(tmp_path: Path) -> None:
    """A pair that is half written is bad at one look and good at the next: nobody hears of it."""
    pki, told = Pki.create(real_env()), Told()
    material = told.material()
    identity = await material.identity("links", write(tmp_path, pki.agent("east")), CLIENTS)
    certificate, key = pki.agent("east")
    (tmp_path / "crt").write_bytes(certificate)
    await material.look()
    assert (identity.version, identity.is_unsettled, told.names) == (0, True, [])
    (tmp_path / "key").write_bytes(key)
    await material.look()
    assert (identity.version, identity.is_unsettled, told.names) == (1, False, ["tls-rotated"])
    (tmp_path / "key").unlink()
    await material.look()
    assert (identity.version, told.names) == (1, ["tls-rotated", "tls-unreadable"])


async def test_a_rotation_writes_no_key_anywhere(tmp_path: Path) -> None:
    """Neither what is told nor what the values look like holds one."""
    pki, told = Pki.create(real_env()), Told()
    material = told.material()
    pair = pki.agent("east")
    identity = await material.identity("links", write(tmp_path, pair), CLIENTS)
    write(tmp_path, pki.agent("east"))
    await material.look()
    parts = await identity.source.read()
    secret_line = keys.key_pem(keys.load_key(parts[KEY].content)).splitlines()[1].decode()
    assert secret_line not in repr((told.events, identity.value, parts, material.statistics()))


async def test_what_is_in_use_can_be_counted() -> None:
    """Each certificate with what it is for and its last second."""
    pki, cluster, material = Pki.create(real_env()), await hub(), Told().material()
    await put(cluster, "ca", (b"", b""), ca=pki.ca)
    await put(cluster, "mine", pki.agent("east"))
    trust = await material.trust("links: the principal", secret(cluster, "ca"))
    identity = await material.identity("links", secret(cluster, "mine"), CLIENTS, trust)
    ca, leaf = material.statistics()
    assert (ca.use, ca.fingerprint) == ("links: the principal", trust.value.fingerprints[0])
    assert (leaf.use, leaf.subject, leaf.not_after) == ("links", "CN=east", identity.value.not_after)
    assert ca.not_after > leaf.not_after > 0


async def test_an_api_server_that_is_away_is_waited_for(autojump_clock: MockClock) -> None:
    """At the start: what cannot be read now is read later; nobody has to start the program again."""
    cluster, told, pki = await hub(), Told(), Pki.create(real_env())
    await put(cluster, "ca", (b"", b""), ca=pki.ca)
    there = secret(cluster, "ca")

    @attrs.define
    class Away:
        where: str = "Secret argocd/ca"
        asked: int = 0

        async def read(self) -> object:
            self.asked += 1
            if self.asked < 4:
                raise Unread("--ca: Secret argocd/ca cannot be read: no answer")
            return await there.read()

    away = Away()
    trust = await told.material().trust("links", away)  # type: ignore[arg-type]
    assert (away.asked, told.names) == (4, ["tls-unreadable"])
    assert trust.value.fingerprints
    assert CA in await there.read()


async def test_what_lies_beside_a_bundle() -> None:
    """An annotation is read with it, and is news for whoever asks; nothing else is: no link moves for it."""
    pki, cluster, told = Pki.create(real_env()), await hub(), Told()
    await put(cluster, "ca", (pki.ca, b"the key"), ca=pki.ca)
    material = told.material()
    trust = await material.trust("links", attrs.evolve(secret(cluster, "ca"), notes=("phase",)))
    assert set(trust.parts) == {CA, CERTIFICATE}
    changed = trust.changed
    value = {"metadata": {"annotations": {"phase": "drop", "other": "x"}}}
    await cluster.patch(SECRETS, NAMESPACE, "ca", MergePatch(value))
    await material.look()
    assert changed.is_set() and trust.parts["phase"].content == b"drop"
    await put(cluster, "ca", (pki.ca, b"another key"), ca=pki.ca)
    await material.look()
    assert (trust.version, told.names) == (0, [])
