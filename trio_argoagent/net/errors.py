"""How a connection ends too early, with what a caller needs to know before trying again."""

from __future__ import annotations

import copy

from trio_argoagent.errors import LinkBroken, RemoteProtocolError


class ConnectionBroken(LinkBroken):
    """The connection, or one stream of it, is gone.

    Args:
        text: one line.
        sent: False when the peer cannot have acted on the request, because it was never handed to the socket
            as a whole or because the peer says so: trying again is safe.
    """

    def __init__(self, text: str, *, sent: bool = True) -> None:
        super().__init__(text)
        self.sent = sent


class TlsFailed(ConnectionBroken):
    """TLS came to no agreement, or the peer has ended it with an alert.

    Args:
        text: one line.
        reason: OpenSSL's name of it, such as ``CERTIFICATE_VERIFY_FAILED`` or
            ``TLSV13_ALERT_CERTIFICATE_REQUIRED``; empty when the peer just hung up.
        sent: as above; always False during the handshake.
        code: OpenSSL's, of what it has found wrong with the peer's certificate (X509_V_ERR_*); 0: nothing.
        chain: the peer's certificate that was refused, and what certifies it, as far as that goes (DER). It
            proves nothing.
    """

    def __init__(
        self,
        text: str,
        *,
        reason: str = "",
        sent: bool = False,
        code: int = 0,
        chain: tuple[bytes, ...] = (),
    ) -> None:
        super().__init__(text, sent=sent)
        self.reason, self.code, self.chain = reason, code, chain


class ProxyFailed(OSError):
    """There is no way through the proxy. The text names it and says what to do.

    An ``OSError``, like all else for which a connection cannot be made; but what it comes from was done to
    the proxy, and says nothing about the server behind it.

    Args:
        text: one line.
        nobody: there was nobody to connect to, before or behind it: it has refused nothing.
    """

    def __init__(self, text: str, *, nobody: bool = False) -> None:
        super().__init__(text)
        self.nobody = nobody


class BodyTooLarge(RemoteProtocolError):
    """The peer sent a longer body than is taken here."""


def renewed(error: ConnectionBroken, *, sent: bool) -> ConnectionBroken:
    """The same error once more, for one of several tasks that raise it: each adds its own traceback."""
    fresh = copy.copy(error)
    fresh.sent = sent
    fresh.__cause__ = error.__cause__
    return fresh
