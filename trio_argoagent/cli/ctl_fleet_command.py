"""``trio-argoagent ctl fleet``: its commands and their options."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.contexts import hub_options
from trio_argoagent.cli.output import output_option


@click.group()
def fleet() -> None:
    """All agents together."""


@fleet.command(name="status")
@output_option()
@click.option("-w", "--watch", is_flag=True, help="Go on, until interrupted.")
@click.option(
    "--interval",
    default=5.0,
    show_default=True,
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    help="Between two looks.",
)
@hub_options
def status_command(**options: Any) -> None:
    """Print a line for each agent, and what waits for somebody.

    LINKS: how often it has come since the principal started. WANTED: objects that its cluster should hold;
    UNSETTLED: of these, and of the syncs and refreshes asked of it, what it does not hold or has not
    answered; OLDEST: for how long; REFUSED: of these, what it will not hold. MIRRORED: objects and statuses
    of its that the hub holds; PENDING: what the hub does not hold yet. HELD: deletions that wait for a
    person.
    """
    from trio_argoagent.cli.ctl_fleet import run_status

    run_status(**options)
