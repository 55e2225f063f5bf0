"""Alerts and dashboards name metrics and labels that there are, and every alert says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from trio_argoagent.cli.manifests import Objects, built
from trio_argoagent.runtime.enrolment import DAY, Rules
from trio_argoagent.runtime.metrics.machine import CERTIFICATE_EXPIRY, CERTIFICATE_START
from trio_argoagent.runtime.metrics.rows import Kind, Program, Row
from trio_argoagent.runtime.metrics.table import ROWS

from . import promql

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
PROGRAMS = {"principal": Program.PRINCIPAL, "agent-managed": Program.AGENT}
ANCHOR = re.compile(r"docs/metrics\.md#([a-z0-9]+)")
SCRAPED = {"job", "instance"}
"""The labels that Prometheus gives each series itself."""
JOBS = {Program.PRINCIPAL: "argocd-agent-principal-metrics", Program.AGENT: "argocd-agent-agent-metrics"}


@cache
def added(overlay: str) -> Objects:
    """What the component adds."""
    before = {(each["kind"], each["metadata"]["name"]) for each in built(overlay)}
    after = built(overlay, ("monitoring",))
    return [each for each in after if (each["kind"], each["metadata"]["name"]) not in before]


def one(overlay: str, kind: str) -> dict[str, Any]:
    """The one of this kind that is added."""
    (found,) = (each for each in added(overlay) if each["kind"] == kind)
    return found


def alerts(overlay: str) -> list[dict[str, Any]]:
    """All rules."""
    groups = one(overlay, "PrometheusRule")["spec"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard(overlay: str) -> dict[str, Any]:
    """What Grafana reads."""
    (text,) = one(overlay, "ConfigMap")["data"].values()
    return json.loads(text)  # type: ignore[no-any-return]


def queries() -> Iterator[tuple[str, str, str]]:
    """Overlay, where, and expression."""
    for overlay in PROGRAMS:
        for rule in alerts(overlay):
            yield overlay, rule["alert"], rule["expr"]
        for panel in dashboard(overlay)["panels"]:
            for target in panel["targets"]:
                yield overlay, f"{panel['title']} {target['refId']}", target["expr"]


each_query = pytest.mark.parametrize(
    ("overlay", "expression"),
    [pytest.param(overlay, text, id=f"{overlay}: {where}") for overlay, where, text in queries()],
)


def row_of(name: str) -> Row | None:
    """The row of a metric or of one of a histogram's series."""
    rows = {row.name: row for row in ROWS}
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    found = rows.get(name) or rows.get(base)
    if found is None or (found.kind is Kind.HISTOGRAM) != (name not in rows):
        return None
    return found


@each_query
def test_it_asks_for_what_there_is(overlay: str, expression: str) -> None:
    """Metrics of that program, labels that they have, and values that these can have."""
    program = PROGRAMS[overlay]
    read = promql.read(expression)
    assert read.selectors
    allowed = {*SCRAPED, "le"}
    for selector in read.selectors:
        row = row_of(selector.name)
        assert row is not None and program in row.programs, selector.name
        known = {label.name: label for label in row.labels_in(program)}
        for label, value in selector.matchers:
            assert label in known or label in SCRAPED, label
            exact = value[1:].lstrip("=") if value.startswith(("=", "!=")) and "~" not in value[:2] else ""
            if label in known and exact and known[label].values:
                assert exact in known[label].values, exact
        allowed |= known.keys()
    assert {*read.labels} <= allowed


@each_query
def test_counters_are_looked_at_as_they_grow(overlay: str, expression: str) -> None:
    """And nothing else is."""
    for selector in promql.read(expression).selectors:
        row = row_of(selector.name)
        assert row is not None and selector.changes == (row.kind is not Kind.GAUGE), selector.name


@each_query
def test_programs_are_told_apart(overlay: str, expression: str) -> None:
    """What both have is asked of one of them: one Prometheus may scrape both."""
    for selector in promql.read(expression).selectors:
        row = row_of(selector.name)
        assert row is not None
        matchers = dict(selector.matchers)
        if row.programs is Program.BOTH:
            own = f"={JOBS[PROGRAMS[overlay]]}"
            assert matchers.get("job") == own or ("agent_name" in matchers and overlay == "principal")


@pytest.mark.parametrize("overlay", PROGRAMS)
def test_every_alert_says_what_to_do(overlay: str) -> None:
    """In a section of its own on the page, with its name; and how bad it is."""
    titles = [line.removeprefix("### ") for line in PAGE.read_text().splitlines() if line.startswith("### ")]
    for rule in alerts(overlay):
        assert rule["alert"] in titles
        found = ANCHOR.fullmatch(rule["annotations"]["runbook"])
        assert found is not None and found[1] == rule["alert"].lower()
        assert rule["annotations"]["summary"] and rule["labels"]["severity"] in (
            "info",
            "warning",
            "critical",
        )


