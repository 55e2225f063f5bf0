"""How many lines others can make us log."""

from __future__ import annotations

import pytest

from trio_argoagent.principal import agents
from trio_argoagent.runtime import sparing
from trio_argoagent.runtime.loglevels import EVENTS
from trio_argoagent.runtime.sparing import BURST, WINDOW, Passed, Sparing


def test_a_window() -> None:
    """So many pass, the last one is known to be; the next window says what it left out."""
    core = Sparing()
    found = [core.ask("a", "east", 1.0) for _ in range(BURST + 2)]
    assert found == [Passed()] * (BURST - 1) + [Passed(last=True), None, None]
    assert core.ask("a", "east", 0.9 + WINDOW) is None
    assert core.ask("a", "east", 1.0 + WINDOW) == Passed(omitted=3)
    assert core.ask("a", "east", 1.0 + WINDOW) == Passed()


def test_others_are_counted_apart() -> None:
    """By name, and by whom it is about."""
    core = Sparing()
    for _ in range(BURST + 1):
        core.ask("a", "east", 0.0)
    assert core.ask("a", "east", 0.0) is None
    assert core.ask("b", "east", 0.0) == core.ask("a", "west", 0.0) == Passed()


def test_a_whole_fleet_has_room() -> None:
    """As many agents as there may be, with several lines each, are told of; all names have room."""
    assert sparing.AGENTS == agents.MAX_AGENTS and sparing.MOST >= 4 * agents.MAX_AGENTS
    assert sum(map(len, EVENTS.values())) < sparing.NAMES


def crowded(monkeypatch: pytest.MonkeyPatch, most: int) -> Sparing:
    """One that has room for no more."""
    monkeypatch.setattr(sparing, "MOST", most)
    core = Sparing()
    for number in range(most):
        assert core.ask("link-up", f"agent-{number}", float(number)) is not None
    return core


def test_beyond_the_bound_each_name_has_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet that comes back hides no revocation, whomever either is about."""
    core = crowded(monkeypatch, 10)
    passed = [core.ask("link-up", f"other-{number}", 10.0) for number in range(2 * BURST)]
    assert passed[BURST - 1 :] == [Passed(last=True)] + [None] * BURST
    assert core.ask("agent-revoked", "other-1", 10.0) == core.ask("deletes-held", "x", 10.0) == Passed()
    assert core.ask("link-up", "agent-3", 10.0) == Passed()


def test_a_window_that_has_ended_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """For one more, and the next one for the next; one that has begun anew ends later."""
    core = crowded(monkeypatch, 3)
    for _ in range(BURST):
        core.ask("link-up", "crowd", 3.0)
    assert core.ask("link-up", "agent-0", WINDOW) == Passed()
    assert core.ask("link-up", "new", WINDOW) is None
    assert core.ask("link-up", "new", WINDOW + 1) == Passed()
    assert core.ask("link-up", "newer", WINDOW + 1) is None


def test_made_up_names() -> None:
    """Ever new ones are bounded together, and make no memory grow."""
    core = Sparing()
    passed = [core.ask(f"{number}", "", 0.0) for number in range(sparing.MOST + sparing.NAMES + 100)]
    assert sum(each is not None for each in passed) == sparing.MOST + sparing.NAMES + BURST
    assert core.ask("new", "", WINDOW) == Passed()
