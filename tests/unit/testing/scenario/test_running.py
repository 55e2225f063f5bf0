"""A scenario does what it says, and says what did not hold: the judges can be wrong in no way unnoticed."""

from __future__ import annotations

import pytest

from trio_argoagent.testing.scenario.parsing import parse
from trio_argoagent.testing.scenario.running import run

from .files import GOOD, play

WEB = "hub Application east/web"
COPY = "east Application argocd/web"


def test_a_good_run() -> None:
    """Nothing has failed; the same seed gives the same history, another seed another one."""
    scenario = parse(GOOD)
    first, again, other = run(scenario), run(scenario), run(scenario, seed=2)
    first.check()
    assert first.timeline == ()
    assert (first.digest, first.steps) == (again.digest, again.steps)
    assert other.digest != first.digest
    other.check()


@pytest.mark.parametrize(
    ("expect", "field", "why"),
    [
        (f"{{object: {WEB}, absent: true}}", "expect[0]", "it is there"),
        (f"{{object: {WEB}x, present: true}}", "expect[0]", "there is no Application webx"),
        (f"{{object: {WEB}, field: spec.project, equals: team}}", "expect[0]", 'it is "default"'),
        (f"{{object: {WEB}, field: spec.project, differs: default}}", "expect[0]", 'it is "default"'),
        (f"{{object: {WEB}, field: spec.project, missing: true}}", "expect[0]", 'it is "default"'),
        (f"{{object: {WEB}, field: spec.projects, equals: x}}", "expect[0]", "it is missing"),
        (f"{{object: {WEB}, field: 'metadata.finalizers[9]', equals: x}}", "expect[0]", "it is missing"),
        (f"{{object: {WEB}, field: metadata.finalizers, contains: x}}", "expect[0]", "it is ["),
        (f"{{object: {WEB}, field: metadata.uid, changed_since: start}}", "expect[0]", "it is "),
        (f"{{object: {COPY}, field: spec, same_as: {{object: {WEB}, field: spec}}}}", "expect[0]", "it is "),
        ("{count: operations, agent: east, equals: 1}", "expect[0]", "there are 0"),
        ("{count: links, agent: east, at_least: 1}", "expect[0]", "there are 0"),
        ("{count: deployed, agent: east, application: web, at_most: 1}", "expect[0]", "there are 2"),
        ("{unlinked: east}", "expect[0]", "knows of one"),
        (f"{{never: {{object: {WEB}, present: true}}}}", "expect[0].never", "from the beginning"),
    ],
)
def test_what_is_not_so_is_told(expect: str, field: str, why: str) -> None:
    """Each test of a condition fails where it must, and says where, what, and how it is instead."""
    (failure,) = play(expect=f"[{expect}]").failures
    assert f"test.yaml:2: {field}: " in failure
    assert why in failure


def test_what_is_so_is_not_told() -> None:
    """Likewise each of them holds where it must."""
    expect = (
        f"{{object: {WEB}, present: true}}", f"{{object: {WEB}x, absent: true}}",
        f"{{object: {WEB}, field: spec.project, equals: default}}",
        f"{{object: {WEB}, field: spec.project, differs: team}}",
        f"{{object: {WEB}, field: spec.projects, missing: true}}",
        f"{{object: {WEB}, field: 'spec.source', contains: path}}",
        f"{{object: {WEB}, field: 'metadata.finalizers[0]', contains: resources}}",
        f"{{object: {WEB}, field: metadata.uid, unchanged_since: start}}",
        f"{{object: {COPY}, field: spec.source, same_as: {{object: {WEB}, field: spec.source}}}}",
        "{count: operations, agent: east, equals: 0}", "{linked: east}", "consistent", "synced",
        f"{{never: {{object: {WEB}, absent: true}}}}",
    )  # fmt: skip
    play(expect=f"[{', '.join(expect)}]").check()


def test_a_wait_in_vain_ends_the_timeline() -> None:
    """Later steps are not tried; the timeline shows what had happened, and the failure last."""
    outcome = play("cut: east", f"wait: {{object: {WEB}, absent: true, within: 10s}}", "sync: " + WEB)
    (failure,) = outcome.failures
    assert f"test.yaml:7: timeline[1].wait: after 10 s not yet: {WEB} is absent: it is there" in failure
    assert any("cut east" in line for line in outcome.timeline)
    assert "violation" in outcome.timeline[-1]
    assert not any(f"sync {WEB}" in line for line in outcome.timeline)


def test_a_check_in_vain_is_told_and_the_timeline_goes_on() -> None:
    """It is about one moment; what follows may be worth knowing."""
    outcome = play("check: {unlinked: east}", "wait: 1s", "check: [{linked: east}, {unlinked: east}]")
    assert [text.partition(" s: ")[2].partition(": not")[0] for text in outcome.failures] == [
        "test.yaml:6: timeline[0].check", "test.yaml:8: timeline[2].check[1]",
    ]  # fmt: skip