def test_every_section_is_an_alert_s() -> None:
    """One that was renamed takes its section along, and no two have one name."""
    names = [rule["alert"] for overlay in PROGRAMS for rule in alerts(overlay)]
    section = PAGE.read_text().split("\n## Alerts\n")[1]
    assert re.findall(r"^### (\w+)$", section, re.MULTILINE) == names
    assert len(names) == len({*names})


@pytest.mark.parametrize("overlay", PROGRAMS)
def test_summaries_name_labels_that_there_are(overlay: str) -> None:
    """Of the metric that they are about, or of a grouping."""
    for rule in alerts(overlay):
        read = promql.read(rule["expr"])
        row = row_of(read.selectors[0].name)
        assert row is not None
        known = {label.name for label in row.labels_in(PROGRAMS[overlay])} | {*read.labels}
        assert {*re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])} <= known


@pytest.mark.parametrize("overlay", PROGRAMS)
def test_the_dashboard_is_laid_out(overlay: str) -> None:
    """Panels in 24 columns, none over another, each with a number and a title of its own."""
    shown = dashboard(overlay)
    assert shown["uid"] and shown["title"]
    taken: set[tuple[int, int]] = set()
    for panel in shown["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and max(x for x, _ in cells) < 24
        taken |= cells
    for each in ("id", "title"):
        values = [panel[each] for panel in shown["panels"]]
        assert len(values) == len({*values})


@pytest.mark.parametrize("overlay", PROGRAMS)
def test_the_service_is_scraped(overlay: str) -> None:
    """The one that there is, at the port that it has."""
    monitor = one(overlay, "ServiceMonitor")["spec"]
    wanted = monitor["selector"]["matchLabels"].items()
    services = [each for each in built(overlay) if each["kind"] == "Service"]
    meant = [
        each
        for each in services
        if wanted <= each["metadata"]["labels"].items()
        and any(port["name"] == monitor["endpoints"][0]["port"] for port in each["spec"]["ports"])
    ]
    assert [each["metadata"]["name"] for each in meant] == [JOBS[PROGRAMS[overlay]]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "sum(",
        "rate(x)",
        "x[5m]",
        "a{b}",
        'a{b="c"',
        "a == ",
        "sum by (a, ) (b)",
        "a and on b",
        "by",
    ],
)
def test_what_is_no_query_is_found(text: str) -> None:
    """Else the tests above would find nothing."""
    with pytest.raises(promql.NotPromQL):
        promql.read(text)


def test_a_query_is_read() -> None:
    """Metrics, matchers and groupings."""
    read = promql.read(
        'sum by (le, a) (rate(x_bucket{job="j", b!~"c"}[5m])) > 0.5 and on (a) y{} unless z - time()'
    )
    assert [selector.name for selector in read.selectors] == ["x_bucket", "y", "z"]
    assert read.selectors[0] == promql.Selector("x_bucket", (("job", "=j"), ("b", "!~c")), changes=True)
    assert read.labels == ("le", "a", "a")


@pytest.mark.parametrize(
    ("overlay", "alert"),
    [
        ("principal", "ArgoagentPrincipalCertificateExpires"),
        ("agent-managed", "ArgoagentAgentCertificateExpires"),
    ],
)
@pytest.mark.parametrize(
    ("lifetime", "age", "told"),
    [
        (Rules().lifetime, 0.6, False),
        (Rules().lifetime, 0.7, False),
        (Rules().lifetime, 0.8, True),
        (3600.0, 0.7, False),
        (3600.0, 0.8, True),
        (365 * DAY, 0.9, False),
        (365 * DAY, 0.99, True),
    ],
)
def test_when_a_certificate_is_said_to_expire(
    overlay: str, alert: str, lifetime: float, age: float, told: bool
) -> None:
    """Not while it is to be renewed, however short its life is; nor months before the end of a long one."""
    (rule,) = (each for each in alerts(overlay) if each["alert"] == alert)
    values = {"time()": age * lifetime, CERTIFICATE_EXPIRY.name: lifetime, CERTIFICATE_START.name: 0.0}
    expression = re.sub(r"\{[^}]*\}", "", rule["expr"])
    for name, value in values.items():
        expression = expression.replace(name, repr(value))
    # What is left of it Python and PromQL read alike.
    assert eval(f"({expression})") is told
