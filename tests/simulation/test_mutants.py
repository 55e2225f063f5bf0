"""Bugs put into the product on purpose are found, and a rewrite that fits no place any more is loud."""

from __future__ import annotations

import pytest

from trio_argoagent.sync import digest, intents

from .mutants.bugs import BUGS
from .mutants.mutant import Mutant
from .mutants.rewriting import Constant, Misfit, Rewrite
from .test_ablations import assert_caught


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_is_found(bug: Mutant) -> None:
    """Some situation violates an invariant, never agrees, or shows users what is not so."""
    assert_caught(bug)


def test_a_rewrite_lasts_as_long_as_its_context() -> None:
    """Everybody who holds the function sees it, and nobody does afterwards."""
    held, before = digest.stored, digest.stored([1])
    with Rewrite("sync.digest:stored", "of_bytes(canonical(value))", '"same"').applied():
        assert held([1]) == held([2]) == "same"
    assert held([1]) == before


def test_a_constant_lasts_as_long_as_its_context() -> None:
    """Likewise."""
    before = intents.STUCK_AFTER
    with Constant("sync.intents:STUCK_AFTER", before + 1).applied():
        assert before + 1 == intents.STUCK_AFTER
    assert before == intents.STUCK_AFTER


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (Rewrite("sync.digest:stored", "no_such(thing)", "None"), "found 0 times"),
        (Rewrite("sync.digest:of_bytes", "hasher", "None"), "found 3 times"),
        (Rewrite("sync.digest:no_such", "a", "b"), "there is no such function"),
        (Constant("sync.digest:NO_SUCH", 1), "there is no such constant"),
    ],
)
def test_a_rewrite_that_does_not_fit_is_an_error(patch: Rewrite | Constant, words: str) -> None:
    """A refactoring makes the tests red: they never go on with a mutant that changes nothing."""
    with pytest.raises(Misfit, match=words):
        patch.applied().__enter__()
