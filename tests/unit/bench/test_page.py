"""The page: whole, without anything beside it."""

from __future__ import annotations

import re
import ssl
from html.parser import HTMLParser

import attrs
import pytest

from trio_argoagent.bench import plots
from trio_argoagent.bench.answers import Answer, Row, Taking
from trio_argoagent.bench.figures import Figure, Sense
from trio_argoagent.bench.machine import describe
from trio_argoagent.bench.page import page
from trio_argoagent.bench.questions import OURS, Goal, Growth, Question

from .conftest import unasked

VOID = {"meta", "br", "path", "use", "line"}
QUESTION = Question(
    "q", "f", "how <much>", (1, 10, 100), "n", unasked,
    goals=(Goal("it is little", "ours", 10, "cost", Sense.AT_MOST, 3.0),),
    growth=(Growth("it does not grow", "cost", 0.2),),
)  # fmt: skip
ROWS = tuple(Row(OURS.name, n, {"cost": Figure("us", (1.0 * n, 1.1 * n, 1.2 * n))}) for n in (1, 10, 100))
ANSWER = Answer(QUESTION, ROWS, {"peer": "peer & co. is not installed"})


class Balanced(HTMLParser):
    """Collects what is open, and what other files are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See ``HTMLParser``."""
        if tag not in VOID:
            self.open.append(tag)
        asked = [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.foreign += [value for value in asked if not value.startswith("#")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See ``HTMLParser``."""

    def handle_endtag(self, tag: str) -> None:
        """See ``HTMLParser``."""
        if tag not in VOID:
            assert self.open.pop() == tag


def checked(text: str) -> str:
    """The page, which is balanced and asks for nothing."""
    parser = Balanced()
    parser.feed(text)
    assert (parser.open, parser.foreign) == ([], [])
    assert "<script" not in text
    return text


def test_page() -> None:
    """Goals, growth, tables, who is missing and what has failed; what comes from elsewhere is escaped."""
    text = checked(page([ANSWER], {"other": "too <few> files"}, describe(), quick=True))
    for part in (
        "how &lt;much&gt;", "it is little", '<td class="missed">missed</td>', "at most n^0.2", "<td>n^0.9",
        "<td>11 ±9%</td>", "peer: peer &amp; co. is not installed", "other: too &lt;few&gt; files",
        "quick look",
    ):  # fmt: skip
        assert part in text, part


def test_nothing_measured() -> None:
    """An empty run has a page, too."""
    assert "No such" not in checked(page([], {}, describe(), quick=False))
    empty = attrs.evolve(ANSWER, rows=())
    assert "not measured" in checked(page([empty], {}, describe(), quick=False))


@pytest.mark.skipif(not plots.available(), reason=f"{plots.PACKAGE} is not installed")
@pytest.mark.parametrize("cases", [(1, 10, 100), ("cut", "crash", "storm"), (0, 1, 2)], ids=str)
def test_plots(cases: tuple[int | str, ...]) -> None:
    """Lines over sizes and bars over names, the same text each time."""
    cost = {"cost": Figure("us", (1.0, 2.0))}
    sides = tuple(attrs.evolve(OURS, name=name) for name in ("ours", "peer"))
    rows = tuple(Row(side.name, case, cost) for side in sides for case in cases)
    answer = Answer(attrs.evolve(QUESTION, sides=sides), rows, {})
    (svg,) = plots.draw(answer)
    assert svg.startswith("<svg")
    assert {"cost", "us", "ours", "peer"} <= set(re.findall(r">([^<>\s]+)</text>", svg))
    assert plots.draw(answer) == [svg]


@pytest.mark.skipif(not plots.available(), reason=f"{plots.PACKAGE} is not installed")
def test_sizes_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A size of 0 is one: a line goes on from there, and is no bar."""
    monkeypatch.setattr(plots, "_bars", None)
    rows = tuple(Row(OURS.name, n, {"cost": Figure("us", (1.0 + n, 1.1 + n))}) for n in (0, 10, 100))
    (svg,) = plots.draw(Answer(QUESTION, rows, {}))
    assert {"0", "10", "100"} <= set(re.findall(r">([^<>\s]+)</text>", svg))


@pytest.mark.skipif(not plots.available(), reason=f"{plots.PACKAGE} is not installed")
def test_fit_is_drawn() -> None:
    """With what was found beside it; of what has no growth, none."""
    (svg,) = plots.draw(ANSWER)
    assert f">{ANSWER.trends[0].told}</text>" in svg
    bare = attrs.evolve(ANSWER, question=attrs.evolve(QUESTION, growth=()))
    assert "n^" not in plots.draw(bare)[0]


@pytest.mark.skipif(not plots.available(), reason=f"{plots.PACKAGE} is not installed")
@pytest.mark.parametrize("cases", [(1, 10, 100), ("cut", "crash", "storm")], ids=str)
def test_whiskers(cases: tuple[int | str, ...]) -> None:
    """How far the rounds lie apart is shown of lines and of bars."""
    pictures = []
    for values in ((2.0, 2.0, 2.0), (1.0, 2.0, 2.5)):
        rows = tuple(Row(OURS.name, case, {"cost": Figure("us", values)}) for case in cases)
        (svg,) = plots.draw(Answer(attrs.evolve(QUESTION, growth=()), rows, {}))
        pictures.append(svg)
    assert pictures[0] != pictures[1]


def test_broken_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said on the page, and everything else is there; until all is measured, nothing is even tried."""

    def draw(answer: Answer) -> list[str]:
        raise ImportError("no <numbers>")

    monkeypatch.setattr(plots, "draw", draw)
    monkeypatch.setattr(plots, "available", lambda: True)
    text = checked(page([ANSWER], {}, describe(), quick=False))
    assert f"No plots: {plots.PACKAGE} does not work: ImportError: no &lt;numbers&gt;." in text
    assert "<td>11 ±9%</td>" in text
    text = checked(page([ANSWER], {}, describe(), quick=False, waiting=2))
    assert "No plots: questions still to be asked, when this was written: 2." in text


def test_taking() -> None:
    """When it was asked, for how long, how often, and with what."""
    taken = attrs.evolve(ANSWER, taking=Taking("2026-01-02T03:04:05Z", 61.5, 3))
    text = checked(page([taken], {}, describe(), quick=True, waiting=1))
    assert "2026-01-02T03:04:05Z, 62 s, 3 rounds of each side" in text
    assert f"openssl {ssl.OPENSSL_VERSION.split()[1]}" in text
    assert taken.as_json()["taking"] == {"at": "2026-01-02T03:04:05Z", "seconds": 61.5, "rounds": 3}


@pytest.mark.skipif(plots.available(), reason=f"{plots.PACKAGE} is installed")
def test_no_plots() -> None:
    """Said on the page, and everything else is there."""
    assert f"No plots: {plots.PACKAGE} is not installed" in page([ANSWER], {}, describe(), quick=False)