def test_never_is_judged_at_every_write() -> None:
    """What was so for an instant between two looks is seen, once, with who did it."""
    edits = [f"patch: {{object: {WEB}, change: {{metadata: {{labels: {{x: {value}}}}}}}}}" for value in "121"]
    never = f"{{never: {{object: {WEB}, field: metadata.labels.x, equals: '2'}}}}"
    quoted = [edit.replace("x: 1", "x: '1'").replace("x: 2", "x: '2'") for edit in edits]
    (failure,) = play(*quoted, expect=f"[{never}]").failures
    assert "expect[0].never" in failure
    assert "after a write by user" in failure


def test_a_refusal_ends_the_timeline_unless_it_was_expected() -> None:
    """A second sync while the first one runs is refused by Argo CD's server; so is a name that is taken."""
    twice = (f"sync: {WEB}", f"sync: {WEB}")
    slow = "east: {mode: managed, operation: 10m}"
    quiet = "{objects: [{application: web, agent: east}]}"
    (failure,) = play(*twice, "cut: east", agents=slow, workload=quiet, ends="nothing").failures
    assert "timeline[1].sync: sync is refused: FailedPrecondition: another operation" in failure
    expected = (twice[0], "{refused: true, sync: " + WEB + "}")
    play(*expected, agents=slow, workload=quiet, ends="nothing").check()
    (failure,) = play("{refused: true, cut: east}", ends="nothing").failures
    assert "was to be refused, and is not" in failure


def test_a_resource_that_is_not_deployed_cannot_fail() -> None:
    """It is a mistake of the scenario, told at its line."""
    step = "degrade: {agent: east, kind: Deployment, namespace: web, name: other}"
    (failure,) = play(step).failures
    assert "timeline[0].degrade" in failure and "is not deployed" in failure


def test_a_violated_rule_fails_a_scenario_that_expects_nothing() -> None:
    """The monitors judge every write: somebody deletes a live copy in the agent's name."""
    outcome = play(f"delete: {{object: {COPY}, by: agent}}", "wait: 5s")
    assert any("I3:" in failure for failure in outcome.failures)


def test_steps_repeat_and_run_in_the_background() -> None:
    """A flood goes on while other steps follow, each time with its own number; the end waits for it."""
    patch = f"patch: {{object: {WEB}, change: {{metadata: {{labels: {{n: '{{n}}'}}}}}}}}"
    flood = f"{{times: 20, every: 1s, background: true, {patch}}}"
    outcome = play(
        flood,
        "wait: 5500ms",
        "mark: middle",
        expect=(
            f"[{{object: {WEB}, field: metadata.labels.n, equals: '20'}},"
            " {count: writes, on: hub, by: user, name: web, equals: 20},"
            " {count: writes, on: hub, by: user, name: web, since: middle, equals: 14}]"
        ),
    )
    outcome.check()


def test_what_lasts_is_not_healed_by_the_end_of_something_else() -> None:
    """A reset of the link does not end a cut, and a crash that is over starts nobody who is down."""
    play(
        "cut: east",
        "kill: east",
        "kill: east",
        "fault: {name: reset, on: east}",
        "fault: {name: crash, on: east, for: 5s}",
        "wait: 60s",
        "check: {unlinked: east}",
        "restart: east",
        "wait: 60s",
        "check: {unlinked: east}",
        "heal: east",
        "wait: {linked: east, within: 60s}",
    ).check()


def test_programs_that_are_stopped_from_the_beginning() -> None:
    """The agent comes when it is started, and not before."""
    text = "{agents: {east: managed}, stopped: [east]}"
    scenario = parse(
        f"title: x\nfleet: {text}\n"
        "workload: {objects: [{application: web, agent: east}], settle: nothing}\n"
        f"timeline:\n- {{after: 60s, check: {{object: {COPY}, absent: true}}}}\n- restart: east\n"
        f"expect:\n- {{object: {COPY}, present: true}}\n"
    )
    run(scenario).check()


def test_users_act_by_the_seed() -> None:
    """People at work: the same ones for the same seed; and the end is silent."""
    scenario = parse(
        "title: x\nfleet: {east: managed}\nends: silent\nworkload: {users: {pace: 500ms, for: 20s}}\n"
        "expect: [{count: writes, by: argocd-server, at_least: 5}]\n"
    )
    first, again = run(scenario), run(scenario)
    first.check()
    assert first.digest == again.digest


def test_a_silence_that_is_none_is_told() -> None:
    """A link that is down at the end leaves both sources unsettled: a silent scenario ends otherwise."""
    outcome = play("cut: east", ends="silent")
    assert outcome.failures
    assert all("I9: " in failure for failure in outcome.failures)
    play("cut: east", "after: 60s\n    heal: east", ends="silent").check()
