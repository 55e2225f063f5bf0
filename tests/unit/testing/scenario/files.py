"""Scenario files for tests: a good one, and one with a line changed."""

from __future__ import annotations

from typing import Final

from trio_argoagent.testing.scenario.parsing import parse
from trio_argoagent.testing.scenario.running import run
from trio_argoagent.testing.scenario.telling import Outcome

GOOD: Final = """\
title: A sync that is pressed while the link is down
fleet:
  east: managed
  edge: {mode: autonomous, dialect: 3.5, operation: 1m}
workload:
  objects:
    - {application: web, agent: east}
    - {application: "till-{n}", agent: edge, times: 2}
timeline:
  - cut: east
  - after: 5s
    sync: hub Application east/web
  - mark: asked
  - at: 60s
    heal: east
  - wait: {object: hub Application east/web, field: status.operationState.phase, equals: Succeeded, within: 90}
expect:
  - {count: operations, agent: east, application: web, equals: 1}
  - {object: hub Application east/web, field: metadata.uid, unchanged_since: start}
  - never: {object: hub Application east/web, absent: true}
"""  # noqa: E501


WEB: Final = "{application: web, agent: east, automated: true}"


def changed(old: str, new: str) -> str:
    """The good file with one text in it replaced."""
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def play(*lines: str, agents: str = "east: managed", expect: str = "[]", **more: str) -> Outcome:
    """Run a timeline of these lines of YAML on a small fleet with one Application."""
    fields = {"title": "A test", "expect": expect, "fleet": f"{{{agents}}}", **more}
    fields.setdefault(
        "workload", "{objects: [{application: web, agent: east, automated: true}], settle: synced}"
    )
    head = [f"{name}: {value}" for name, value in fields.items()]
    steps = [f"  - {line}" for line in lines]
    return run(parse("\n".join([*head, "timeline:", *steps]) + "\n", "test.yaml"))
