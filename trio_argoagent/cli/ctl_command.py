"""The commands and options of ``trio-argoagent ctl``."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli import ctl_agent_command
from trio_argoagent.cli.contexts import global_options, hub_options, spoke_options
from trio_argoagent.cli.ctl_blocklist_command import blocklist
from trio_argoagent.cli.ctl_bundle_command import support_bundle
from trio_argoagent.cli.ctl_config_command import config
from trio_argoagent.cli.ctl_diff_command import diff
from trio_argoagent.cli.ctl_fleet_command import fleet
from trio_argoagent.cli.ctl_jwt_command import jwt
from trio_argoagent.cli.ctl_pki_command import pki
from trio_argoagent.cli.ctl_token_command import token
from trio_argoagent.cli.ctl_validate_command import validate
from trio_argoagent.cli.output import output_option


@click.group(short_help="Look into an installation, and set it up.")
@global_options
def ctl() -> None:
    """Look into an installation, and set it up, through the Kubernetes APIs of the hub and its spokes."""


for each in (
    blocklist,
    config,
    diff,
    fleet,
    jwt,
    pki,
    support_bundle,
    validate,
):
    ctl.add_command(each)
ctl.add_command(validate, "check-config")


@ctl.group()
def deletes() -> None:
    """Deletions that wait for a person.

    What is missing on one side without anybody having been seen to delete it is not deleted on the other
    side at once when it is much, or when the side that lacks it may have been restored or emptied.
    """


@deletes.command(name="list")
@click.argument("agent", default="")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@hub_options
def list_command(**options: Any) -> None:
    """Print what is held, why, and how to let it happen; AGENT: of that agent alone."""
    from trio_argoagent.cli.ctl import list_deletes

    list_deletes(**options)


@deletes.command(name="confirm")
@click.argument("agent")
@click.option("--set", "name", required=True, metavar="HASH", help="The set, as the list names it.")
@hub_options
def confirm_command(**options: Any) -> None:
    """Let exactly this set of deletions happen; it must be what is held now."""
    from trio_argoagent.cli.ctl import confirm_deletes

    confirm_deletes(**options)


@ctl.group()
def agent() -> None:
    """The agents that the hub knows: each has an Argo CD cluster secret labelled with its name."""


agent.add_command(token)
ctl_agent_command.add_to(agent)
ctl.add_command(agent, "agents")


@agent.command(name="list")
@click.option("-l", "--label", multiple=True, metavar="SELECTOR", help="Only those whose secrets it selects.")
@click.option("--json", "as_json", is_flag=True, help="The same as -o json.")
@output_option()
@hub_options
def agent_list_command(**options: Any) -> None:
    """Print the agents: mode, cluster and namespace as pinned, and whether each is connected."""
    from trio_argoagent.cli.ctl_agent import run_list

    run_list(**options)


@agent.command(name="remove")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed, and what stays.")
@click.option("--keep-certificates", is_flag=True, help="What it has counts if it is added again.")
@hub_options
def agent_remove_command(**options: Any) -> None:
    """Take an agent off the hub: its cluster secret, and what the principal remembers of it.

    Its link ends, and what certificates it has are blocked, also should it be added again. Nothing is deleted
    on the spoke, and no Application on the hub. Where agents register
    themselves (--enable-self-cluster-registration), stop it first: else it is back at once.
    """
    from trio_argoagent.cli.ctl_agent import run_remove

    run_remove(**options)


@agent.command(name="repin")
@click.argument("name")
@hub_options
def agent_repin_command(**options: Any) -> None:
    """Let an agent come back in another mode, or from another cluster.

    The next that connects under this name is taken; until then the present one goes on.
    """
    from trio_argoagent.cli.ctl_agent import run_repin

    run_repin(**options)


@ctl.group()
def app() -> None:
    """Applications of the hub."""


@app.command(name="release")
@click.argument("app", metavar="NAMESPACE/NAME")
@click.option("--yes", is_flag=True, help="It is meant.")
@hub_options
def app_release_command(**options: Any) -> None:
    """End a deletion that waits for an agent that is gone for ever.

    Argo CD's finalizers come off the Application of the hub. What it deployed stays on the spoke. Refused
    while its agent is connected.
    """
    from trio_argoagent.cli.ctl_app import run_release

    run_release(**options)


@ctl.group()
def spoke() -> None:
    """What is left on a spoke."""


@spoke.command(name="unmark")
@click.option("--dry-run", is_flag=True, help="Only say which objects.")
@click.option(
    "-n",
    "--namespace",
    default="",
    show_default="all",
    metavar="NAME",
    help="Where the copies are.",
)
@spoke_options
def spoke_unmark_command(**options: Any) -> None:
    """Make the copies on a spoke free objects, which no agent will touch. Stop its agent first.

    The annotations of ours and of argocd-agent's that tie an object to the hub are taken off; nothing else
    changes, and what is deployed goes on running.
    """
    from trio_argoagent.cli.ctl_spoke import run_unmark

    run_unmark(**options)
