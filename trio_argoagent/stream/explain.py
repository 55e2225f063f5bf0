"""Why there is no link, in one sentence that says what to do.

OpenSSL names causes, not remedies, and the user who reads the agent's log has set the flags that are named
here. A cause that trying again cannot remove by itself is a refusal.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from typing import Final

from trio_argoagent.errors import LinkBroken, LinkError, LinkRefused, Unreachable
from trio_argoagent.net.certificates import SERVERS
from trio_argoagent.net.errors import ProxyFailed, TlsFailed
from trio_argoagent.net.protocol.fields import one_line
from trio_argoagent.net.refusals import Ours, judged, rejected
from trio_argoagent.net.verdicts import Fault
from trio_argoagent.stream.protocol.messages import Reason

_REMEDIES: Final[Mapping[Fault, str]] = {
    Fault.EXPIRED: "renew argocd-agent-principal-tls on the hub",
    Fault.PURPOSE: "issue it again, for serverAuth",
    Fault.IS_CA: "issue one for the principal with that CA",
    Fault.SELF_SIGNED: "have it issued by the CA of the hub, or give the agent that very certificate as CA",
    Fault.TOO_LONG: "issue it nearer to its root",
    Fault.WEAK: "issue it again with a stronger key",
    Fault.NAME: "issue it for that name or address, or set --server-address to one that it is for",
}
"""What to do about the certificate of the principal; else the CA is the wrong one."""
_TRUST: Final = "give the agent the CA of the hub (--root-ca-path, or the Secret of --root-ca-secret-name)"

_ALERTS: Final[Mapping[str, tuple[Reason, str]]] = {
    "CERTIFICATE_REQUIRED": (
        Reason.IDENTITY,
        "the principal wants a client certificate and we have shown none: set --tls-client-cert and"
        " --tls-client-key, or --creds mtls with the secret argocd-agent-client-tls",
    ),
    "CERTIFICATE_REVOKED": (
        Reason.REVOKED,
        "our client certificate was revoked: issue a new one, or ask the operator of the hub",
    ),
    "NO_APPLICATION_PROTOCOL": (
        Reason.PROTOCOL,
        "it speaks TLS but not HTTP/2: check that address and port are the principal's, and that no proxy in"
        " between ends TLS",
    ),
    "PROTOCOL_VERSION": (
        Reason.PROTOCOL,
        "it does not speak TLS 1.3: check that no proxy in between ends TLS",
    ),
}
"""What the principal says against us (RFC 8446 section 6.2)."""

_CERTIFICATE: Final[Mapping[str, str]] = {
    "UNKNOWN_CA": "issue it with the CA of the hub",
    "CERTIFICATE_EXPIRED": "renew the Secret argocd-agent-client-tls",
    "UNSUPPORTED_CERTIFICATE": "issue it again, for clientAuth",
    "BAD_CERTIFICATE": "issue it again with the CA of the hub",
    "CERTIFICATE_UNKNOWN": "issue it again with the CA of the hub",
    "DECRYPT_ERROR": "issue it again with the CA of the hub",
    "ACCESS_DENIED": "ask the operator of the hub",
}
"""What to do when the principal says this against our certificate."""
_NO_TLS: Final = frozenset(
    [
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "UNKNOWN_PROTOCOL",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
    ]
)

_NO_WAY: Final = frozenset([errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN])

NO_HTTP2: Final = _ALERTS["NO_APPLICATION_PROTOCOL"]
"""The same, where the server just ignores what we offer."""


def explain(
    exc: BaseException, *, host: str, where: str, ours: Ours | None = None, connected: bool = True
) -> LinkError:
    """The error that the user should see.

    Args:
        exc: why dialling failed, with its causes.
        host: the name that the principal was to prove.
        where: ``host:port``.
        ours: what is known here of both certificates.
        connected: there was a connection; else nobody has had any work with it, whatever the reason.
    """
    for cause in _causes(exc):
        if isinstance(cause, ProxyFailed):
            return (Unreachable if cause.nobody else LinkBroken)(f"{where}: {cause}")
        if isinstance(cause, TlsFailed) and cause.code:
            verdict = judged(cause, ours, SERVERS, host)
            remedy = _REMEDIES.get(verdict.fault, "" if verdict.fault is Fault.NOT_YET else _TRUST)
            text = f"the principal's certificate is not accepted: {verdict.clause}{remedy and f': {remedy}'}"
            return LinkRefused(Reason.IDENTITY, f"{where}: {text}")
        if isinstance(cause, TlsFailed) and (refusal := _refusal(cause.reason, where, ours)) is not None:
            return refusal
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"{where}: no address is known for {host}: check --server-address and DNS")
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable(
                f"{where}: connection refused: is the principal running, and are --server-address and"
                " --server-port right?"
            )
        if isinstance(cause, OSError) and cause.errno in _NO_WAY:
            return Unreachable(f"{where}: no way there: {cause.strerror or cause}")
    return (LinkBroken if connected else Unreachable)(f"{where}: no link: {exc or type(exc).__name__}")


def answered(status: int, text: str, retry_after: float, *, where: str) -> LinkError:
    """The error for an answer to ``POST /v1/link`` that is not 200.

    Args:
        status: of HTTP.
        text: the body's beginning.
        retry_after: seconds; 0: not said.
        where: ``host:port``.
    """
    said = one_line(text)
    if status in (401, 403):
        return LinkRefused(
            Reason.IDENTITY, f"{where}: {said or 'the principal does not accept us'}", retry_after
        )
    if status == 429:
        return LinkRefused(Reason.BANNED, f"{where}: {said or 'too many mistakes'}", retry_after)
    if status == 404:
        return LinkRefused(
            Reason.PROTOCOL, f"{where}: this is no principal: check --server-address and --server-port"
        )
    if status == 501:
        return LinkRefused(Reason.PROTOCOL, f"{where}: {said or 'it does not know what we ask for'}")
    if status == 503:
        return LinkRefused(Reason.NOT_READY, f"{where}: {said or 'the principal is not ready'}", retry_after)
    return LinkBroken(f"{where}: the principal, or a proxy before it, answered {status}: {said}")


def _refusal(reason: str, where: str, ours: Ours | None) -> LinkRefused | None:
    if reason in _NO_TLS:
        return LinkRefused(Reason.PROTOCOL, f"{where}: it does not speak TLS: check the port (--server-port)")
    _, _, alert = reason.partition("_ALERT_")
    if alert in _CERTIFICATE:
        said, clause = alert.replace("_", " ").lower(), rejected(alert, ours)
        text = f"the principal does not accept our client certificate ({said}): {clause}"
        return LinkRefused(Reason.IDENTITY, f"{where}: {text}: {_CERTIFICATE[alert]}")
    if alert in _ALERTS:
        kind, sentence = _ALERTS[alert]
        return LinkRefused(kind, f"{where}: {sentence}")
    return None


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    """An exception, its causes, and the members of groups among them."""
    while exc is not None:
        yield exc
        if isinstance(exc, BaseExceptionGroup):
            for member in exc.exceptions:
                yield from _causes(member)
        exc = exc.__cause__
