"""Every agent of a fleet dials again at the same time. Hundreds of them: ``bench storm``."""

from __future__ import annotations

from functools import partial

import pytest

from trio_argoagent.principal.turnstile import COMPARING, Turnstile
from trio_argoagent.testing.storms import CUT, RESTART, storms

AGENTS = 60
SHARE = 8
"""Turns for so many agents: a thousand have 32."""


def narrow(monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    """Let no more than that many compare at once."""
    monkeypatch.setattr("trio_argoagent.principal.links.Turnstile", partial(Turnstile, turns))


def test_all_are_in_step_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each greets once and is welcomed at once, and there is no crowd at any moment."""
    narrow(monkeypatch, SHARE)
    for storm in storms(AGENTS, 1, (CUT, 3.0), (RESTART, 3.0)):
        assert storm.seconds < 3.0
        assert storm.hellos == AGENTS
        assert storm.longest < 0.1
        assert storm.comparing <= SHARE < COMPARING


def test_a_crowd_is_let_in_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of coming, so many at once, each to its end: nobody gives up, and nobody is overtaken."""
    narrow(monkeypatch, 2)
    (storm,) = storms(50, 1, (CUT, 3.0), latency=(0.1, 0.1))
    assert storm.comparing <= 2
    assert 2.0 < storm.longest < 10.0
    assert storm.overtaken == 0
    assert storm.hellos == 50
    assert storm.seconds < 12.0
