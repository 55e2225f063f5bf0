"""Each fault of a certificate has a sentence of its own, at both ends: real certificates, real handshakes."""

from __future__ import annotations

import ssl

import attrs
import pytest
import trio
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.errors import LinkRefused
from trio_argoagent.model.identity import Peer
from trio_argoagent.model.rulings import Ruling
from trio_argoagent.net.certificates import CLIENTS, SERVERS, all_facts, pem_blocks
from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.net.refusals import Ours, rejected
from trio_argoagent.ports.transport import Link
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.strangers import Strangers
from trio_argoagent.runtime.world import real_env
from trio_argoagent.stream.protocol.messages import Reason

from .faulty import Made, faulty, root, sound, weak_root
from .loopback import open_hub

TIMEOUT = 60.0


@attrs.frozen
class Heard:
    """What both sides said.

    Attributes:
        agent: the refusal that dialling ended in.
        principal: what the principal told of whoever dialled.
        rulings: what its auditor was told.
    """

    agent: str
    principal: list[str]
    rulings: list[Ruling]


def ours(made: Made, purpose: str, trusted: Made) -> Ours:
    """What a side with this certificate knows."""
    shown, roots = all_facts(pem_blocks(made.pem)), all_facts(pem_blocks(trusted.pem))
    return Ours(real_env().now, purpose, lambda: shown, lambda: roots)


async def meet(
    server: Made, client: Made, trusted: Made, by_agent: Made | None = None, *, passes: bool = False
) -> Heard:
    """One dials the other.

    Args:
        server: the principal's.
        client: the agent's.
        trusted: what the principal trusts.
        by_agent: what the agent trusts; None: the same.
        passes: does TLS, so that the refusal comes after it?
    """
    believed = by_agent or trusted
    told, rulings = list[Event](), list[Ruling]()
    listening = server_context(
        certificate=server.pem,
        key=server.key_pem,
        client_ca=trusted.pem,
        require_client=False,
        alpn=("h2",),
        minimum=ssl.TLSVersion.TLSv1_3,
    )
    dialling = client_context(ca=believed.pem, certificate=client.pem, key=client.key_pem, alpn=("h2",))
    strangers = Strangers(told.append, rulings.append, ours(server, SERVERS, trusted))
    async with open_hub(context=listening) as hub:
        where = f"127.0.0.1:{hub.port}: "
        with pytest.raises(LinkRefused) as caught:
            async with hub.dialer(dialling, ours=ours(client, CLIENTS, believed)).dial():
                raise AssertionError("there is a link")
        with trio.fail_after(TIMEOUT):
            if not passes:
                await hub.errors.some.wait()
    for error in hub.errors:
        strangers(error)
    assert caught.value.reason is Reason.IDENTITY
    assert caught.value.detail.startswith(where)
    heard = Heard(caught.value.detail.removeprefix(where), [event.text for event in told], rulings)
    assert all(line.isprintable() for line in (heard.agent, *heard.principal))
    return heard


AGENTS: dict[str, tuple[str, str]] = {
    "expired": (
        "(certificate expired): it expired at 20",
        ": it expired at 20",
    ),
    "not yet valid": (
        "(bad certificate): it is valid from 20",
        " UTC here: compare the clocks",
    ),
    "for something else": (
        "(unsupported certificate): it is one for servers, not for clients",
        ": it is one for servers, not for clients: its extended key usage must have clientAuth; issue",
    ),
    "another CA": (
        "(unknown ca): it was issued by CN=other, and here is trusted: CN=hub",
        ": it was issued by CN=other, and here is trusted: CN=hub; that is another CA, or an intermediate",
    ),
    "another CA that is shown": (
        "(unknown ca): it comes from the CA CN=other, and here is trusted: CN=hub",
        ": it comes from the CA CN=other, and here is trusted: CN=hub; agents need certificates of the CA in",
    ),
    "a CA made anew": (
        "(unknown ca): it was issued by CN=hub, which is not trusted there, or not under that key",
        ": its CA has the name of the one trusted here (CN=hub) but another key: one of them was made anew",
    ),
    "intermediate missing": (
        "(unknown ca): it was issued by CN=middle, and here is trusted: CN=hub; that is another CA",
        ": it was issued by CN=middle, and here is trusted: CN=hub; that is another CA, or an intermediate",
    ),
    "signed by itself": (
        "(unknown ca): it is signed by itself and by no CA",
        ": it is signed by itself and by no CA; agents need certificates of the CA in --root-ca-path",
    ),
    "chain too long": (
        "(unknown ca): it was issued by CN=deep, which is not trusted there, or not under that key",
        ": its chain is too long: its CA allows fewer than the 2 intermediate certificates between; issue",
    ),
    "expired intermediate": (
        "(certificate expired): the certificate of its CA CN=middle expired at 20",
        ": the certificate of its CA CN=middle expired at 20",
    ),
}
"""What is wrong with an agent's certificate: what the agent says (after an alert), and the principal."""


