"""Our CPU in terms of a peer's: what stays the same on another machine, if anything does."""

from __future__ import annotations

from collections.abc import Mapping

from trio_argoagent.bench import catalogue
from trio_argoagent.bench.figures import CPU, RATIO, Figure
from trio_argoagent.bench.results import Key


def relative(figures: Mapping[Key, Figure]) -> dict[Key, Figure]:
    """Ours divided by each peer's, round by round, in every case that both were asked.

    A peer is a side that needs a package beside ours; sides that we are ourselves are no measure. The side of
    the key names both.
    """
    found: dict[Key, Figure] = {}
    for (name, side, case, figure), theirs in figures.items():
        question = catalogue.QUESTIONS.get(name)
        if question is None or figure != CPU or side not in {s.name for s in question.sides if s.package}:
            continue
        ours = figures.get((name, question.ours, case, figure))
        if ours is not None and min(theirs.values) > 0:
            values = tuple(mine / other for mine, other in zip(ours.values, theirs.values, strict=False))
            found[name, f"{question.ours} / {side}", case, figure] = Figure(RATIO, values)
    return found
