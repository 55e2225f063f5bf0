"""What a person is shown of a run that broke a rule."""

from __future__ import annotations

import pytest

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.testing import timeline
from trio_argoagent.testing.campaign import Job
from trio_argoagent.testing.plan import Options
from trio_argoagent.testing.trial import Moment, run_plan


@pytest.fixture(scope="module")
def moments() -> list[Moment]:
    """A quiet run of two agents with several Applications."""
    found: list[Moment] = []
    run_plan(Job(3, Options(agents=2, apps=3, seconds=15.0, faults=())).find_plan(), trace=found.append)
    return [moment for moment in found if moment.what != "violation"]


def violation(text: str, at: float = 300.0) -> Moment:
    """As a monitor tells it in the end."""
    return Moment(at, "", "", "violation", text)


def write(moments: list[Moment], actor: str, verb: str) -> tuple[Moment, LogEntry]:
    """The first such write."""
    for moment in moments:
        entry = moment.entry
        if entry is not None and entry.actor == actor and entry.verb.value == verb:
            return moment, entry
    raise AssertionError(f"{actor} never does {verb}")


def test_a_write_is_one_line(moments: list[Moment]) -> None:
    """When, where, who, what, to what; an update names the fields it changed."""
    moment, entry = write(moments, "agent", "CREATE")
    line = str(timeline.line(moment))
    key = f"{entry.namespace}/{entry.name}"
    assert line.split() == [f"{moment.at:.3f}", moment.cluster, "agent", "creates", entry.resource.kind, key]
    moment, entry = write(moments, "principal", "UPDATE")
    assert " patches " in str(timeline.line(moment))
    assert str(timeline.line(moment)).partition(entry.name)[2].startswith(": ")
    assert all(len(str(timeline.line(each))) < 400 for each in moments)
    assert all("\n" not in str(timeline.line(each)) for each in moments)


def test_only_what_the_violation_names_is_shown(moments: list[Moment]) -> None:
    """The object, its agent, and nothing later than the violation, which comes last."""
    _, entry = write(moments, "agent", "UPDATE")
    moment = next(each for each in moments if each.entry is entry)
    text = f"{moment.at:.3f} s: I3: Application {moment.cluster}/{entry.name} is odd"
    shown = timeline.select([*moments, violation(text)])
    assert shown[-1].split()[1:3] == ["violation", "I3:"]
    assert shown[-2] == str(timeline.line(moment))
    for line in shown[:-1]:
        assert f"/{entry.name}" in line
        assert moment.cluster in line
        assert float(line.split()[0]) <= moment.at + 0.0006  # It is rounded.


def test_troubles_are_shown_whatever_the_object(moments: list[Moment]) -> None:
    """But only those of the agents that the violation names; actions only where the whole plan is small."""
    agents = sorted({each.cluster for each in moments if each.entry is not None and each.cluster != "hub"})
    troubles = [Moment(0.1, agent, agent, "trouble", "cut: the link is gone") for agent in agents]
    found = [*troubles, *moments, violation(f"200.000 s: L1: {agents[0]}: Application none differs")]
    shown = timeline.select(found, length=10_000)
    assert [line.split()[1] for line in shown if " trouble " in line] == [agents[0]]
    assert not any(" users " in line for line in shown)
    assert any(" users " in line for line in timeline.select(found, whole=True, length=10_000))


def test_of_too_many_lines_the_last_are_shown(moments: list[Moment]) -> None:
    """And how many are not shown is said."""
    found = [*moments, violation("L2: 3 writes while nothing changed")]
    whole, short = timeline.select(found, length=10_000), timeline.select(found, length=5)
    assert short[1:] == whole[-6:]
    assert short[0].split() == ["...", str(len(whole) - 6), "earlier", "lines"]


def test_what_is_said_twice_is_one_line() -> None:
    """With its number."""
    same = [Moment(float(at), "m1", "m1", "trouble", "reset: the link ends") for at in range(3)]
    (line,) = timeline.select(same)
    assert line.endswith("reset: the link ends (x3)")


def test_when_a_violation_happened() -> None:
    """Its text says; else it comes after all that do say."""
    assert timeline.when("12.345 s: I3: gone") == 12.345
    assert timeline.when("m1: W1: pruned") == float("inf")
