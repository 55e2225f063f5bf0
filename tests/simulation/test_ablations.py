"""Every rule of the protocol is needed: without it, a situation goes wrong that goes well with it."""

from __future__ import annotations

import pytest

from .mutants.judging import Case, violations
from .mutants.mutant import Mutant
from .mutants.rules import RULES
from .mutants.table import MUTANTS, RACES, SHOWN_BY, case_of, races_used

HUNT = "run `python -m tests.simulation.mutants.hunt {}` and put what it prints into mutants/table.py"
CASES = list({str(shown): case_of(shown) for shown in SHOWN_BY.values()}.items())


def assert_caught(mutant: Mutant) -> None:
    """The situation that the table names shows this mutant."""
    assert mutant.name in SHOWN_BY, f"no situation is known to show {mutant.name}: {HUNT.format(mutant.name)}"
    found = violations(case_of(SHOWN_BY[mutant.name]), mutant)
    assert found, f"{SHOWN_BY[mutant.name]} does not show {mutant.name}: {HUNT.format(mutant.name)}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_that_is_switched_off_is_missed(rule: Mutant) -> None:
    """Some situation violates an invariant, never agrees, or shows users what is not so."""
    assert_caught(rule)


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_the_same_situation_goes_well_with_all_rules(case: Case) -> None:
    """What shows a mutant violates nothing without it."""
    assert not violations(case)


def test_the_table_names_what_there_is() -> None:
    """No row is left over, no race shows nothing, and no two mutants or races have one name."""
    assert set(SHOWN_BY) == set(MUTANTS)
    assert races_used() == set(RACES)
