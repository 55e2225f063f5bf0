"""Seeded chaos: a minute of work and trouble, then agreement within a bound, silence, and no rule broken."""

from __future__ import annotations

import pytest

from trio_argoagent.testing.trial import run_trial

SEEDS = range(1, 25)
FOUND = {
    47: "a sync whose copy was replaced after it had run stood on the hub for ever",
    180: "a refresh of an ignored object was sent and waited for ever",
    248: "an intent withdrawn during a cut waited on the agent for ever",
    301: "likewise",
    329: "a status withdrawn during a cut waited on the hub for ever",
}
"""Seeds that once broke a rule, and which one. They keep their meaning only until the draws change."""


@pytest.mark.parametrize("seed", [*SEEDS, *FOUND])
def test_chaos_ends_in_agreement_and_silence_and_breaks_no_rule(seed: int) -> None:
    """Every invariant holds at every write, and both sides agree soon after the trouble has stopped."""
    report = run_trial(seed)
    assert report.writes > 0


def test_the_chaos_is_not_a_quiet_walk() -> None:
    """What these seeds go through together: every action, trouble and fault there is."""
    reports = [run_trial(seed) for seed in range(100, 108)]
    actions = {name for report in reports for name in report.actions}
    troubles = {name for report in reports for name in report.troubles}
    faults = {name for report in reports for name in report.faults}
    assert {"create", "edit", "delete", "recreate", "sync", "refresh", "tamper", "steal", "ignore"} <= actions
    assert {"cut", "half-open", "crash-agent", "crash-principal", "forget", "restart-server"} <= troubles
    assert {"refused", "lost", "unanswered", "late", "conflict", "read", "break", "stall"} <= faults
    assert sum(report.intents for report in reports) >= 10
