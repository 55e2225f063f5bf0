"""Answers that are no success, as exceptions."""

from __future__ import annotations

import json

import pytest

from trio_argoagent import errors
from trio_argoagent.kube.protocol.status import MESSAGE, outcome_unknown, status_error


def status(code: int, reason: str, **more: object) -> bytes:
    """The body of a refusal."""
    return json.dumps({"kind": "Status", "status": "Failure", "code": code, "reason": reason} | more).encode()


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", errors.BadRequest),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (405, "MethodNotAllowed", errors.MethodNotAllowed),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "Conflict", errors.Conflict),
        (410, "Expired", errors.Expired),
        (410, "Gone", errors.Expired),
        (415, "UnsupportedMediaType", errors.UnsupportedMedia),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.Throttled),
        (500, "InternalError", errors.Unavailable),
        (503, "ServiceUnavailable", errors.Unavailable),
        (504, "Timeout", errors.Unavailable),
    ],
)
def test_the_reason_decides(code: int, reason: str, kind: type[errors.ApiError]) -> None:
    """Each reason is one class; the message, code and details survive."""
    error = status_error(code, (), status(code, reason, message="no", details={"name": "x"}))
    assert type(error) is kind
    assert (error.message, error.status_code, error.status_reason) == ("no", code, reason)
    assert error.details == {"name": "x"}


def test_what_is_no_status_is_judged_by_its_code() -> None:
    """A load balancer's page: one line of it is the message."""
    error = status_error(502, (), b"<html>\n  Bad  Gateway\n</html>")
    assert type(error) is errors.Unavailable
    assert error.message == "<html> Bad Gateway </html>"
    assert "404" in status_error(404, (), b"").message
    assert type(status_error(404, (), b'["\xff"]')) is errors.NotFound


def test_long_messages_are_cut() -> None:
    """An error is shown to people, whole pages are not."""
    assert len(status_error(500, (), b"x" * 100_000).message) == MESSAGE
    assert len(status_error(422, (), status(422, "Invalid", message="y" * 100_000)).message) == MESSAGE


def test_retry_after() -> None:
    """From the header, else from the details; what is no number of seconds counts as none."""
    body = status(429, "TooManyRequests", details={"retryAfterSeconds": 3})
    assert status_error(429, [("retry-after", "7")], body).retry_after == 7
    assert status_error(429, [], body).retry_after == 3
    assert status_error(503, [("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], b"").retry_after == 0
    assert status_error(503, [("retry-after", "-1")], b"").retry_after == 0


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (errors.Unavailable("bad gateway", code=502), True),
        (errors.Unavailable("Timeout: request did not complete", code=504), True),
        (errors.Unavailable("etcdserver: request timed out", code=500), True),
        (errors.Unavailable("etcdserver: leader changed", code=500), True),
        (errors.Unavailable("failed calling webhook: connection refused", code=500), False),
        (errors.Unavailable("apiserver is shutting down", code=503), False),
        (errors.Conflict("timed out of luck"), False),
    ],
)
def test_which_refusals_prove_nothing(error: errors.ApiError, unknown: bool) -> None:
    """A gateway or a store that gave up waiting does not know what became of the write."""
    assert outcome_unknown(error) is unknown
