"""Whose fault an error is, and which one an API server's Status becomes."""

from __future__ import annotations

import pytest

from trio_argoagent import errors


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (404, "NotFound", errors.NotFound),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "", errors.Conflict),
        (410, "Gone", errors.Expired),
        (410, "Expired", errors.Expired),
        (422, "", errors.Invalid),
        (429, "", errors.Throttled),
        (503, "", errors.Unavailable),
        (500, "InternalError", errors.Unavailable),
        (504, "Timeout", errors.Unavailable),
        (418, "Teapot", errors.ApiError),
    ],
)
def test_a_status_becomes_an_error(code: int, reason: str, kind: type[errors.ApiError]) -> None:
    """Its reason decides, else its code, else what all 5xx have in common."""
    error = errors.api_error(code, reason, "no", {"name": "web"}, 3.0)
    assert type(error) is kind
    assert (error.status_code, error.message, error.retry_after) == (code, "no", 3.0)
    assert error.status_reason == (reason or kind.reason) and error.details == {"name": "web"}


def test_an_error_made_by_hand_has_its_kinds_code() -> None:
    """For servers in process."""
    error = errors.NotFound("gone")
    assert (error.status_code, error.status_reason, error.details, str(error)) == (
        404,
        "NotFound",
        {},
        "gone",
    )


def test_fault_can_be_told_apart() -> None:
    """A bug here, the peer's breach, a broken way, a refusal of the API server: four branches of one tree."""
    branches = (errors.LocalProtocolError, errors.RemoteProtocolError, errors.LinkError, errors.ApiError)
    for branch in branches:
        assert issubclass(branch, errors.ArgoAgentError)
        assert not any(issubclass(branch, other) for other in branches if other is not branch)
    assert not issubclass(errors.OutcomeUnknown, errors.ApiError), "a lost answer is no answer"


def test_a_refused_link_says_why_and_when_to_come_back() -> None:
    """Reason for machines, detail for people."""
    error = errors.LinkRefused("mapping", "--namespace differs", 60.0)
    assert (error.reason, error.detail, error.retry_after) == ("mapping", "--namespace differs", 60.0)
    assert str(error) == "mapping: --namespace differs" and errors.LinkRefused("x", "y").retry_after == 0.0
