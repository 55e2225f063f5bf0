"""``trio-argoagent ctl jwt``: its commands and their options, as argocd-agentctl has them."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.contexts import hub_options
from trio_argoagent.cli.output import JSON, output_option


@click.group()
def jwt() -> None:
    """The key that argocd-agent's principal signs tokens with.

    Links of trio-argoagent need none: it is for going back to argocd-agent. It lies in the Secret
    argocd-agent-jwt of the hub.
    """


@jwt.command(name="create-key")
@click.option("-u", "--upsert", "--force", "upsert", is_flag=True, help="Replace the key that is there.")
@hub_options
def create_command(**options: Any) -> None:
    """Make a key: RSA, 4096 bits, PKCS#8."""
    from trio_argoagent.cli.ctl_jwt import run_create

    run_create(**options)


@jwt.command(name="inspect-key")
@output_option(JSON)
@hub_options
def inspect_command(**options: Any) -> None:
    """Say what the key is, without showing it."""
    from trio_argoagent.cli.ctl_jwt import run_inspect

    run_inspect(**options)


@jwt.command(name="delete-key")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@hub_options
def delete_command(**options: Any) -> None:
    """Remove the key and its Secret."""
    from trio_argoagent.cli.ctl_jwt import run_delete

    run_delete(**options)
