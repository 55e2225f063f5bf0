"""``simulate --scenario``: what files say is to happen, and what they say must be so."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

import attrs
import click

from trio_argoagent.cli import running
from trio_argoagent.cli.campaign import PROGRAM
from trio_argoagent.errors import UserError
from trio_argoagent.testing.scenario.parsing import parse
from trio_argoagent.testing.scenario.running import run
from trio_argoagent.testing.scenario.telling import Outcome
from trio_argoagent.testing.scenario.values import Scenario

FAILED: Final = 1
TOLD: Final = 10
"""Lines on what a run failed at."""
TAKEN: Final = ("seed", "seeds", "level", "as_json")
"""The options that have a meaning beside ``--scenario``; for the others the file has its own words."""


def run_scenarios(paths: Sequence[str], given: Mapping[str, Any]) -> None:
    """Run every file with every seed, say what came of it, and leave the process.

    Args:
        paths: of the files; all are checked before the first one runs.
        given: the other options of the command.
    """
    code = running.INTERRUPTED
    try:
        code = _run(paths, given)
    except* UserError as group:
        (problem,) = group.exceptions
        click.echo(f"error: {problem}", err=True)
        code = running.USAGE
    except* KeyboardInterrupt:
        pass  # A run that was cut short has proven nothing.
    sys.exit(code)


def _run(paths: Sequence[str], given: Mapping[str, Any]) -> int:
    for name, value in given.items():
        if value and name not in TAKEN:
            raise UserError(f"--scenario: --{name} has no meaning beside it: leave it out")
    scenarios = [_read(path) for path in paths]
    out = sys.stderr if given["as_json"] else sys.stdout
    outcomes = []
    for scenario, seed in _runs(scenarios, given):
        outcomes.append(run(scenario, seed=seed, level=given.get("level") or 1))
        _tell(outcomes[-1], scenario, out)
    failed = sum(bool(each.failures) for each in outcomes)
    if given["as_json"]:
        rows = [_row(each) for each in outcomes]
        click.echo(json.dumps({"scenarios": len(scenarios), "runs": rows, "failed": failed}))
    else:
        hours = sum(each.seconds for each in outcomes) / 3600
        runs = f"{len(outcomes)} run{'' if len(outcomes) == 1 else 's'}"
        click.echo(f"{runs}, {hours:.2f} virtual hours: {failed or 'none'} failed")
    return FAILED if failed else 0


def _read(path: str) -> Scenario:
    content = running.read_file(path, "--scenario")
    try:
        return parse(content.decode(), path)
    except UnicodeDecodeError as exc:
        raise UserError(f"--scenario: {path}, byte {exc.start}: this is not UTF-8") from exc


def _runs(scenarios: Sequence[Scenario], given: Mapping[str, Any]) -> Iterator[tuple[Scenario, int]]:
    for scenario in scenarios:
        first = scenario.seed if given["seed"] is None else given["seed"]
        for seed in range(first, first + (given["seeds"] or 1)):
            yield scenario, seed


def _tell(outcome: Outcome, scenario: Scenario, out: TextIO) -> None:
    if not outcome.failures:
        click.echo(f"ok      {outcome.name}, seed {outcome.seed}: {scenario.title}", file=out)
        return
    click.echo(f"failed  {outcome.name}, seed {outcome.seed}: {scenario.title}", file=out)
    for line in outcome.failures[:TOLD]:
        click.echo(f"  {line}", file=out)
    if len(outcome.failures) > TOLD:
        click.echo(f"  and {len(outcome.failures) - TOLD} more", file=out)
    click.echo("what led to it:", file=out)
    for line in outcome.timeline:
        click.echo(f"  {line}", file=out)
    again = f"{PROGRAM} --scenario {shlex.quote(outcome.name)} --seed {outcome.seed}"
    click.echo(f"again: {again}\n", file=out)


def _row(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON has it."""
    row = attrs.asdict(outcome)
    return {"scenario": row.pop("name"), **row, "seconds": round(outcome.seconds, 3)}
