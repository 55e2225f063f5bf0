"""Every error this project raises, and whose fault each one is.

ArgoAgentError
├── UserError              what the user gave cannot be used: one line says what, where, what to do
├── ProtocolError          the two sides do not speak alike
│   ├── LocalProtocolError     we broke the rules: a bug here
│   └── RemoteProtocolError    the peer broke the rules: close the link
├── LinkError              the way to the peer
│   ├── LinkBroken             it is gone: dial again
│   │   └── Unreachable            there was nobody to connect to
│   ├── LinkRefused            the peer will not have us, and says why
│   └── TunnelRefused          there will be no such tunnel, and why; the link goes on
├── ApiError               the Kubernetes API server has answered, and the answer is no
│   ├── BadRequest  Unauthorized  Forbidden  NotFound  MethodNotAllowed
│   ├── AlreadyExists  Conflict  Expired  UnsupportedMedia  Invalid
│   ├── Throttled              429: try again after ``retry_after``
│   └── Unavailable            5xx: it did nothing, or will say so; try again
└── OutcomeUnknown         a write left us and no answer came: it may have been done
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar


class ArgoAgentError(Exception):
    """The root: catch it to catch everything this project raises on purpose."""


class UserError(ArgoAgentError):
    """The user's input is unusable. The text is the whole message, one line, ready to print."""


class ProtocolError(ArgoAgentError):
    """The conversation broke the protocol."""


class LocalProtocolError(ProtocolError):
    """This side tried to say something it must not: a bug here, never the peer's fault."""


class RemoteProtocolError(ProtocolError):
    """The peer said something it must not: close the link and say so."""


class LinkError(ArgoAgentError):
    """There is no usable link to the peer."""


class LinkBroken(LinkError):
    """The link ended without a goodbye: dial again."""


class Unreachable(LinkBroken):
    """There was nobody to connect to, or to shake hands with: so it has cost nobody anything."""


class LinkRefused(LinkError):
    """The peer refuses this link.

    Args:
        reason: a value of ``stream.protocol.reasons.Reason``, for machines.
        detail: one line for people.
        retry_after: seconds to wait before dialling again; 0 when the peer does not say.
    """

    def __init__(self, reason: str, detail: str, retry_after: float = 0.0) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after


class TunnelRefused(LinkError):
    """A tunnel was asked for and will not be. The link is as it was.

    Args:
        reason: a value of ``stream.protocol.reasons.NoTunnel``, for machines.
        detail: one line for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class OutcomeUnknown(ArgoAgentError):
    """A write was sent and its answer was lost: read the object again before deciding anything."""


class ApiError(ArgoAgentError):
    """The API server answered a request with a Status that is not Success.

    Args:
        message: the server's own text.
        code: the HTTP status.
        reason: the Status' ``reason`` (``NotFound``, ``Conflict``, ...).
        details: the Status' ``details``, if any.
        retry_after: seconds, from the Retry-After header or ``details.retryAfterSeconds``.
    """

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        reason: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = type(self).code if code is None else code
        self.status_reason = type(self).reason if reason is None else reason
        self.details: Mapping[str, Any] = details or {}
        self.retry_after = retry_after


class BadRequest(ApiError):
    """400: the request makes no sense to the server."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    """401: the server does not know who we are; credentials may have to be read again."""

    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):
    """403: the server knows us, and we may not."""

    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    """404: no such object, or no such resource."""

    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):
    """405: the resource has no such verb."""

    code, reason = 405, "MethodNotAllowed"


class AlreadyExists(ApiError):
    """409 on a create: the name is taken."""

    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):
    """409: a precondition on uid or resourceVersion failed; nothing was written."""

    code, reason = 409, "Conflict"


class Expired(ApiError):
    """410: the resourceVersion is older than the server remembers; list again."""

    code, reason = 410, "Expired"


class UnsupportedMedia(ApiError):
    """415: the server does not take this kind of body here."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    """422: the object, or a ``test`` of a JSON patch, is not acceptable; nothing was written."""

    code, reason = 422, "Invalid"


class Throttled(ApiError):
    """429: too many requests."""

    code, reason = 429, "TooManyRequests"


class Unavailable(ApiError):
    """5xx: the server cannot serve this now."""

    code, reason = 503, "ServiceUnavailable"


_BY_REASON: dict[str, type[ApiError]] = {
    kind.reason: kind
    for kind in (
        BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, AlreadyExists, Conflict,
        Expired, UnsupportedMedia, Invalid, Throttled, Unavailable,
    )
}  # fmt: skip
_BY_CODE: dict[int, type[ApiError]] = {
    kind.code: kind for kind in _BY_REASON.values() if kind is not AlreadyExists
}


def api_error(
    code: int,
    reason: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    retry_after: float = 0.0,
) -> ApiError:
    """The exception for a Status: its reason decides, else its HTTP code, else ``Unavailable`` for 5xx."""
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code) or (Unavailable if code >= 500 else ApiError)
    return kind(message, code=code, reason=reason or None, details=details, retry_after=retry_after)


def leaves(exc: BaseException) -> Iterator[BaseException]:
    """What went wrong, without the groups round it: every exception that a group holds, or the one itself."""
    if isinstance(exc, BaseExceptionGroup):
        for member in exc.exceptions:
            yield from leaves(member)
    else:
        yield exc
