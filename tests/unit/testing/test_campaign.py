"""One job, what it comes to, and what many come to together."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import attrs
import pytest

from trio_argoagent.testing.campaign import Job, Outcome, Tally, item_count, play, with_items
from trio_argoagent.testing.plan import Options

from . import broken

ROUGH = Options(agents=1, apps=2, seconds=10.0)


def test_a_job_comes_to_the_same_twice(tmp_path: Path) -> None:
    """Also when it is traced, and when its plan was saved: all of the outcome is equal."""
    once = play(Job(4, ROUGH))
    saved = Job(4, ROUGH).find_plan().to_json()
    assert play(Job(4, plan=saved, trace=str(tmp_path / "trace"))) == once
    assert once.steps > 1000
    assert once.seconds > ROUGH.seconds


def test_the_digest_is_that_of_the_trace(tmp_path: Path) -> None:
    """Every line is one API write; together they hash to what the outcome says."""
    path = tmp_path / "trace"
    outcome = play(Job(4, ROUGH, trace=str(path)))
    assert hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest() == outcome.digest
    writes = [json.loads(line) for line in path.read_text().splitlines()]
    assert {"hub"} < {write["cluster"] for write in writes}
    assert {"installer", "principal"} <= {write["actor"] for write in writes}
    assert [write["at"] for write in writes] == sorted(write["at"] for write in writes)
    assert writes[-1]["object"]["metadata"]["name"] == writes[-1]["name"]


def test_jobs_and_outcomes_survive_the_way_to_another_process() -> None:
    """What is read is what was written."""
    job = Job(7, broken.SHORT, "a plan\n", "a file")
    assert Job.from_json(job.to_json()) == job
    outcome = Outcome(7, "1.0 s: I3: gone\nI9: odd", 5, 1.5, {"cut": 2}, "ab", ("one", "two"), "a plan\n")
    assert Outcome.from_json(outcome.to_json()) == outcome


@pytest.mark.parametrize(
    ("violation", "rules"),
    [
        ("1.000 s: I3b: hub: gone\n2.000 s: I2: m1: back\n3.000 s: I3b: again", ["I3b", "I2"]),
        ("it has failed: ValueError: m1", ["it has failed"]),
        ("worker: the process that ran this seed ended with code 1", ["worker"]),
    ],
)
def test_a_violation_names_its_rules(violation: str, rules: list[str]) -> None:
    """The first one first; what breaks no rule is known by how it begins."""
    assert Outcome(1, violation).rules == rules


def test_the_sum_does_not_depend_on_the_order() -> None:
    """Workers answer in any order; the digest is over the seeds in theirs."""
    outcomes = [Outcome(seed, "", seed, 360.0, {"cut": seed}, f"{seed:02x}") for seed in (1, 2, 3)]
    bad = attrs.evolve(outcomes[1], violation="I3: gone", digest="ff")
    forth, back, other = Tally(), Tally(), Tally()
    for one, two, three in zip(outcomes, reversed(outcomes), (outcomes[0], bad, outcomes[2]), strict=True):
        forth.add(one)
        back.add(two)
        other.add(three)
    assert forth.result() == back.result()
    result = forth.result()
    assert list(result) == ["seeds", "steps", "virtual_hours", "faults", "violations", "trace_blake2b"]
    assert result.pop("trace_blake2b")
    expected = {"seeds": 3, "steps": 6, "virtual_hours": 0.3, "faults": {"cut": 6}, "violations": 0}
    assert result == expected
    assert (other.result()["violations"], other.violated) == (1, [2])
    assert other.result()["trace_blake2b"] != forth.result()["trace_blake2b"]


def test_a_broken_product_is_caught() -> None:
    """One rule out: a seed says which invariant that breaks, and what led to it; the rule back: none does."""
    outcome = broken.caught()
    assert outcome.rules == [broken.RULE]
    assert outcome.timeline[-1].split()[1:3] == ["violation", "m1:"]
    assert any(" deletes Application argocd/app0" in line for line in outcome.timeline)
    assert play(Job(outcome.seed, plan=outcome.plan)).violation == ""


def test_a_plan_with_some_of_its_items() -> None:
    """What is left is as it was, and the rest of the plan, too."""
    whole = Job(4, broken.SHORT).find_plan()
    assert item_count(whole.to_json()) == len(whole.items) > 5
    some = Job(4, plan=with_items(whole.to_json(), (1, 4))).find_plan()
    assert some == attrs.evolve(whole, items=(whole.items[1], whole.items[4]))
