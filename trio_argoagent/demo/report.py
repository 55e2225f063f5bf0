"""What was seen, as JSON, and as lines for people."""

from __future__ import annotations

import json
from typing import Any

import attrs

from trio_argoagent.demo import propagation
from trio_argoagent.demo.fleet import Fleet, Node


@attrs.frozen
class Counted:
    """What the drive has done."""

    changes: int
    cuts: int
    restarts: int


def report(fleet: Fleet, differences: list[str], counted: Counted) -> dict[str, Any]:
    """The whole report."""
    samples = [sample for node in fleet.nodes.values() for sample in node.stopwatch.samples]
    return {
        "consistent": not differences,
        "differences": differences,
        "agents": [_agent(fleet, node, differences) for node in fleet.nodes.values()],
        "propagation_ms": attrs.asdict(propagation.summary(samples)),
        "changes": counted.changes,
        "cuts": counted.cuts,
        "restarts": counted.restarts,
    }


def _agent(fleet: Fleet, node: Node, differences: list[str]) -> dict[str, Any]:
    links, observed, traffic = node.totals()
    applications = fleet.applications(node)
    differing = {line.split(": ")[1] for line in differences if line.startswith(f"{node.name}: Application ")}
    return {
        "name": node.name,
        "mode": node.mode.value,
        "applications": applications,
        "in_sync": applications - len(differing),
        "links": links,
        "records_sent": observed + fleet.desired_records(node.name),
        "bytes_sent": traffic.bytes_sent,
        "bytes_received": traffic.bytes_received,
    }


def text(value: dict[str, Any]) -> str:
    """The report as JSON, with a newline at its end."""
    return json.dumps(value, indent=2) + "\n"


def lines(value: dict[str, Any]) -> list[str]:
    """The report for people."""
    times = value["propagation_ms"]
    found = [
        f"{a['name']:<10} {a['mode']:<11} {a['in_sync']}/{a['applications']} in sync, {a['links']} links, "
        f"{a['records_sent']} records, {a['bytes_sent']} B sent, {a['bytes_received']} B received"
        for a in value["agents"]
    ]
    found.append(
        f"{value['changes']} changes, {value['cuts']} cuts, {value['restarts']} restarts; "
        f"a spec takes {times['p50']:.1f} ms (p50), {times['p99']:.1f} ms (p99), n = {times['n']}"
    )
    found += [f"differs: {line}" for line in value["differences"]]
    found.append("consistent" if value["consistent"] else f"{len(value['differences'])} differences")
    return found
