"""The options of ``trio-argoagent chaos``."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.trial_options import fault_option, fleet_options, json_option, seed_option


@click.command(short_help="Hit a fleet of real processes with real faults.")
@fleet_options(50, "Agents, each a process; every second one is autonomous.")
@click.option(
    "--duration",
    default=None,
    show_default="30",
    type=click.FloatRange(0, 86_400, min_open=True),
    metavar="SECONDS",
    help="Time of work and trouble; until both sides agree comes on top.",
)
@fault_option
@seed_option("Draws what happens and when; another one: something else.")
@click.option(
    "--plan", default="", metavar="FILE", help="Do what this file says and when it says; nothing is drawn."
)
@json_option
@click.option("--report", default="", metavar="FILE", help="Write the result to this file as JSON.")
@click.option("--keep", is_flag=True, help="Keep the programs' logs, whatever comes of the run.")
def chaos(**options: Any) -> None:
    """Run a principal and agents as processes, break what an operating system can break, and judge the end.

    Programs are killed and stopped, their links go through a proxy that cuts, silences, slows and corrupts
    them, and their disk, file descriptors and memory run out. API servers, Argo CD and the users run in this
    process, so no cluster is needed. Exit code 1: both sides did not agree in the end, or a rule was broken.
    """
    from trio_argoagent.cli.chaos import run_chaos

    run_chaos(**options)
