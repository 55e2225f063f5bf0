"""TLS over any byte stream, one pass of the scheduler per read instead of one per record.

``trio.SSLStream`` returns one record (16 KiB at most) per receive, takes two locks each time, and sends no
alert when a handshake fails, so the peer of a refused certificate sees a bare end of file. This stream drains
all the records that have arrived, has no locks because exactly one task receives and one sends, and sends the
alert. There is no renegotiation in TLS 1.3 and we never ask for it in 1.2; what reading makes OpenSSL want to
say (an answer to a key update) leaves with the next send, in order.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final

import trio

from trio_argoagent.net.address import format_address
from trio_argoagent.net.certificates import Standing, seen_chain, standing
from trio_argoagent.net.contexts import client_context, common_name, fingerprint, server_context
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.peeked import Peeked
from trio_argoagent.net.sockets import Direct, port

__all__ = [
    "TlsStream",
    "client_context",
    "close_socket",
    "common_name",
    "fingerprint",
    "peer_address",
    "server_context",
]

RECORD: Final = 16 * 1024
"""Bytes of plain text in one record, the most that one read of OpenSSL returns."""
READ: Final = 4 * (RECORD + 22)
"""Bytes asked of the transport at once: four full records of TLS 1.3, so that bulk comes in whole ones."""
SLICE: Final = 256 * 1024
"""Bytes encrypted before they are sent: bounds what a large send keeps twice."""


class TlsStream(trio.abc.Stream):
    """One TLS connection. One task may send and one may receive; ``do_handshake`` comes before both.

    Args:
        transport: what carries the records; owned from now on.
        context: identity and trust.
        server_side: who answers.
        server_hostname: what the server's certificate must be for (client only).

    Attributes:
        transport: what carries the records.
        bytes_sent: as the transport counts them.
        bytes_received: as the transport counts them.
    """

    def __init__(
        self,
        transport: trio.abc.Stream,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        self.transport = transport
        self._port = port(transport)
        self._direct = self._port if isinstance(self._port, Direct) else None
        self.bytes_sent = 0
        self.bytes_received = 0
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._left = b""
        self._tls = context.wrap_bio(self._in, self._out, server_side, server_hostname)
        self._ended = False
        self._failure: ssl.SSLError | None = None
        self._said_goodbye = False
        self._standing: Standing | None = None

    @property
    def peer_certificate(self) -> bytes | None:
        """The peer's verified certificate (DER), if it has shown one."""
        return self._tls.getpeercert(binary_form=True)

    def standing(self) -> Standing:
        """How long the peer's verified certificate counts; looked at once, when somebody asks."""
        if self._standing is None:
            chain = seen_chain(self._tls) if self.peer_certificate is not None else ()
            self._standing = standing(chain)
        return self._standing

    @property
    def alpn(self) -> str | None:
        """The protocol that was agreed on."""
        return self._tls.selected_alpn_protocol()

    async def do_handshake(self, steps: trio.CapacityLimiter | None = None) -> None:
        """Agree on keys. With TLS 1.3 a client learns only from its first read whether it is accepted.

        Args:
            steps: limits what is computed in one pass of the scheduler, see ``net.admission``.

        Raises:
            TlsFailed: no agreement; the peer has been told why.
            trio.BrokenResourceError: the transport is gone.
        """
        if self._tls.server_side:
            await self._fill()
        while True:
            failure: ssl.SSLError | None = None
            done = False
            try:
                done = await self._step(steps)
            except ssl.SSLError as exc:
                failure = exc
            if failure is not None:
                await self._say_why()
                raise _failed(failure, sent=False, chain=self._refused(failure)) from failure
            await self._flush()
            if done:
                return
            await self._fill()

    async def _step(self, steps: trio.CapacityLimiter | None) -> bool:
        """One step of the handshake; was it the last?"""
        if steps is not None:
            async with steps:
                # Held from here to the next pass: so many in one pass, and no more.
                await trio.lowlevel.checkpoint()
                return self._agree()
        return self._agree()

    def _agree(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes. When it is cancelled the connection cannot be used any more.

        Raises:
            trio.BrokenResourceError: the transport is gone.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        view = memoryview(data)
        for start in range(0, len(view) or 1, SLICE):
            self._encrypt(view[start : start + SLICE])
            await self._flush()

    @property
    def is_direct(self) -> bool:
        """Whether there is ``send_now``: it stands on a socket."""
        return self._direct is not None

    def send_now(self, data: bytes | bytearray) -> bool:
        """Send what the kernel takes without a wait: was it all? With the rest the next ``send_all`` begins.

        It is not for while something is left, nor while somebody else sends.

        Raises:
            trio.BrokenResourceError: the transport is gone.
            trio.ClosedResourceError: it was closed here.
        """
        assert self._direct is not None
        self._encrypt(memoryview(data))
        records = self._out.read()
        sent = self._direct.send_now(records)
        self.bytes_sent += sent
        self._left = records[sent:]
        return not self._left

    async def wait_send_all_might_not_block(self) -> None:
        """Return when the transport might take more."""
        await self.transport.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """All that has arrived, empty at the end, whether the peer said goodbye or not.

        The protocols above tell a clean end themselves. Cancelling it loses nothing.

        Raises:
            TlsFailed: the peer sent an alert, or nonsense.
            trio.BrokenResourceError: the transport is gone.
        """
        # Before, never after: bytes that have been taken out must be returned.
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._said_goodbye:
            try:
                data = self._drain(max_bytes)
            except ssl.SSLError as exc:
                raise _failed(exc, sent=True) from exc
            if data or self._ended:
                return data
            await self._fill()
        while await self._port.receive_some(READ):
            pass
        return b""

    async def send_eof(self) -> None:
        """Say that nothing follows. What still arrives is thrown away: receiving waits for the peer's end.

        Raises:
            trio.BrokenResourceError: the transport is gone.
        """
        self._said_goodbye = True
        with suppress(ssl.SSLError):  # It wants the peer's goodbye, too; ours is in the buffer by then.
            self._tls.unwrap()
        await self._flush()
        if isinstance(self.transport, trio.abc.HalfCloseableStream):
            await self.transport.send_eof()

    async def aclose(self) -> None:
        """Close the transport at once; ``send_eof`` comes before, for a clean end."""
        await self.transport.aclose()

    def _encrypt(self, view: memoryview) -> None:
        try:
            while view:
                # OpenSSL returns after each record.
                view = view[self._tls.write(view) :]
        except ssl.SSLError as exc:
            raise trio.BrokenResourceError(f"TLS: {exc}") from exc

    def _drain(self, max_bytes: int | None) -> bytes:
        if self._failure is not None:
            raise self._failure
        pieces: list[bytes] = []
        left = max_bytes if max_bytes is not None else 1 << 62
        try:
            # Asking once more when nothing is left costs an exception each time.
            while left and not self._ended and (self._in.pending or self._in.eof or self._tls.pending()):
                piece = self._tls.read(min(RECORD, left))
                pieces.append(piece)
                left -= len(piece)
                # A goodbye is an empty read, or one of two exceptions, by what has been said before.
                self._ended = not piece
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self._ended = True
        except ssl.SSLError as exc:
            # What was good comes first. OpenSSL tells an error only once.
            self._failure = exc
            if not pieces:
                raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _fill(self) -> None:
        data = await self._port.receive_some(READ)
        self.bytes_received += len(data)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()

    async def _flush(self) -> None:
        data = self._out.read()
        if self._left:
            data, self._left = self._left + data, b""
        if data:
            await self._port.send_all(data)
            self.bytes_sent += len(data)

    def _refused(self, failure: ssl.SSLError) -> tuple[bytes, ...]:
        return seen_chain(self._tls) if isinstance(failure, ssl.SSLCertVerificationError) else ()

    async def _say_why(self) -> None:
        # When the peer has gone already, why the handshake failed is known all the same.
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._flush()


def peer_address(stream: trio.abc.Stream) -> str:
    """``host:port`` that a connection comes from; empty if it is over, or is none of TCP."""
    socket = _socket(stream)
    if socket is None:
        return ""
    try:
        name = socket.getpeername()
    except OSError:
        return ""
    return format_address(name[0], name[1]) if isinstance(name, tuple) else ""


def close_socket(stream: trio.abc.Stream) -> bool:
    """Close the socket that carries this in the end, at once; False: none does, and nothing has happened.

    It does what ``trio.aclose_forcefully`` does with one, without a cancellation and a pass of the scheduler.
    """
    socket = _socket(stream)
    if socket is not None:
        socket.close()
    return socket is not None


def _socket(stream: trio.abc.Stream) -> trio.socket.SocketType | None:
    while isinstance(stream, TlsStream | Peeked):
        stream = stream.transport
    return stream.socket if isinstance(stream, trio.SocketStream) else None


def _failed(exc: ssl.SSLError, *, sent: bool, chain: tuple[bytes, ...] = ()) -> TlsFailed:
    reason = exc.reason or ""
    said = reason.partition("_ALERT_")[2]
    if isinstance(exc, ssl.SSLCertVerificationError):
        text = f"the peer's certificate: {exc.verify_message}"
    elif isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        text = "the peer closed the connection during the handshake"
    elif said:
        text = f"the peer refuses us: {said.replace('_', ' ').lower()}"
    else:
        text = reason.replace("_", " ").lower() or str(exc)
    code = exc.verify_code if isinstance(exc, ssl.SSLCertVerificationError) else 0
    return TlsFailed(f"TLS: {text}", reason=reason, sent=sent, code=code, chain=chain)
