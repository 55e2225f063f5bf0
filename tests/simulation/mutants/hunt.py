"""Renews the table: which situation shows each mutant.

``python -m tests.simulation.mutants.hunt [NAME...]`` tries, for each mutant (or those named), what the table
says, then every race under a few schedules, then up to ``SEEDS`` seeds of each profile, and prints the rows
of a new table. What is violated without the mutant, too, shows nothing. A mutant that nothing shows is
printed with ``None``: find a race for it, or delete what it breaks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

import attrs

from .judging import PROFILES, Case, Drawn, Race, Staged, violations
from .table import MUTANTS, RACES, SHOWN_BY, case_of

SCHEDULES: Final = 3
"""Schedules of each race that are tried."""
SEEDS: Final = 200
"""Seeds of each profile that are tried: a mutant that survives them is not caught."""


def _cases(name: str) -> Iterator[Case]:
    if name in SHOWN_BY:
        shown = case_of(SHOWN_BY[name])
        yield shown
        if isinstance(shown, Race):
            yield from (attrs.evolve(shown, seed=seed) for seed in range(1, 10))
    for seed in range(1, SCHEDULES + 1):
        yield from (attrs.evolve(race, seed=seed) for race in RACES.values() if isinstance(race, Race))
    yield from (race for race in RACES.values() if isinstance(race, Staged))
    for seed in range(SEEDS):
        for profile in PROFILES:
            yield Drawn(profile, seed)


def find(name: str) -> tuple[Case, str] | None:
    """The first situation that shows a mutant, and the first thing that it violates."""
    for case in _cases(name):
        found = violations(case, MUTANTS[name])
        if found and not violations(case):
            return case, found[0]
    return None


def _row(name: str, case: Case) -> str:
    if isinstance(case, Staged):
        shown = f'"{case.name}"'
    elif isinstance(case, Race):
        shown = f'"{case.name}"' if case.seed == 1 else f'"{case.name}@{case.seed}"'
    else:
        shown = f'Drawn("{case.profile}", {case.seed})'
    return f'    "{name}": {shown},'


def main(names: list[str]) -> None:
    """Print the rows of a new table."""
    for name in names or list(MUTANTS):
        hit = find(name)
        row = _row(name, hit[0]) if hit is not None else f'    "{name}": None,'
        why = " ".join(hit[1].split())[:110] if hit is not None else "it is not caught"
        sys.stdout.write(f"{row}  # {why}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