@pytest.mark.parametrize("fault", AGENTS)
async def test_an_agents_certificate(fault: str) -> None:
    """The principal names the certificate; the agent knows the alert, and its own certificate."""
    agent, principal = AGENTS[fault]
    client = faulty(fault, server=False)
    heard = await meet(sound(server=True), client, root())
    assert heard.agent.startswith(f"the principal does not accept our client certificate {agent}")
    (line,), (ruling,) = heard.principal, heard.rulings
    fingerprint = all_facts(pem_blocks(client.pem))[0].fingerprint
    assert f"was not let in: its certificate CN=a1 (SHA-256 {fingerprint}): " in line
    assert principal in line
    assert (ruling.asked, ruling.fingerprint) == ("connection with a certificate of CN=a1", fingerprint)


async def test_a_ca_that_is_too_weak() -> None:
    """The alert is that of a certificate that is not valid yet: the agent says what it can see of both."""
    heard = await meet(sound(server=True), faulty("weak CA", server=False), weak_root(), root())
    assert "our client certificate (bad certificate): it is good from 20" in heard.agent
    assert "or that of its CA is too weak there" in heard.agent
    assert "its CA CN=weak has a key or a signature that is too weak (RSA 1024)" in heard.principal[0]


async def test_an_agent_with_a_cas_own_certificate() -> None:
    """OpenSSL lets it pass; the principal does not."""
    heard = await meet(sound(server=True), faulty("a CA's own", server=False), root(), passes=True)
    assert heard.agent == "your certificate is a CA's own: have that CA issue one for the agent"


async def test_an_agent_with_a_cas_own_certificate_over_a_websocket() -> None:
    """What counts of a certificate counts over either protocol: whose it is, its CA and its end."""
    own, good = faulty("a CA's own", server=False), sound(server=False)
    listening = server_context(
        certificate=sound(server=True).pem,
        key=sound(server=True).key_pem,
        client_ca=root().pem,
        require_client=False,
        alpn=("h2", "http/1.1"),
    )
    peers: list[Peer] = []

    async def handler(link: Link) -> None:
        peers.append(link.peer)  # Then closed on this side, which the agent waits for.

    def dialling(made: Made, alpn: str) -> ssl.SSLContext:
        return client_context(ca=root().pem, certificate=made.pem, key=made.key_pem, alpn=(alpn,))

    async with open_hub(handler, listening, websocket=True) as hub:
        with pytest.raises(LinkRefused, match="a CA's own"):
            async with hub.web_dialer(dialling(own, "http/1.1")).dial():
                raise AssertionError("there is a link")
        for dialer in (hub.dialer(dialling(good, "h2")), hub.web_dialer(dialling(good, "http/1.1"))):
            async with dialer.dial() as link:
                assert not await link.receive()
    (facts,), (anchor,) = all_facts(pem_blocks(good.pem)), all_facts(pem_blocks(root().pem))
    first = min(facts.not_after, anchor.not_after)  # The root may be older by a second.
    assert [(each.expires, each.anchor) for each in peers] == [(first, anchor.anchor)] * 2


