"""``trio-argoagent ctl diff``: its options."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.contexts import both_options
from trio_argoagent.cli.output import output_option


@click.command(name="diff")
@click.argument("name")
@click.option(
    "--destination-based-mapping",
    "by_destination",
    is_flag=True,
    help="The principal maps by destination (see its option of that name).",
)
@click.option(
    "--label-selector",
    multiple=True,
    help="What the principal, or the agent, replicates alone; repeat for both.",
)
@click.option("--local-annotations", multiple=True, help="What either leaves where it is; repeat for both.")
@click.option("--local-labels", multiple=True, help="Likewise.")
@output_option()
@both_options
def diff(**options: Any) -> None:
    """Print where the hub and an agent's cluster differ.

    What the hub wants and what the agent is known to hold, as the principal has it; and, if the spoke is
    named, which Applications and AppProjects really differ, and in which fields. What is in the fields is
    not printed. Give what the two programs were told of what to replicate. Ends with 1 if anything differs.
    """
    from trio_argoagent.cli.ctl_diff import run_diff

    run_diff(**options)
