"""``trio-argoagent ctl blocklist``: its commands, in our spelling and in argocd-agentctl's."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.contexts import hub_options
from trio_argoagent.cli.output import output_option


@click.group()
def blocklist() -> None:
    """Certificates that let nobody in any more, by their SHA-256 fingerprints.

    A live link with one of them ends at once, and it is refused wherever it is shown.
    """


@blocklist.command(name="add")
@click.argument("fingerprint", default="")
@hub_options
@click.option("--agent", default="", metavar="NAME", help="All of this agent that there are by now.")
def add_command(**options: Any) -> None:
    """Block a certificate; colons and lower case do not matter.

    With --agent, block all that were issued to this agent until now, whoever has them; those that are issued
    afterwards count.
    """
    from trio_argoagent.cli.ctl_blocklist import run_add

    run_add(**options)


@blocklist.command(name="remove")
@click.argument("fingerprint", default="")
@hub_options
@click.option("--agent", default="", metavar="NAME", help="Those that --agent has blocked.")
def remove_command(**options: Any) -> None:
    """Let a certificate count again, or those of an agent."""
    from trio_argoagent.cli.ctl_blocklist import run_remove

    run_remove(**options)


@blocklist.command(name="list")
@output_option()
@hub_options
def list_command(**options: Any) -> None:
    """Print what is blocked."""
    from trio_argoagent.cli.ctl_blocklist import run_list

    run_list(**options)


# argocd-agentctl's spelling: ``blocklist tls add``.
tls = click.Group(
    "tls", help="The same commands, as argocd-agentctl spells them.", commands=dict(blocklist.commands)
)
blocklist.add_command(tls)
