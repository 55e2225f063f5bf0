"""Whoever is not let in is told of, briefly and not for ever."""

from __future__ import annotations

import logging

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model.rulings import Decision, Ruling
from trio_argoagent.net.errors import ConnectionBroken, TlsFailed
from trio_argoagent.runtime.events import Event, ignore
from trio_argoagent.runtime.rarely import MAX_CAUSES, SILENCE, TOO_MANY
from trio_argoagent.runtime.strangers import Strangers

WRONG_CA = TlsFailed("TLS: the peer's certificate", reason="CERTIFICATE_VERIFY_FAILED", code=19)


async def test_a_wrong_certificate_says_what_to_do() -> None:
    """A warning that names the option that decides who is let in."""
    told: list[Event] = []
    Strangers(told.append)(WRONG_CA)
    (event,) = told
    assert (event.name, event.agent, event.level) == ("connection-refused", "", "warning")
    assert "of a CA that is not trusted; agents need certificates of the CA in --root-ca-path" in event.text


async def test_each_is_told_to_the_auditor() -> None:
    """Though the log is told once; what says nothing of who dialled is not."""
    rulings: list[Ruling] = []
    strangers = Strangers(ignore, rulings.append)
    strangers(WRONG_CA)
    strangers(WRONG_CA)
    strangers(ConnectionBroken("the peer hung up during the handshake"))
    reason = "its certificate is of a CA that is not trusted"
    assert rulings == [Ruling(Decision.REFUSED, "connection", reason)] * 2


async def test_other_failures_are_told_as_they_are() -> None:
    """What the peer said against us, and nonsense."""
    told: list[Event] = []
    strangers = Strangers(told.append)
    strangers(TlsFailed("TLS: the peer refuses us: unknown ca", reason="TLSV1_ALERT_UNKNOWN_CA"))
    strangers(RemoteProtocolError("no HTTP/2 here"))
    assert [event.text.partition(": ")[2] for event in told] == [
        "it does not accept our certificate (unknown ca): nothing is known of it here",
        "no HTTP/2 here",
    ]


async def test_coming_and_going_is_not_told() -> None:
    """Health checks and port scans hang up; so do agents that are restarted."""
    told: list[Event] = []
    strangers = Strangers(told.append)
    strangers(TlsFailed("TLS: the peer closed the connection during the handshake"))
    strangers(ConnectionBroken("the peer hung up"))
    assert told == []


async def test_one_cause_is_told_once_a_minute(autojump_clock: MockClock) -> None:
    """An agent that dials on and on with the wrong certificate fills no disk."""
    told: list[Event] = []
    strangers = Strangers(told.append)
    for _ in range(100):
        strangers(WRONG_CA)
        await trio.sleep(SILENCE / 50)
    assert len(told) == 2


async def test_what_is_remembered_is_bounded(autojump_clock: MockClock) -> None:
    """Somebody who fails in ever new ways grows neither us nor the log."""
    told: list[Event] = []
    strangers = Strangers(told.append)
    for number in range(3 * MAX_CAUSES):
        strangers(RemoteProtocolError(f"nonsense {number}"))
        assert len(strangers._line._told) <= MAX_CAUSES + 1
    assert len(told) == MAX_CAUSES + 1 and told[-1].text == TOO_MANY
    await trio.sleep(SILENCE)
    strangers(RemoteProtocolError("nonsense again"))
    assert "nonsense again" in told[-1].text


async def test_our_own_faults_are_logged_with_their_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """A bug is not a stranger."""
    told: list[Event] = []
    with caplog.at_level(logging.ERROR):
        Strangers(told.append)(ValueError("a bug"))
    assert told == []
    assert caplog.records[0].exc_info is not None
