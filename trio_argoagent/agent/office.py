"""The agent's side of ``POST /v1/enroll``: the hub's office, asked over a connection of its own each time."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Protocol, TypeVar

import attrs
import trio

from trio_argoagent.agent.keeping import Kept
from trio_argoagent.errors import LinkBroken, LinkError, LinkRefused, RemoteProtocolError, UserError
from trio_argoagent.net.address import format_address
from trio_argoagent.net.certificates import CLIENTS, Facts, all_facts, pem_blocks
from trio_argoagent.net.client import Connect, HttpClient, Response, open_client
from trio_argoagent.net.contexts import OPENSSL, TlsSettings, client_context
from trio_argoagent.net.errors import ConnectionBroken, TlsFailed
from trio_argoagent.net.refusals import Ours
from trio_argoagent.stream.explain import answered, explain
from trio_argoagent.stream.link import CONTENT_TYPE
from trio_argoagent.stream.protocol.enrolment import (
    PATH,
    ROOTS_PATH,
    Answer,
    Denial,
    Denied,
    Enrol,
    decode_answer,
    encode,
)
from trio_argoagent.stream.protocol.messages import Reason

TIMEOUT: Final = 30.0
"""Seconds for one request, connection and all."""
OLD_PRINCIPAL: Final = "it does not know how to issue certificates: an old principal, or none"
T = TypeVar("T")


class Expired(LinkRefused):
    """The hub takes our certificate no more, whatever our own clock says."""


class Office(Protocol):
    """Where certificates are had."""

    async def roots(self) -> bytes:
        """The hub's roots in PEM, from whoever answers there: nothing of it is trusted yet.

        Raises:
            LinkError: nobody has said them.
        """

    async def ask(self, message: Enrol, kept: Kept, *, anonymous: bool) -> Answer:
        """Ask for a certificate.

        Args:
            message: the request.
            kept: whom we trust, and what we show.
            anonymous: do not show it.

        Raises:
            Expired: it was refused because it has expired.
            LinkError: there was no answer.
        """

    async def try_out(self, kept: Kept) -> None:
        """Have a connection with that.

        Raises:
            LinkError: there is none.
        """


@attrs.frozen
class TlsOffice:
    """``Office`` over TLS, at the principal's port.

    Attributes:
        host: name or address.
        port: TCP.
        now: wall time, for the words about a handshake that has failed.
        connect: makes the byte stream: through a proxy, for example.
        verify: False with ``--insecure-tls``: whoever answers is believed.
        settings: of TLS itself.
        websocket: may something in between speak HTTP/1.1 alone, as for links?
    """

    host: str
    port: int
    now: Callable[[], float]
    connect: Connect = trio.open_tcp_stream
    verify: bool = True
    settings: TlsSettings = OPENSSL
    websocket: bool = False

    async def roots(self) -> bytes:
        """See ``Office``."""
        nobody = attrs.evolve(self, verify=False)
        found = await nobody._use(Kept(), lambda http: http.request("GET", ROOTS_PATH))
        if found.status == 404:
            raise LinkRefused(Reason.OTHER, f"{self._where}: {OLD_PRINCIPAL}, or does not issue any")
        return self._good(found).body

    async def ask(self, message: Enrol, kept: Kept, *, anonymous: bool) -> Answer:
        """See ``Office``."""
        shown = attrs.evolve(kept, certificate=b"", key=b"") if anonymous else kept
        body = encode(message)
        found = await self._use(shown, lambda http: http.request("POST", PATH, [CONTENT_TYPE], body))
        if found.status == 404:
            return Denied(Denial.NOT_ISSUING, OLD_PRINCIPAL, 86_400.0)
        try:
            return decode_answer(self._good(found).body)
        except RemoteProtocolError as exc:
            raise LinkBroken(f"{self._where}: {exc}") from exc

    async def try_out(self, kept: Kept) -> None:
        """See ``Office``: a client's handshake succeeds before it is judged, an answer comes after that."""
        await self._use(kept, lambda http: http.request("GET", ROOTS_PATH))

    @property
    def _where(self) -> str:
        return format_address(self.host, self.port)

    def _good(self, found: Response) -> Response:
        if found.status != 200:
            text = found.body[:512].decode("utf-8", "replace")
            raise answered(found.status, text, 0.0, where=self._where)
        return found

    async def _use(self, kept: Kept, what: Callable[[HttpClient], Awaitable[T]]) -> T:
        context = self._context(kept)
        done: list[T] = []
        failure: Exception | None = None
        with trio.move_on_after(TIMEOUT):
            async with open_client(
                host=self.host, port=self.port, context=context, connect=self.connect
            ) as http:
                try:
                    done.append(await what(http))
                except ConnectionBroken as exc:
                    failure = exc  # Kept out of the client's nursery, which would wrap it in a group.
        if done:
            return done[0]
        if failure is None:
            raise LinkBroken(f"{self._where}: no answer within {TIMEOUT:g} s")
        raise self._explained(failure, kept) from failure

    def _context(self, kept: Kept) -> ssl.SSLContext:
        try:
            return client_context(
                ca=kept.roots or None,
                certificate=kept.certificate or None,
                key=kept.key or None,
                alpn=("h2", "http/1.1") if self.websocket else ("h2",),
                verify=self.verify,
                minimum=ssl.TLSVersion.TLSv1_3,
                settings=self.settings,
            )
        except UserError as exc:
            raise LinkRefused(Reason.IDENTITY, str(exc)) from exc

    def _explained(self, exc: Exception, kept: Kept) -> LinkError:
        chain, roots = _certificates(kept.certificate), _certificates(kept.roots)
        ours = Ours(self.now, CLIENTS, lambda: chain, lambda: roots)
        error = explain(exc, host=self.host, where=self._where, ours=ours)
        alerts = [each.reason for each in _causes(exc) if isinstance(each, TlsFailed)]
        if isinstance(error, LinkRefused) and any("ALERT_CERTIFICATE_EXPIRED" in each for each in alerts):
            return Expired(error.reason, error.detail)
        return error


def _certificates(pem: bytes) -> tuple[Facts, ...]:
    try:
        return all_facts(pem_blocks(pem))
    except ValueError:
        return ()


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__


