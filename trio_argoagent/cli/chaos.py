"""``trio-argoagent chaos``: from options to a plan, and from a report to what is said.

Exit codes: 0 both sides agreed in the end and every rule held; 1 not so; 2 the input cannot be used; 130
interrupted: a run that was cut short has proven nothing.
"""

from __future__ import annotations

import contextlib
import json
import math
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import click

from trio_argoagent.cli import running, trials
from trio_argoagent.errors import UserError
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.processes.faults import FAULTS
from trio_argoagent.testing.processes.plan import Options, Plan, draw_plan
from trio_argoagent.testing.processes.run import Report, run_plan

FAILED: Final = 1
PROGRAM: Final = "trio-argoagent chaos"


@attrs.frozen
class Request:
    """What the options ask for.

    Attributes:
        plan: what happens.
        file: that it was read from; empty: it was drawn.
        as_json: the result on standard output.
        report: where it is written, too; empty: nowhere.
        keep: the logs.
    """

    plan: Plan
    file: str
    as_json: bool
    report: str
    keep: bool


def run_chaos(**given: Any) -> None:
    """Run it until it is judged or a signal comes; the options are those of the command."""
    running.judge(lambda: _play(_parse(**given)))


def _parse(
    *,
    agents: int | None,
    apps: int | None,
    duration: float | None,
    faults: str | None,
    seed: int | None,
    plan: str,
    as_json: bool,
    report: str,
    keep: bool,
) -> Request:
    if sys.platform != "linux":
        raise UserError("chaos needs Linux: it uses prlimit, pidfd and the death signal of a parent")
    drawn = {"--agents": agents, "--apps": apps, "--duration": duration, "--faults": faults, "--seed": seed}
    given = [name for name, value in drawn.items() if value is not None]
    if plan and given:
        raise UserError(f"--plan: the plan says what {given[0]} says: leave {given[0]} out")
    if duration is not None and math.isnan(duration):  # It passes every comparison of a range.
        raise UserError("--duration: must be a number of seconds")
    if report:
        _write(report, "", "a")  # Now, not after minutes: can it be written at all?
    if plan:
        return Request(trials.read_plan(plan, "--plan", Plan.from_json), plan, as_json, report, keep)
    usual = Options()
    options = Options(
        agents or usual.agents,
        apps or usual.apps,
        usual.seconds if duration is None else duration,
        faults=usual.faults if faults is None else trials.fault_names(faults, tuple(FAULTS)),
    )
    return Request(draw_plan(1 if seed is None else seed, options), "", as_json, report, keep)


async def _play(request: Request) -> int:
    """Run the plan; the exit code."""
    plan = request.plan
    _say(f"seed {plan.seed}: {plan.options.agents} agents, {plan.options.seconds:g} s of trouble ...")
    scratch = tempfile.TemporaryDirectory(prefix="trio-argoagent-chaos-")
    with _log_folder(request.keep) as logs, scratch as folder:
        report = await run_plan(plan, real_env(), Path(folder), logs.path, _say)
        logs.keep = logs.keep or not report.passed
    value = json.dumps(report.to_json())
    if request.report:
        _write(request.report, value + "\n")
    if request.as_json:
        click.echo(value)
    _tell(request, report, str(logs.path) if logs.keep else "")
    return 0 if report.passed else FAILED


@attrs.define
class _Logs:
    path: Path
    keep: bool


@contextlib.contextmanager
def _log_folder(keep: bool) -> Iterator[_Logs]:
    """A new folder for logs, which is removed unless somebody wants to keep it."""
    logs = _Logs(Path(tempfile.mkdtemp(prefix="trio-argoagent-chaos-logs-")), keep)
    try:
        yield logs
    finally:
        if not logs.keep:
            shutil.rmtree(logs.path, ignore_errors=True)


def _tell(request: Request, report: Report, logs: str) -> None:
    """For people; on standard error where standard output is for a program."""
    out = sys.stderr if request.as_json else sys.stdout
    actions, befell = sum(report.actions.values()), sum(report.faults.values())
    starts = sum(each.starts for each in report.programs.values())
    lines = [
        f"{report.seconds:.1f} s, {actions} actions, {befell} faults ({_counted(report)}), {starts} "
        f"processes, {report.writes} writes; settled {report.settled_after:.1f} s after the last fault",
        *(f"differs: {line}" for line in report.differences),
        *(f"violated: {line}" for line in report.violations),
        "both sides agree, and every rule held" if report.passed else "failed",
    ]
    if not report.passed:
        lines.append(f"again: {PROGRAM} --plan {shlex.quote(request.file or _save(request.plan))}")
    if logs:
        lines.append(f"logs: {logs}")
    for line in lines:
        click.echo(line, file=out)


def _counted(report: Report) -> str:
    return ", ".join(f"{count} {name}" for name, count in report.faults.items()) or "none"


def _save(plan: Plan) -> str:
    path = f"chaos-seed-{plan.seed}.json"
    _write(path, plan.to_json())
    return path


def _write(path: str, text: str, mode: str = "w") -> None:
    try:
        with Path(path).open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise UserError(f"cannot write {path}: {exc.strerror}; name a file that can be") from exc


def _say(text: str) -> None:
    click.echo(text, err=True)
