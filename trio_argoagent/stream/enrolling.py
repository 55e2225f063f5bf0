"""The routes of enrolment on the principal's port: bytes in, bytes out. Who gets what is decided elsewhere.

They are open to whoever has got through the TLS handshake, with a client certificate or without, over HTTP/2
or HTTP/1.1. So the body is bounded in size and time before anything is read from it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import trio

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.http import Exchange, Handler
from trio_argoagent.stream.admission import Shown
from trio_argoagent.stream.link import CONTENT_TYPE
from trio_argoagent.stream.protocol.enrolment import (
    MAX_REQUEST,
    PATH,
    ROOTS_PATH,
    Answer,
    Enrol,
    decode_request,
    encode,
)

REQUEST_TIMEOUT: Final = 10.0
"""Seconds for the request to arrive."""
_PEM: Final = ("content-type", "application/pem-certificate-chain")

Enrolling = Callable[[Enrol, Shown], Awaitable[Answer]]
"""Who gets a certificate; it answers everybody and raises nothing that is the peer's fault."""
Roots = Callable[[], Awaitable[bytes]]
"""The roots in PEM; empty: there are none to be had here."""


def enrolment_routes(enrol: Enrolling, roots: Roots) -> Mapping[tuple[str, str], Handler]:
    """What ``Http2Listener`` takes as ``routes``."""

    async def post(exchange: Exchange) -> None:
        with trio.move_on_after(REQUEST_TIMEOUT) as scope:
            body = await exchange.body(MAX_REQUEST)
        if scope.cancelled_caught:
            raise RemoteProtocolError(f"no whole request within {REQUEST_TIMEOUT:g} s")
        asked, request = decode_request(body), exchange.request
        shown = Shown(
            request.peer_certificate, request.headers, request.peer_address, request.peer_standing
        )
        await exchange.respond(200, [CONTENT_TYPE], encode(await enrol(asked, shown)))

    async def get(exchange: Exchange) -> None:
        pem = await roots()
        await exchange.respond(200 if pem else 404, [_PEM], pem)

    return {("POST", PATH): post, ("GET", ROOTS_PATH): get}
