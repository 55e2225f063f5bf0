"""``trio-argoagent simulate``: fleets under trouble in virtual time, many seeds at once.

Exit codes: 0 every seed kept every rule; 1 one did not; 2 the input cannot be used; 130 interrupted: a
campaign that was cut short has proven nothing.
"""

from __future__ import annotations

import math
import os
import shlex
from typing import Any

import attrs

from trio_argoagent.cli import running, trials
from trio_argoagent.cli.campaign import PROGRAM, Campaign, Request
from trio_argoagent.cli.comparing import run_compare
from trio_argoagent.cli.scenarios import run_scenarios
from trio_argoagent.errors import UserError
from trio_argoagent.sync.mapping import Style
from trio_argoagent.testing.chaos import faults_at, usual_at
from trio_argoagent.testing.plan import Options, Plan


def run_simulate(**given: Any) -> None:
    """Run it until every seed is judged or a signal comes; the options are those of the command."""
    compared = given.pop("compare")
    if compared:
        run_compare(compared, [f"--{name.removeprefix('as_')}" for name, value in given.items() if value])
    if files := given.pop("scenario"):
        run_scenarios(files, given)
    running.judge(lambda: Campaign(_parse(**given)).run())


def _parse(
    *,
    agents: int | None,
    apps: int | None,
    hours: float | None,
    faults: str | None,
    level: int | None,
    mapping: str | None,
    credentials: bool,
    tunnels: bool,
    seed: int | None,
    seeds: int | None,
    jobs: int | None,
    as_json: bool,
    trace: str,
    replay: str,
    shrink: bool,
) -> Request:
    drawn = {
        "--agents": agents, "--apps": apps, "--hours": hours, "--faults": faults, "--level": level,
        "--mapping": mapping,
    }  # fmt: skip
    given: dict[str, object] = {name: value for name, value in drawn.items() if value is not None}
    if credentials:
        given["--credentials"] = None
    if tunnels:
        given["--tunnels"] = None
    if replay:
        which = {"--seed": seed, "--seeds": seeds}
        given |= {name: value for name, value in which.items() if value is not None}
        return attrs.evolve(_replay(replay, list(given)), trace=trace, shrink=shrink, as_json=as_json)
    if hours is not None and math.isnan(hours):  # It passes every comparison of a range.
        raise UserError("--hours: must be a number")
    usual = Options()
    options = Options(
        agents or usual.agents,
        apps or usual.apps,
        usual.seconds if hours is None else hours * 3600,
        level=level or usual.level,
        mapping=Style(mapping or usual.mapping),
        credentials=credentials,
        tunnels=tunnels,
        faults=_fault_names("all" if faults is None else faults, level or usual.level),
    )
    first, count = 1 if seed is None else seed, seeds or 1
    again = " ".join([PROGRAM, *(_option(name, value) for name, value in given.items())])
    parallel = min(jobs or len(os.sched_getaffinity(0)), count)
    return Request(options, range(first, first + count), parallel, again, "", trace, shrink, as_json)


def _option(name: str, value: object) -> str:
    return name if value is None else f"{name} {shlex.quote(str(value))}"


def _replay(path: str, given: list[str]) -> Request:
    """What a saved plan asks for.

    Raises:
        UserError: it cannot be read, or options say what it says already.
    """
    if given:
        raise UserError(f"--replay: the plan says what {given[0]} says: leave {given[0]} out")
    plan, text = trials.read_plan(path, "--replay", lambda text: (Plan.from_json(text), text))
    again = f"{PROGRAM} --replay {shlex.quote(path)}"
    return Request(plan.options, range(plan.seed, plan.seed + 1), 1, again, text)


def _fault_names(text: str, level: int) -> tuple[str, ...]:
    def missing(name: str) -> str:
        return f"{name!r} needs --level 2" if name in faults_at(2) else f"there is no {name!r}"

    if text == "all":
        return usual_at(level)
    return trials.fault_names(text, tuple(faults_at(level)), missing)
