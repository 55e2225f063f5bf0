"""How many lines others can make us log."""

from __future__ import annotations

from trio_argoagent.runtime import sparing
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


def test_made_up_names() -> None:
    """Ever new ones are bounded together, and make no memory grow; old ones make room."""
    core = Sparing()
    passed = [core.ask(f"{number}", "", 0.0) for number in range(sparing.MOST + 100)]
    assert sum(each is not None for each in passed) == sparing.MOST + BURST
    assert core.ask("new", "", WINDOW) == Passed()
