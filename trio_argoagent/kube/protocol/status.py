"""The exception that an answer of the API server stands for.

A refusal's body is a Status object: ``reason`` is for machines and decides, ``message`` is for people. What a
proxy or load balancer in between answers is no Status; then the HTTP status decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from trio_argoagent.errors import ApiError, Unavailable, api_error
from trio_argoagent.model import nesting

MESSAGE: Final = 2000
"""Characters of a message that are kept: an error is logged, and shown on objects."""

_UNFINISHED: Final = ("timed out", "timeout", "leader changed", "context deadline exceeded")


class Status(msgspec.Struct, rename="camel"):
    """The part of a ``v1.Status`` that decides something."""

    message: str = ""
    reason: str = ""
    code: int = 0
    details: dict[str, Any] | None = None


_STATUS = msgspec.json.Decoder(Status)


def parse_status(data: bytes | msgspec.Raw) -> Status | None:
    """The Status in a body; None if there is none."""
    try:
        return nesting.decode(_STATUS, data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def status_error(code: int, headers: Iterable[tuple[str, str]], body: bytes) -> ApiError:
    """The exception for an answer that is not a success.

    Args:
        code: the HTTP status.
        headers: names in lower case; Retry-After is read as seconds, as API servers send it.
        body: a Status, or whatever a proxy says.
    """
    status = parse_status(body)
    if status is None or not (status.message or status.reason):
        text = body[:MESSAGE].decode("utf-8", "replace").strip()
        status = Status(message=" ".join(text.split()) or f"HTTP status {code} without an explanation")
    asked = next((value for name, value in headers if name == "retry-after"), "")
    return event_error(Status(status.message, status.reason, code, status.details), asked)


def event_error(status: Status, retry_after: str = "") -> ApiError:
    """The exception for a Status, also one that came as an ERROR event of a watch."""
    details = status.details or {}
    seconds = _seconds(retry_after) or _seconds(details.get("retryAfterSeconds"))
    code = status.code or 500
    return api_error(code, status.reason, status.message[:MESSAGE], details, seconds)


def outcome_unknown(error: ApiError) -> bool:
    """May a write that was answered with this have been done all the same?

    A gateway that lost its server does not know, and a server that lost its store says only that it waited
    too long.
    """
    if not isinstance(error, Unavailable):
        return False
    text = error.message.lower()
    return error.status_code in (502, 504) or any(sign in text for sign in _UNFINISHED)


def _seconds(value: object) -> float:
    if isinstance(value, str) and value.strip().isdecimal() and value.isascii():
        value = int(value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0.0
