"""How links end is counted by causes of which there are few."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.errors import (
    LinkBroken,
    LinkRefused,
    LocalProtocolError,
    RemoteProtocolError,
    Unreachable,
)
from trio_argoagent.runtime.endings import CAUSES, Endings, Failure
from trio_argoagent.stream.protocol.messages import Goodbye, Reason


@pytest.mark.parametrize(
    ("exc", "cause"),
    [
        (Unreachable("nobody"), "unreachable"),
        (LinkBroken("gone"), "broken"),
        (RemoteProtocolError("what?"), "protocol"),
        (trio.TooSlowError(), "timeout"),
        (OSError("odd"), "broken"),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_a_failure_has_its_cause(exc: BaseException, cause: str) -> None:
    """One each, and it is one of those that a label may have."""
    endings = Endings()
    endings.failed(exc)
    assert dict(endings.ends) == {cause: 1} and cause in CAUSES
    assert not endings.refusals


def test_what_comes_together() -> None:
    """Each kind counts, and each once: it is one link."""
    endings = Endings()
    bugs = [RemoteProtocolError("what?"), LocalProtocolError("a bug")]
    endings.failed(LinkBroken("gone"), LinkBroken("gone"), *bugs, LinkRefused(Reason.MODE, "the other one"))
    assert dict(endings.ends) == {"broken": 1, "protocol": 1}
    assert dict(endings.refusals) == {"mode": 1}


def test_a_refusal_is_no_end() -> None:
    """There was no link."""
    endings = Endings()
    endings.failed(LinkRefused(Reason.MODE, "the other one"))
    assert dict(endings.refusals) == {"mode": 1} and not endings.ends


@pytest.mark.parametrize(
    ("goodbye", "cause"), [(None, Failure.ENDED), (Goodbye(Reason.SHUTDOWN, "it stops"), Reason.SHUTDOWN)]
)
def test_an_end_in_order_has_its_reason(goodbye: Goodbye | None, cause: str) -> None:
    """Where the other side has given one."""
    endings = Endings()
    endings.ended(goodbye)
    assert dict(endings.ends) == {cause: 1}


def test_causes_are_told_apart() -> None:
    """No failure is called as a reason is."""
    assert len(CAUSES) == len({*CAUSES})