async def test_a_certificate_that_cannot_be_read() -> None:
    """Whoever can reach the port can show one: it is a refusal like any other, and the port stays open."""
    made, told = faulty("signed by itself", server=False), list[Event]()
    der = made.certificate.public_bytes(Encoding.DER)
    version = der.index(bytes.fromhex("a003020102")) + 4  # X.509 version 6.
    odd = ssl.DER_cert_to_PEM_cert(der[:version] + b"\x05" + der[version + 1 :]).encode()
    listening = server_context(
        certificate=sound(server=True).pem,
        key=sound(server=True).key_pem,
        client_ca=root().pem,
        require_client=False,
        alpn=("h2",),
    )
    dialling = client_context(ca=root().pem, certificate=odd, key=made.key_pem, alpn=("h2",))
    strangers = Strangers(told.append, ours=ours(sound(server=True), SERVERS, root()))
    async with open_hub(context=listening) as hub:
        with pytest.raises(LinkRefused):
            async with hub.dialer(dialling).dial():
                raise AssertionError("there is a link")
        with trio.fail_after(TIMEOUT):
            await hub.errors.some.wait()
    strangers(hub.errors[0])
    assert "somebody who dialled was not let in: its certificate" in told[0].text


PRINCIPALS: dict[str, tuple[str, str]] = {
    "expired": ("it expired at 20", "(certificate expired): it expired at 20"),
    "not yet valid": ("it is valid from 20", "(bad certificate): it is valid from 20"),
    "for something else": (
        "it is one for clients, not for servers: its extended key usage must have serverAuth: issue it again",
        "(unsupported certificate): it is one for clients, not for servers",
    ),
    "another CA": (
        "it was issued by CN=other, and here is trusted: CN=hub; that is another CA, or an intermediate",
        "(unknown ca): it was issued by CN=other, and here is trusted: CN=hub",
    ),
    "another CA that is shown": (
        "it comes from the CA CN=other, and here is trusted: CN=hub: give the agent the CA of the hub",
        "(unknown ca): it comes from the CA CN=other",
    ),
    "a CA made anew": (
        "its CA has the name of the one trusted here (CN=hub) but another key: one of them was made anew",
        "(unknown ca): it was issued by CN=hub, which is not trusted there, or not under that key",
    ),
    "intermediate missing": (
        "it was issued by CN=middle, and here is trusted: CN=hub",
        "(unknown ca): it was issued by CN=middle, and here is trusted: CN=hub",
    ),
    "signed by itself": (
        "it is signed by itself and by no CA: have it issued by the CA of the hub",
        "(unknown ca): it is signed by itself and by no CA",
    ),
    "chain too long": (
        "its chain is too long: its CA allows fewer than the 2 intermediate certificates between",
        "(unknown ca): it was issued by CN=deep, which is not trusted there",
    ),
    "another name": (
        "it is for hub.example, not for 127.0.0.1: issue it for that name or address",
        "(bad certificate): it is good from 20",
    ),
    "odd names": (
        "it is for *.example, not for 127.0.0.1: issue it for that name or address",
        "(bad certificate): it is good from 20",
    ),
}
"""What is wrong with the principal's certificate: what the agent says, and the principal (after an alert)."""


@pytest.mark.parametrize("fault", PRINCIPALS)
async def test_the_principals_certificate(fault: str) -> None:
    """The other way round."""
    agent, principal = PRINCIPALS[fault]
    heard = await meet(faulty(fault, server=True), sound(server=False), root())
    assert heard.agent.startswith(f"the principal's certificate is not accepted: {agent}")
    (line,) = heard.principal
    assert f"was not let in: it does not accept our certificate {principal}" in line


@pytest.mark.parametrize("server", [False, True], ids=["agent", "principal"])
async def test_clocks_that_differ(server: bool) -> None:
    """Nothing is wrong here, but the peer finds it not valid yet: both times, and what to compare."""
    made = sound(server=server)
    shown = all_facts(pem_blocks(made.pem))
    slow = Ours(lambda: shown[0].not_before + 60.0, SERVERS if server else CLIENTS, lambda: shown)
    text = rejected("BAD_CERTIFICATE", slow)
    assert text.startswith("it is good from 20") and "UTC here: compare clocks; else its key (ECDSA" in text
    text = rejected("CERTIFICATE_EXPIRED", slow)
    assert text.startswith("it is good until 20") and "UTC here: compare the clocks" in text
