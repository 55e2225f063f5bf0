"""A whole file is checked before anything starts, and what is wrong is said with its line and field."""

from __future__ import annotations

import pytest

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.testing.argocd.names import Dialect
from trio_argoagent.testing.scenario.actions import ACTIONS, ALONE
from trio_argoagent.testing.scenario.conditions import CONDITIONS
from trio_argoagent.testing.scenario.doing import DOERS
from trio_argoagent.testing.scenario.judging import JUDGES
from trio_argoagent.testing.scenario.parsing import parse

from .files import GOOD, changed


def test_a_good_file() -> None:
    """What it says is what comes of it."""
    found = parse(GOOD, "good.yaml")
    east, edge = found.spokes
    assert (east.name, east.mode, edge.mode) == ("east", Mode.MANAGED, Mode.AUTONOMOUS)
    assert (edge.settings.dialect, edge.settings.operation) == (Dialect.V35, 60.0)
    assert [batch.times for batch in found.objects] == [1, 2]
    assert found.objects[0].applied.cluster == "hub"
    assert found.objects[1].applied.cluster == "edge"
    assert [step.action for step in found.timeline] == ["cut", "sync", "mark", "heal", "wait"]
    assert (found.timeline[1].after, found.timeline[3].at) == (5.0, 60.0)
    assert found.timeline[1].where.line == 12
    assert str(found.timeline[1].arguments["object"]) == "hub Application east/web"
    assert found.timeline[4].arguments["within"] == 90.0
    assert (len(found.expect), len(found.never)) == (2, 1)
    assert (found.seed, found.settle, found.ends) == (1, "consistent", "consistent")


def test_what_is_short_and_what_is_long_say_the_same() -> None:
    """A bare value stands for the main key of its mapping."""
    long = changed("  - cut: east\n", "  - cut: {agent: east}\n")
    assert parse(long).timeline[0].arguments == parse(GOOD).timeline[0].arguments


def test_every_action_is_carried_out_and_every_condition_judged() -> None:
    """The tables of the parser and of the runner are about the same names."""
    assert set(DOERS) == set(ACTIONS) - set(ALONE)
    assert set(JUDGES) == set(CONDITIONS)


