"""``trio-argoagent ctl validate``: its commands; ``check-config`` is argocd-agentctl's older name."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.contexts import both_options, hub_options, needed
from trio_argoagent.cli.output import output_option


@click.group()
def validate() -> None:
    """Look whether an installation is as it should be; nothing is changed.

    Each line says ok, warn (it works, but not for long or not as you may expect) or fail (it does not
    work), and what to do. Ends with 1 if anything fails.
    """


@validate.command(name="principal")
@output_option()
@hub_options
def principal_command(**options: Any) -> None:
    """Look at the hub: Argo CD, certificates, keys, cluster secrets, the blocklist."""
    from trio_argoagent.cli.ctl_validate import run_validate

    run_validate(spoke=None, **options)


@validate.command(name="agent")
@output_option()
@both_options
def agent_command(**options: Any) -> None:
    """Look at a spoke, at its hub, and whether the two fit."""
    from trio_argoagent.cli.ctl_validate import run_validate

    needed(options["spoke"])
    run_validate(**options)
