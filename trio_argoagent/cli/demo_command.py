"""The options of ``trio-argoagent demo``."""

from __future__ import annotations

from typing import Any

import click


@click.command(short_help="Run a whole fleet on this machine.")
@click.option("--headless", is_flag=True, help="No screen: run a seeded workload, then compare both sides.")
@click.option(
    "--duration",
    default=0.0,
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Time to run; 0: until Ctrl-C (headless: 30).",
)
@click.option(
    "--agents",
    default=3,
    show_default=True,
    type=click.IntRange(1, 50),
    metavar="N",
    help="Agents; every third one is autonomous.",
)
@click.option(
    "--apps",
    default=6,
    show_default=True,
    type=click.IntRange(1, 500),
    metavar="N",
    help="Applications of each agent at the start.",
)
@click.option(
    "--cut",
    "cuts",
    multiple=True,
    metavar="AGENT:AT:SECONDS",
    help="Cut that agent's link AT seconds after the start for SECONDS; may be repeated.",
)
@click.option(
    "--restart",
    "restarts",
    multiple=True,
    metavar="NODE:AT",
    help="Stop and start the program of the hub or an agent AT seconds after the start; may be repeated.",
)
@click.option(
    "--apply",
    "files",
    multiple=True,
    metavar="FILE",
    help="Apply this YAML, too; a namespace named like an agent is that agent's; may be repeated.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    metavar="N",
    help="Another one: another workload.",
)
@click.option(
    "--report", default="", metavar="FILE", help="Write what was seen as JSON when its time is over."
)
def demo(**options: Any) -> None:
    """Run a whole fleet on this machine: a hub, its agents, and a Kubernetes API server for each.

    The Application controllers on the spokes are simulated: nothing is deployed anywhere.
    """
    from trio_argoagent.cli.demo import run_demo

    run_demo(**options)
