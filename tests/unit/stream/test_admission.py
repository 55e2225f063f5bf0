"""Who comes in, and that a connection has one owner."""

import math
from collections.abc import Callable

import attrs
import pytest
import trio
from cryptography import x509

from trio_argoagent.errors import LinkError, LinkRefused
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.certificates import Standing, pem_blocks, standing
from trio_argoagent.net.client import open_client
from trio_argoagent.net.http import Exchange
from trio_argoagent.pki.authority import BACKDATE
from trio_argoagent.ports.transport import Dialer, Link
from trio_argoagent.stream.admission import Admission, Refusal, Shown
from trio_argoagent.stream.link import LINK_PATH, TUNNEL_PATH, Http2Link

from .loopback import ADMISSION, Hub, agent_tls, client_pem, open_hub, principal_tls

BANNED = Refusal(403, "a1 is banned for now", 7.0)


def by_header(shown: Shown) -> Peer | Refusal:
    """Whoever says a name has it, else the certificate counts."""
    said = dict(shown.headers).get("x-agent", "")
    return Peer(said) if said else ADMISSION.identify(shown)


@pytest.mark.parametrize("dial", [Hub.dialer, Hub.web_dialer])
async def test_the_gate_is_asked_for_whoever_has_a_name(dial: Callable[[Hub], Dialer]) -> None:
    """Its line reaches whoever was refused, on every kind of link."""
    asked: list[Peer] = []

    def gate(peer: Peer) -> Refusal | None:
        asked.append(peer)
        return BANNED

    async with open_hub(websocket=True, admission=Admission(ADMISSION.identify, gate)) as hub:
        with pytest.raises(LinkRefused, match="a1 is banned for now") as caught:
            async with dial(hub).dial():
                raise AssertionError("it was let in")
    assert caught.value.retry_after == 7.0
    assert [peer.name for peer in asked] == ["a1"]
    assert asked[0].address.startswith("127.0.0.1:")


async def test_nobody_without_a_certificate() -> None:
    """The handshake may allow it; a link does not."""
    async with open_hub(context=principal_tls(require_client=False)) as hub:
        with pytest.raises(LinkRefused, match="a link needs a client certificate"):
            async with hub.dialer(agent_tls(anonymous=True)).dial():
                raise AssertionError("it was let in")


@pytest.mark.parametrize("path", [LINK_PATH, TUNNEL_PATH + 32 * "0"])
async def test_a_connection_has_one_owner(path: str) -> None:
    """A request on it that names somebody else is refused, and it ends."""
    async with open_hub(admission=Admission(by_header)) as hub:
        with pytest.raises(LinkError, match="ended the connection"):
            async with hub.dialer().dial() as link:
                assert isinstance(link, Http2Link)
                other = await link._connection.open_stream("POST", path, [("x-agent", "a2")])
                with trio.fail_after(60):
                    assert (await other.response())[0] == 421
                    await link.receive()
        assert [error for error in hub.errors if "two agents" in str(error)]


async def test_the_owner_stays_when_its_link_has_ended() -> None:
    """Else whoever shares the connection would only have to wait."""

    async def brief(link: Link) -> None:
        return

    async with open_hub(brief, admission=Admission(by_header)) as hub:
        async with open_client(host="127.0.0.1", port=hub.port, context=agent_tls()) as client:
            first = await client.request("POST", LINK_PATH)
            assert first.status == 200
            second = await client.request("POST", LINK_PATH, [("x-agent", "a2")])
            assert second.status == 421 and b"another agent" in second.body


async def test_other_routes_take_whoever_has_got_through_the_handshake() -> None:
    """They see the certificate, or that there is none, and where it comes from; by HTTP/1.1 as well."""
    seen: list[tuple[bool, str]] = []

    async def enroll(exchange: Exchange) -> None:
        request = exchange.request
        seen.append((request.peer_certificate is None, request.peer_address.partition(":")[0]))
        await exchange.respond(200, body=await exchange.body())

    routes = {("POST", "/v1/enroll"): enroll}
    for alpn, websocket in ((("h2",), False), (("http/1.1",), False), (("http/1.1",), True)):
        context = principal_tls(require_client=False, alpn=alpn)
        async with open_hub(context=context, routes=routes, websocket=websocket) as hub:
            tls = agent_tls(anonymous=True, alpn=alpn)
            async with open_client(host="127.0.0.1", port=hub.port, context=tls) as client:
                assert (await client.request("POST", "/v1/enroll", body=b"please")).body == b"please"
                assert (await client.request("GET", "/v1/enroll")).status == 404
    assert seen == [(True, "127.0.0.1")] * 3


def test_a_cas_own_certificate_is_no_agents() -> None:
    """And how long another one counts goes with whoever has shown it."""
    shown = Shown(pem_blocks(client_pem())[0], standing=lambda: Standing(5.0, "A", is_ca=True))
    refusal = ADMISSION.admit(shown)
    assert isinstance(refusal, Refusal) and (refusal.status, "a CA's own" in refusal.text) == (403, True)
    leaf = pem_blocks(client_pem())[0]
    made = x509.load_der_x509_certificate(leaf).not_valid_before_utc.timestamp() + BACKDATE
    peer = ADMISSION.admit(attrs.evolve(shown, standing=lambda: standing((leaf,))))
    assert isinstance(peer, Peer) and peer.issued == made
    # Who is named by a header shows no certificate of his own.
    by_proxy = attrs.evolve(shown, headers=(("x-agent", "a1"),), standing=lambda: standing((leaf,)))
    peer = Admission(by_header).admit(by_proxy)
    assert isinstance(peer, Peer) and peer.issued == -math.inf
    peer = ADMISSION.admit(attrs.evolve(shown, standing=lambda: Standing(5.0, "A")))
    assert isinstance(peer, Peer) and (peer.name, peer.expires, peer.anchor) == ("a1", 5.0, "A")
