"""Where the parts of a program hang what they have to show."""

from __future__ import annotations

import attrs

from trio_argoagent.runtime.observing.board import FRESH, STARTED, STARTING, Board
from trio_argoagent.runtime.observing.conditions import Condition


@attrs.define
class Counted:
    """Facts of a program whose time is set by hand."""

    now: float = 0.0
    made: int = 0

    def facts(self) -> tuple[str, ...]:
        """How often they were made."""
        self.made += 1
        return (str(self.made),)


def test_a_program_that_starts() -> None:
    """Until something is shown; then what is shown stands in order."""
    board = Board(lambda: 0.0)
    assert board.conditions() == (STARTING,)
    first, second = Condition("first", True, ""), Condition("second", False, "")
    board.show(lambda: (first,))
    board.show(lambda: (second,), lambda: ("a fact",))
    assert board.conditions() == (STARTED, first, second)
    assert board.facts()[1:] == ("a fact",)


def test_conditions_are_of_now() -> None:
    """A kubelet's question costs little, and its answer must not be of before."""
    told = [False]
    board = Board(lambda: 0.0)
    board.show(lambda: (Condition("link", told[0], ""),))
    assert not board.conditions()[1].ok
    told[0] = True
    assert board.conditions()[1].ok


def test_facts_are_made_once_in_a_while() -> None:
    """However often strangers ask, and anew when they are too old."""
    counted = Counted()
    board = Board(lambda: counted.now)
    board.show(tuple, counted.facts)
    assert [board.facts()[1:], board.facts()[1:]] == [("1",), ("1",)]
    counted.now = FRESH
    assert board.facts()[1:] == ("2",)