_WRONG = [
    ("title: A sync that is pressed while the link is down\n", "", 1, "", "title is missing"),
    ("timeline:", "timelime:", 9, "timelime", "did you mean 'timeline'?"),
    ("east: managed", "east: manged", 3, "fleet.east", "did you mean 'managed'?"),
    ("east: managed", "hub: managed", 3, "fleet.hub", "choose another name"),
    ("east: managed", "East: managed", 3, "fleet.East", "lower-case"),
    ("operation: 1m", "operation: soon", 4, "fleet.edge.operation", "must be a time"),
    ("dialect: 3.5", "dialect: 3.4", 4, "fleet.edge.dialect", "there is no '3.4'"),
    ("application: web, agent: east}\n    -", "applicaton: web, agent: east}\n    -", 7,
     "workload.objects[0]", "did you mean 'application'?"),
    ("web, agent: east}\n    -", "web, agent: eats}\n    -", 7, "workload.objects[0].agent",
     "there is no agent 'eats': did you mean 'east'?"),
    ("web, agent: east}\n    -", "web, agent: east, spec: {info: 1}}\n    -", 7,
     "workload.objects[0].spec.info", "must be of type array"),
    ("web, agent: east}\n    -", "Web_, agent: east}\n    -", 7, "workload.objects[0]", "metadata.name"),
    ("web, agent: east}\n    -", "web, agent: east, revision: 3.10}\n    -", 7,
     "workload.objects[0].revision", "must be a text, not 3.1; put it in quotes"),
    ("times: 2", "times: 0", 8, "workload.objects[1].times", "must be 1 to"),
    ("cut: east", "cutt: east", 10, "timeline[0].cutt", "did you mean 'cut'?"),
    ("cut: east", "cut: hub", 10, "timeline[0].cut", "there is no agent 'hub'"),
    ("cut: east", "cut: [east]", 10, "timeline[0].cut", "must be one of east, edge"),
    ("cut: east", "cut: {agnet: east}", 10, "timeline[0].cut.agnet", "did you mean 'agent'?"),
    ("- cut: east", "- {cut: east, heal: edge}", 10, "timeline[0]", "exactly one action"),
    ("- cut: east", "- after: 3", 10, "timeline[0]", "exactly one action, not none"),
    ("- cut: east", "- cut", 10, "timeline[0]", "must be a step"),
    ("after: 5s", "after: 8d", 11, "timeline[1].after", "must be 0 to 604800"),
    ("after: 5s", "after: -5", 11, "timeline[1].after", "must be 0 to"),
    ("after: 5s", "after: .nan", 11, "timeline[1].after", "must be a time"),
    ("after: 5s", "every: 5s", 11, "timeline[1].every", "needs 'times'"),
    ("after: 5s", "at: 61s", 14, "timeline[3].at", "in their order"),
    ("- at: 60s", "- after: 5\n    at: 60s", 14, "timeline[3].after", "must not stand beside 'at'"),
    ("- at: 60s", "- at: [60s", 15, "", "this is not YAML"),
    ("- mark: asked", "- {mark: asked, times: 2}", 13, "timeline[2].times", "has no meaning for 'mark'"),
    ("mark: asked", "mark: start", 13, "timeline[2].mark", "was made before"),
    ("sync: hub Application east/web", "sync: hub AppProject argocd/web", 12, "timeline[1].sync",
     "must be an Application"),
    ("sync: hub Application east/web", "sync: hub Aplication east/web", 12, "timeline[1].sync",
     "did you mean 'Application'?"),
    ("sync: hub Application east/web", "sync: east/web", 12, "timeline[1].sync",
     "CLUSTER KIND NAMESPACE/NAME"),
    ("sync: hub Application east/web", "sync: hub Application web", 12, "timeline[1].sync",
     "NAMESPACE/NAME: Application"),
    ("heal: east", "fault: {name: cutt, on: east}", 15, "timeline[3].fault.name", "did you mean 'cut'?"),
    ("heal: east", "fault: {name: crash, on: hub}", 15, "timeline[3].fault.on", "there is no 'hub'"),
    ("heal: east", "fault: {name: cut, on: east, strength: 2}", 15, "timeline[3].fault.strength", "0 to 1"),
    ("heal: east", "kill: [east, prinzipal]", 15, "timeline[3].kill[1]", "did you mean 'principal'?"),
    ("heal: east", "half_open: {agent: east, up: false, down: false}", 15, "timeline[3].half_open",
     "must lose"),
    ("heal: east", "patch: {object: hub Namespace east, change: 1}", 15, "timeline[3].patch.change",
     "must be a mapping"),
    ("heal: east", "wait: consistnt", 15, "timeline[3].wait", "did you mean 'consistent'?"),
    ("heal: east", "check: {linkd: east}", 15, "timeline[3].check", "did you mean 'linked'?"),
    ("field: status.operationState.phase, ", "", 16, "timeline[4].wait", "present, absent"),
    ("equals: Succeeded", "equals: Succeeded, missing: true", 16, "timeline[4].wait",
     "exactly one of equals"),
    ("equals: Succeeded", "equal: Succeeded", 16, "timeline[4].wait.equal", "did you mean 'equals'?"),
    ("status.operationState.phase", "status..phase", 16, "timeline[4].wait.field", "is no field"),
    ("within: 90", "within: long", 16, "timeline[4].wait.within", "must be a time"),
    ("count: operations", "count: operation", 18, "expect[0].count", "did you mean 'operations'?"),
    ("application: web, equals: 1", "aplication: web, equals: 1", 18, "expect[0].aplication",
     "did you mean 'application'?"),
    ("application: web, equals: 1", "application: web", 18, "expect[0]", "exactly one of equals, at_most"),
    ("application: web, equals: 1", "equals: 1, since: later", 18, "expect[0].since", "no mark before this"),
    ("unchanged_since: start", "unchanged_since: strat", 19, "expect[1].unchanged_since",
     "did you mean 'start'?"),
    ("absent: true", "absent: false", 20, "expect[2].never.absent", "must be true"),
    ("never: {object: hub Application east/web, absent: true}", "never: consistent", 20, "expect[2].never",
     "on one object"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "field", "hint"), _WRONG)
def test_what_is_wrong_is_said_with_its_line_and_field(
    old: str, new: str, line: int, field: str, hint: str
) -> None:
    """FILE:LINE: FIELD: what is wrong, in one line, with the nearest right name."""
    with pytest.raises(UserError) as caught:
        parse(changed(old, new), "bad.yaml")
    said = str(caught.value)
    assert said.startswith(f"bad.yaml:{line}: {field}{': ' if field else ''}"), said
    assert hint in said
    assert "\n" not in said


def test_a_field_of_a_whole_object_is_found_in_it() -> None:
    """The API server's complaint about a Kubernetes object is said at the line that it is about."""
    text = changed(
        "    - {application: web, agent: east}\n",
        "    - on: hub\n"
        "      object:\n"
        "        apiVersion: argoproj.io/v1alpha1\n"
        "        kind: Application\n"
        "        metadata: {name: web, namespace: east}\n"
        "        spec:\n"
        "          project: default\n"
        "          destination: {server: x}\n"
        "          source:\n"
        "            repoURL: 5\n",
    )
    with pytest.raises(UserError, match=r"^bad\.yaml:16: workload.objects\[0\].*repoURL"):
        parse(text, "bad.yaml")


def test_a_kind_that_no_cluster_serves() -> None:
    """It is named, and so are those that there are."""
    text = changed("{application: web, agent: east}", "{on: hub, object: {apiVersion: v1, kind: Pod}}")
    with pytest.raises(UserError, match=r"there is no v1 Pod: choose of .*argoproj.io/v1alpha1 Application"):
        parse(text)
