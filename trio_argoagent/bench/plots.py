"""Figures as pictures: SVG text, drawn by matplotlib where it is installed.

A question whose cases are sizes is drawn as lines over a logarithmic axis, one a side; one whose cases have
names, or that has a single case, as bars. Whiskers go from the least to the greatest round. Where growth was
expected, the curve that was fitted is drawn, too.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trio_argoagent.bench.answers import Answer
from trio_argoagent.bench.figures import Case, Figure
from trio_argoagent.bench.growth import Trend
from trio_argoagent.bench.report import number

PACKAGE: Final = "matplotlib"
MOST_PICTURES: Final = 6
"""Figures of one question that are drawn: its first ones."""
DECADE: Final = 10
"""How far values must lie apart for an axis to be logarithmic."""
POINTS: Final = 60
"""Steps that a curve is drawn in."""
MARGIN: Final = 1.3
"""How much farther than the sizes an axis goes, on either side."""
_SIZE: Final = (4.6, 3.0)
"""Inches."""

Series = Sequence[tuple[Case, Figure]]


def available() -> bool:
    """Can anything be drawn?"""
    return importlib.util.find_spec(PACKAGE) is not None


def draw(answer: Answer) -> list[str]:
    """A picture for each of the first figures, as SVG elements; the same figures give the same text."""
    import matplotlib

    # Ids are hashed from this, and no date is written: a report of the same figures has the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "trio-argoagent", "svg.fonttype": "none", "font.size": 8}):
        return [_picture(answer, name) for name in _names(answer)[:MOST_PICTURES]]


def _names(answer: Answer) -> list[str]:
    """Figures of which there is more than one value, and not all nothing."""
    names = dict.fromkeys(name for row in answer.rows for name in row.figures)
    found = {name: [row.figures[name].median for row in answer.rows if name in row.figures] for name in names}
    return [name for name, medians in found.items() if len(medians) > 1 and any(medians)]


def _picture(answer: Answer, name: str) -> str:
    from matplotlib.figure import Figure as Canvas

    sides = [side.name for side in answer.question.sides]
    series = {side: found for side in sides if (found := answer.series(side, name))}
    canvas: Any = Canvas(figsize=_SIZE, layout="constrained")
    axes = canvas.add_subplot()
    unit = next(iter(series.values()))[0][1].unit
    axes.set_title(name)
    axes.set_ylabel(unit)
    axes.set_xlabel(answer.question.case_unit)
    sized = all(isinstance(case, int) for found in series.values() for case, _ in found)
    if sized and any(len(found) > 1 for found in series.values()):
        _lines(axes, series)
        _curves(axes, [trend for trend in answer.trends if trend.growth.figure == name])
    else:
        _bars(axes, series)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend()
    text = io.StringIO()
    canvas.savefig(text, format="svg", metadata={"Date": None}, transparent=True)
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _lines(axes: Any, series: Mapping[str, Series]) -> None:
    for side, found in series.items():
        middle = [figure.median for _, figure in found]
        cases = [case for case, _ in found]
        axes.errorbar(cases, middle, yerr=_whiskers(found), label=side, marker="o", capsize=2)
    _plain(axes, sorted({case for found in series.values() for case, _ in found if isinstance(case, int)}))
    medians = [figure.median for found in series.values() for _, figure in found]
    if min(medians) > 0 and max(medians) >= DECADE * min(medians):
        axes.set_yscale("log")
    else:
        # From nothing, so that what hardly differs looks as if it hardly did.
        highest = max(max(figure.values) for found in series.values() for _, figure in found)
        axes.set_ylim(bottom=0, top=1.15 * highest or 1)
    axes.yaxis.set_major_formatter(lambda value, place: number(value))
    axes.grid(visible=True, alpha=0.3)


def _whiskers(found: Series) -> list[list[float]]:
    """Below each median, and above it."""
    return [
        [figure.median - min(figure.values) for _, figure in found],
        [max(figure.values) - figure.median for _, figure in found],
    ]


def _curves(axes: Any, trends: Sequence[Trend]) -> None:
    """What was fitted, from the least size to the greatest."""
    ticks = axes.get_xticks()
    least, most = min(ticks), max(ticks)
    cases = [least + (most - least) * (step / POINTS) ** 3 for step in range(POINTS + 1)]
    for trend in trends:
        if trend.fit is not None:
            costs = [trend.fit.at(case) for case in cases]
            axes.plot(cases, costs, label=trend.told, linestyle=":", color="black", zorder=0)


def _plain(axes: Any, cases: Sequence[int]) -> None:
    """Sizes on a logarithmic axis, written out; what is less than the least beyond 0 is linear."""
    one = min((case for case in cases if case > 0), default=1)
    axes.set_xscale("symlog", linthresh=one)
    axes.set_xlim(cases[0] / MARGIN if cases[0] else one * (1 - MARGIN), cases[-1] * MARGIN)
    axes.set_xticks(cases, [f"{case:,}" for case in cases])
    axes.set_xticks([], minor=True)


def _bars(axes: Any, series: Mapping[str, Series]) -> None:
    cases = list(dict.fromkeys(case for found in series.values() for case, _ in found))
    wide = 0.8 / len(series)
    for turn, (side, found) in enumerate(series.items()):
        places = [cases.index(case) + turn * wide for case, _ in found]
        middle = [figure.median for _, figure in found]
        axes.bar(places, middle, wide, label=side, yerr=_whiskers(found), capsize=2)
    centre = 0.4 - wide / 2
    axes.set_xticks([place + centre for place in range(len(cases))], [str(case) for case in cases])
    if len(cases) > 4:
        axes.tick_params(axis="x", rotation=60)
