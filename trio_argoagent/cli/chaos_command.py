"""The options of ``trio-argoagent chaos``."""

from __future__ import annotations

from typing import Any

import click


@click.command(short_help="Hit a fleet of real processes with real faults.")
@click.option(
    "--agents",
    default=None,
    show_default="2",
    type=click.IntRange(1, 50),
    metavar="N",
    help="Agents, each a process; every second one is autonomous.",
)
@click.option(
    "--apps",
    default=None,
    show_default="4",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Applications of each agent at most.",
)
@click.option(
    "--duration",
    default=None,
    show_default="30",
    type=click.FloatRange(0, 86_400, min_open=True),
    metavar="SECONDS",
    help="Time of work and trouble; until both sides agree comes on top.",
)
@click.option(
    "--faults",
    default=None,
    show_default="all",
    metavar="none|all|NAME,...",
    help="What may befall the fleet; a name that does not exist gets you the list.",
)
@click.option(
    "--seed",
    default=None,
    show_default="1",
    type=click.IntRange(0),
    metavar="S",
    help="Draws what happens and when; another one: something else.",
)
@click.option(
    "--plan", default="", metavar="FILE", help="Do what this file says and when it says; nothing is drawn."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
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
