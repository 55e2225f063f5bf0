"""Where the parts of a program hang what they have to show."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from trio_argoagent.runtime.observing.board import STARTED, STARTING, Board
from trio_argoagent.runtime.observing.conditions import Condition
from trio_argoagent.runtime.observing.shared import FRESH


@attrs.define
class Counted:
    """Facts of a program whose time is set by hand."""

    now: float = 0.0
    made: int = 0

    def facts(self) -> Iterator[str]:
        """How often they were made; the empty one says nothing."""
        self.made += 1
        yield ""
        yield str(self.made)


async def said(board: Board) -> list[str]:
    """Its facts, but for the one about the event loop."""
    return (await board.facts.whole()).decode().splitlines()[1:]


async def test_a_program_that_starts() -> None:
    """Until something is shown; then what is shown stands in order."""
    board = Board(lambda: 0.0)
    assert board.conditions() == (STARTING,)
    first, second = Condition("first", True, ""), Condition("second", False, "")
    board.show(lambda: (first,))
    board.show(lambda: (second,), lambda: ("a fact",))
    assert board.conditions() == (STARTED, first, second)
    assert await said(board) == ["a fact"]


def test_conditions_are_of_now() -> None:
    """A kubelet's question costs little, and its answer must not be of before."""
    told = [False]
    board = Board(lambda: 0.0)
    board.show(lambda: (Condition("link", told[0], ""),))
    assert not board.conditions()[1].ok
    told[0] = True
    assert board.conditions()[1].ok


async def test_facts_are_made_once_in_a_while() -> None:
    """However often strangers ask, and anew when they are too old."""
    counted = Counted()
    board = Board(lambda: counted.now)
    board.show(tuple, counted.facts)
    assert [await said(board), await said(board)] == [["1"], ["1"]]
    counted.now = FRESH
    assert await said(board) == ["2"]


async def test_facts_are_words_of_others() -> None:
    """Each stays one line, and no secret is in it."""
    board = Board(lambda: 0.0)
    board.show(tuple, lambda: ["no\nreadyz check passed", "redis://u:s3cr3t@redis is away"])
    assert await said(board) == ["no readyz check passed", "redis://u:<redacted>@redis is away"]
