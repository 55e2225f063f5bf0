"""Each pattern holds; and where it is taken away, what shows it goes wrong."""

from __future__ import annotations

import pytest

from ..simulation.mutants.rewriting import all_applied
from .patterns import PATTERNS, Pattern


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_with(pattern: Pattern) -> None:
    """As the code is."""
    pattern.show()


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_without(pattern: Pattern) -> None:
    """As the code would be without the pattern: the same is red."""
    with all_applied(pattern.without):
        try:
            pattern.show()
        except Exception:
            return
    pytest.fail(f"nobody would miss {pattern.name}: {pattern.show} goes well without it")
