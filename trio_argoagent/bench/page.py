"""All answers as one HTML page that needs nothing beside it: no script, no font, no other file."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from trio_argoagent.bench import plots
from trio_argoagent.bench.answers import Answer
from trio_argoagent.bench.report import cell, named, number

TITLE: Final = "<title>trio-argoagent: figures</title>"
WAITING: Final = "questions still to be asked, when this was written: {}"
_STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #222; }
h1 { font-size: 1.6rem; }
h2 { font-size: 1.15rem; margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: 1rem; }
table { border-collapse: collapse; margin: .6rem 0; display: block; overflow-x: auto; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap; }
th { border-bottom: 2px solid #999; } td.text, th.text { text-align: left; white-space: normal; }
.met { color: #176b2c; } .missed { color: #a3231b; font-weight: 600; } .unknown { color: #777; }
.pictures { display: flex; flex-wrap: wrap; gap: .5rem; } .pictures svg { max-width: 100%; height: auto; }
small { color: #666; }
"""
_WORDS: Final = {True: "met", False: "missed", None: "not measured"}
_CLASSES: Final = {True: "met", False: "missed", None: "unknown"}


def page(
    answers: Sequence[Answer],
    failed: Mapping[str, str],
    machine: Mapping[str, Any],
    *,
    quick: bool,
    waiting: int = 0,
) -> str:
    """The page.

    Args:
        answers: in the order in which they are shown.
        failed: questions that could not be answered, and why.
        machine: see ``machine.describe``.
        quick: was it a quick look?
        waiting: questions that are still to be asked. Until none is, nothing is drawn: what draws would take
            its part of the memory, and of the time, of what is measured next.
    """
    pictures, undrawn = ({}, WAITING.format(waiting)) if waiting else _pictures(answers)
    parts = [_summary(answers), *(_question(each, pictures.get(each.question.name, "")) for each in answers)]
    if failed:
        reasons = _list(f"{name}: {why}" for name, why in failed.items())
        parts.append(f"<h2>Without an answer, or not kept</h2>{reasons}")
    if undrawn:
        parts.append(f"<p><small>No plots: {escape(undrawn)}.</small></p>")
    looked = " A quick look: one round of smaller cases; its figures are coarse." if quick else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{TITLE}<style>{_STYLE}</style></head><body>"
        f"<h1>trio-argoagent: figures</h1><p>{escape(_told(machine))}.{looked}</p>"
        f"{''.join(parts)}</body></html>\n"
    )


def _pictures(answers: Sequence[Answer]) -> tuple[dict[str, str], str]:
    """Those of each question, or why there are none."""
    if not plots.available():
        return {}, f"{plots.PACKAGE} is not installed"
    # It would tell people that it cannot keep its fonts in their home, which is no matter.
    logging.getLogger(plots.PACKAGE).setLevel(logging.ERROR)
    try:
        drawn = {each.question.name: "".join(plots.draw(each)) for each in answers if each.rows}
    except Exception as exc:  # Whatever the parts of another's program fail with.
        return {}, f"{plots.PACKAGE} does not work: {type(exc).__name__}: {exc}"
    return {name: f'<div class="pictures">{text}</div>' for name, text in drawn.items()}, ""


def _told(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    revision = f"; revision {machine['revision']}" if machine["revision"] else ""
    pinned = ", clients and servers of pairs on different cores" if machine["pinned"] else ""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']},"
        f" load {machine['load']} at the start{pinned}; {versions}{revision}"
    )


def _summary(answers: Sequence[Answer]) -> str:
    """Every goal and every growth in one table."""
    rows = []
    for answer in answers:
        link = f'<a href="#{escape(answer.question.name)}">{escape(answer.question.name)}</a>'
        for verdict in answer.verdicts:
            times = "x" if verdict.goal.peer else ""
            value = "" if verdict.value is None else number(verdict.value) + times
            bound = f"{verdict.goal.sense.value} {number(verdict.goal.bound)}{times}"
            rows.append(_judged(link, verdict.goal.text, bound, value, met=verdict.met))
        for trend in answer.trends:
            bound = f"at most n^{trend.growth.most:g}"
            rows.append(_judged(link, trend.growth.text, bound, trend.told, met=trend.met))
    if not rows:
        return ""
    heads = ("question", "goal", "bound", "found", "")
    head = "".join(f'<th class="text">{name}</th>' for name in heads)
    return f"<h2>Goals</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _judged(link: str, text: str, bound: str, value: str, *, met: bool | None) -> str:
    return (
        f'<tr><td class="text">{link}</td><td class="text">{escape(text)}</td>'
        f'<td>{bound}</td><td>{value}</td><td class="{_CLASSES[met]}">{_WORDS[met]}</td></tr>'
    )


def _question(answer: Answer, pictures: str) -> str:
    asked = answer.question
    heading = f'<h2 id="{escape(asked.name)}">{escape(asked.name)}: {escape(asked.what)}</h2>'
    absent = _list(f"{name}: {why}" for name, why in answer.absent.items())
    return heading + _taking(answer) + _table(answer) + absent + pictures


def _taking(answer: Answer) -> str:
    """When and how much."""
    taking = answer.taking
    if taking is None:
        return ""
    rounds = "1 round" if taking.rounds == 1 else f"{taking.rounds} rounds"
    return f"<p><small>{taking.at}, {taking.seconds:,.0f} s, {rounds} of each side</small></p>"


def _table(answer: Answer) -> str:
    units = {name: figure.unit for row in answer.rows for name, figure in row.figures.items()}
    heads = "".join(f"<th>{escape(name)}<br><small>{escape(of)}</small></th>" for name, of in units.items())
    rows = [
        f'<tr><td>{escape(named(row.case))}</td><td class="text">{escape(row.side)}</td>'
        + "".join(f"<td>{cell(row.figures.get(name))}</td>" for name in units)
        + "</tr>"
        for row in answer.rows
    ]
    unit = escape(answer.question.case_unit)
    return f'<table><tr><th>{unit}</th><th class="text">side</th>{heads}</tr>{"".join(rows)}</table>'


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
