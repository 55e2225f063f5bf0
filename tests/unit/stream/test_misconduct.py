"""Who breaks the rules of a connection is told of by what he has proven; who is banned learns how long."""

from __future__ import annotations

from contextlib import suppress

import attrs
import pytest
import trio

from trio_argoagent.errors import LinkRefused
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.client import open_client
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Exchange
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream.admission import Admission, Refusal
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.protocol.reasons import Reason

from .loopback import ADMISSION, BOTH, agent_tls, open_hub, principal_tls

PATIENCE = 30.0
BANNED = Refusal(429, "you have broken the protocol too often", 17.0)


@attrs.define
class Strikes:
    """Who was told of, and how to wait for it."""

    seen: list[tuple[Peer, str]] = attrs.field(factory=list)
    changed: trio.Event = attrs.field(factory=trio.Event)

    def __call__(self, peer: Peer, why: str) -> None:
        """See ``stream.admission.Strike``."""
        self.seen.append((peer, why))
        self.changed.set()


class Reaching(Http2Dialer):
    """Goes no further than TLS."""

    protocols = BOTH


async def rave(port: int, *, anonymous: bool, alpn: str) -> None:
    """Connect, and say what is no protocol at all, until nobody listens any more."""
    tls = await Reaching("127.0.0.1", port, agent_tls(anonymous=anonymous, alpn=(alpn,))).reach()
    with suppress(ConnectionBroken, trio.BrokenResourceError):
        await tls.send_all(b"\0rave on\r\n" * 50)
        while await tls.receive_some():
            pass
    await trio.aclose_forcefully(tls)


@pytest.mark.parametrize("alpn", BOTH)
@pytest.mark.parametrize("anonymous", [False, True], ids=["agent", "stranger"])
async def test_it_counts_against_whoever_it_is(alpn: str, anonymous: bool) -> None:
    """An agent by name and certificate; anybody else by his address."""
    strikes = Strikes()
    context = principal_tls(require_client=False, alpn=BOTH) if anonymous else None
    admission = Admission(ADMISSION.identify, strike=strikes)
    async with open_hub(context=context, websocket=True, admission=admission) as hub:
        with trio.fail_after(PATIENCE):
            await rave(hub.port, anonymous=anonymous, alpn=alpn)
            await strikes.changed.wait()
    ((who, why),) = strikes.seen
    assert why
    assert who.address.startswith("127.0.0.1:")
    assert (who.name, bool(who.fingerprint)) == (("", False) if anonymous else ("a1", True))


async def test_what_breaks_by_itself_does_not_count() -> None:
    """A connection that is cut, in the handshake, before its request or amid its link."""
    strikes = Strikes()

    async def hold(link: Link) -> None:
        await link.receive()

    async with open_hub(hold, admission=Admission(ADMISSION.identify, strike=strikes)) as hub:
        (await trio.open_tcp_stream("127.0.0.1", hub.port)).socket.close()
        await trio.aclose_forcefully(await Reaching("127.0.0.1", hub.port, agent_tls()).reach())
        async with hub.dialer().dial():
            pass
        with trio.move_on_after(0.2):
            await strikes.changed.wait()
    assert strikes.seen == []


async def test_a_banned_stranger_may_not_even_ask() -> None:
    """Neither for a link nor at the other routes; whoever shows a certificate is somebody else."""
    asked: list[str] = []

    async def route(exchange: Exchange) -> None:
        asked.append(exchange.request.path)
        await exchange.respond(200, [], b"welcome")

    admission = Admission(ADMISSION.identify, lambda peer: None if peer.name else BANNED)
    context = principal_tls(require_client=False)
    async with open_hub(context=context, admission=admission, routes={("POST", "/here"): route}) as hub:
        nobody = agent_tls(anonymous=True)
        async with open_client(host="127.0.0.1", port=hub.port, context=nobody) as client:
            answer = await client.request("POST", "/here")
            assert answer.status == 429
            assert dict(answer.headers)["retry-after"] == "17"
        async with open_client(host="127.0.0.1", port=hub.port, context=agent_tls()) as client:
            assert (await client.request("POST", "/here")).status == 200
        with pytest.raises(LinkRefused, match="too often") as caught:
            async with hub.dialer(nobody).dial():
                raise AssertionError
        async with hub.dialer().dial():
            pass
    assert asked == ["/here"]
    assert (caught.value.reason, caught.value.retry_after) == (Reason.BANNED, 17.0)
