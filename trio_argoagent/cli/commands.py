"""The commands and their options. Names and environment variables are argocd-agent's where it has them."""

from __future__ import annotations

from typing import Final

import click

from trio_argoagent._version import __version__
from trio_argoagent.cli.option_table import ProgramCommand, Typed, readable, table_options
from trio_argoagent.cli.shelf import Shelf
from trio_argoagent.runtime.options.programs import AGENT, PRINCIPAL

LATER: Final = (
    "apiserver",
    "bench",
    "chaos",
    "config",
    "conformance",
    "ctl",
    "demo",
    "manifests",
    "simulate",
    "version",
)
"""Commands in modules of their own, ``<name>_command``: neither an agent nor a principal loads them."""


@click.group(
    commands=Shelf({name: f"trio_argoagent.cli.{name}_command" for name in LATER}),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """One Argo CD over a fleet of clusters.

    A principal on the hub cluster and an agent on every spoke keep Argo CD's objects in step. Agents dial
    out over mutual TLS; nothing dials in.

    To see it at work on this machine: trio-argoagent demo
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command(cls=ProgramCommand)
@table_options(PRINCIPAL)
def principal(typed: Typed) -> None:
    """Run the principal, on the hub."""
    from trio_argoagent.cli.principal import run_principal

    run_principal(readable(PRINCIPAL, typed))


@cli.command(cls=ProgramCommand)
@table_options(AGENT)
def agent(typed: Typed) -> None:
    """Run the agent, on a spoke."""
    from trio_argoagent.cli.agent import run_agent

    run_agent(readable(AGENT, typed))
