"""The report: its shape, its sums, and its lines for people."""

from __future__ import annotations

import json
from pathlib import Path

from trio_argoagent.demo import report
from trio_argoagent.demo.report import Counted
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.machine import NAMESPACE

from .fleets import agent_says, idle_fleet, principal_says, source


async def test_the_whole_report(tmp_path: Path) -> None:
    """Exactly the documented keys, in their order; the records of both directions are added up."""
    fleet = idle_fleet(tmp_path)
    east = fleet.nodes["east"]
    await east.machine.make_namespaces(NAMESPACE)
    for name in ("a", "b"):
        await east.machine.local("you").create(APPLICATIONS, application(name))
    agent_says(east, observed=source(records=7))
    principal_says(fleet, source(records=4))
    east.stopwatch.samples.extend([1.0, 2.0, 3.0])
    differences = ["east: Application a: has no copy", "east: Application a: operation differs"]
    value = report.report(fleet, differences, Counted(changes=5, cuts=2, restarts=1))
    nothing = {
        "applications": 0,
        "in_sync": 0,
        "links": 0,
        "records_sent": 4,
        "bytes_sent": 0,
        "bytes_received": 0,
    }
    assert value == {
        "consistent": False,
        "differences": differences,
        "agents": [
            {
                "name": "east", "mode": "managed", "applications": 2, "in_sync": 1, "links": 2,
                "records_sent": 11, "bytes_sent": 1000, "bytes_received": 500,
            },
            {"name": "west", "mode": "managed", **nothing},
            {"name": "edge", "mode": "autonomous", **nothing},
        ],
        "propagation_ms": {"p50": 2.0, "p99": 3.0, "n": 3},
        "changes": 5,
        "cuts": 2,
        "restarts": 1,
    }  # fmt: skip
    text = report.text(value)
    assert text.endswith("}\n")
    assert json.loads(text) == value
    assert list(json.loads(text)) == list(value)


def test_lines_for_people(tmp_path: Path) -> None:
    """One for each agent and each difference; the verdict comes last."""
    fleet = idle_fleet(tmp_path)
    value = report.report(fleet, ["edge: Application x: has no copy"], Counted(1, 0, 0))
    lines = report.lines(value)
    assert [line.split()[0] for line in lines[:3]] == ["east", "west", "edge"]
    assert lines[-2:] == ["differs: edge: Application x: has no copy", "1 differences"]
    agreed = report.lines(report.report(fleet, [], Counted(1, 0, 0)))
    assert agreed[-1] == "consistent"
