"""``trio-argoagent ctl agent``: the commands that register an agent and look at one; argocd-agentctl's."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.contexts import hub_options
from trio_argoagent.cli.key_options import key_options
from trio_argoagent.cli.output import JSON, output_option
from trio_argoagent.runtime.config import PROXY


@click.command(name="create")
@click.argument("name")
@click.option(
    "--resource-proxy-server",
    default=PROXY,
    show_default=True,
    metavar="HOST:PORT",
    help="Where Argo CD reaches the principal's resource proxy.",
)
@click.option(
    "-l", "--label", multiple=True, metavar="KEY=VALUE", help="A label for the cluster secret; several."
)
@click.option(
    "--tls-from-secret",
    default="",
    metavar="[NAMESPACE/]NAME",
    help="Secret with Argo CD's client certificate (tls.crt, tls.key), instead of issuing one.",
)
@click.option(
    "--ca-from-secret", default="", metavar="[NAMESPACE/]NAME", help="Secret with the CA for it (ca.crt)."
)
@key_options
@hub_options
def create_command(**options: Any) -> None:
    """Register an agent: make its Argo CD cluster secret.

    The certificate in it is for Argo CD, which shows it to the resource proxy. The agent's own is made by
    ctl pki issue agent, or it gets one with a token.
    """
    from trio_argoagent.cli.ctl_register import run_create

    run_create(**options)


@click.command(name="inspect")
@click.argument("name")
@output_option(JSON)
@hub_options
def inspect_command(**options: Any) -> None:
    """Print what the hub knows of an agent: its registration, its link, deletions that are held."""
    from trio_argoagent.cli.ctl_agent_show import run_inspect

    run_inspect(**options)


@click.command(name="print-tls")
@click.argument("name")
@click.option(
    "-t",
    "--type",
    "part",
    default="cert",
    show_default=True,
    type=click.Choice(("cert", "key", "ca")),
    help="Which part.",
)
@hub_options
def print_command(**options: Any) -> None:
    """Print the certificate that Argo CD shows the resource proxy, its key, or the CA; PEM."""
    from trio_argoagent.cli.ctl_agent_show import run_print

    run_print(**options)


@click.command(name="reconfigure")
@click.argument("name")
@click.option("--resource-proxy-server", default="", metavar="HOST:PORT", help="Another address of it.")
@click.option("--resource-proxy-username", default="", metavar="NAME", help="By which Argo CD logs in there.")
@click.option("--resource-proxy-password", default="", metavar="TEXT", help="Likewise.")
@click.option("--reissue-client-cert", is_flag=True, help="Issue another certificate for Argo CD.")
@key_options
@hub_options
def reconfigure_command(**options: Any) -> None:
    """Change an agent's cluster secret; the agent itself goes on meanwhile."""
    from trio_argoagent.cli.ctl_register import run_reconfigure

    run_reconfigure(**options)


def add_to(group: click.Group) -> None:
    """Put them into the group, under both names where argocd-agentctl has two."""
    for command in (create_command, inspect_command, print_command, reconfigure_command):
        group.add_command(command)
    group.add_command(inspect_command, "show")
    group.add_command(print_command, "dump-tls")
