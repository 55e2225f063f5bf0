"""What a peer makes comparable."""

from __future__ import annotations

import pytest

from trio_argoagent.bench.catalogue import QUESTIONS
from trio_argoagent.bench.comparing import Change, compare
from trio_argoagent.bench.figures import CPU, Figure
from trio_argoagent.bench.relative import relative
from trio_argoagent.bench.results import Key


def figures(ours: float, peer: float) -> dict[Key, Figure]:
    """Of a question that has peers, three rounds."""
    costs = {"frames": ours, "grpc.aio": peer, "tls-own": 1.0}
    return {("echo", side, "200", CPU): Figure("us", (cost,) * 3) for side, cost in costs.items()}


def test_ratio() -> None:
    """Ours in terms of what is not ours, round by round; no other figure, and no side of our own."""
    found = figures(2.0, 8.0) | {("echo", "grpc.aio", "200", "rate"): Figure("/s", (1.0,))}
    assert relative(found) == {("echo", "frames / grpc.aio", "200", CPU): Figure("x", (0.25,) * 3)}


def test_nothing_to_divide() -> None:
    """A question that nobody knows any more, a peer alone, one that costs nothing: no ratio."""
    alone = {("echo", "grpc.aio", "200", CPU): Figure("us", (1.0,))}
    assert relative(alone) == {}
    assert relative(figures(1.0, 0.0)) == {}
    assert relative({("gone", "a", "1", CPU): Figure("us", (1.0,))}) == {}


@pytest.mark.parametrize(
    ("ours", "peer", "change"),
    [(6.0, 24.0, Change.SAME), (6.0, 8.0, Change.WORSE), (2.0, 24.0, Change.BETTER)],
)
def test_compared(ours: float, peer: float, change: Change) -> None:
    """A machine that is slower for both has changed nothing."""
    (found,) = compare(relative(figures(2.0, 8.0)), relative(figures(ours, peer)), 0.1, here=False)
    assert found.change is change


def test_there_are_peers() -> None:
    """Some question has one."""
    assert any(side.package for question in QUESTIONS.values() for side in question.sides)
