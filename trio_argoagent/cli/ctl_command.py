"""The commands and options of ``trio-argoagent ctl``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _hub(command: F) -> F:
    """The options that say where the hub is."""
    options = (
        click.option(
            "--kubeconfig",
            envvar="KUBECONFIG",
            default="",
            metavar="FILE",
            help="Kubeconfig of the hub; without it: the service account of the pod this runs in.",
        ),
        click.option(
            "--kubecontext",
            default="",
            metavar="NAME",
            help="Context of the kubeconfig; without it: its current one.",
        ),
        click.option(
            "-n",
            "--namespace",
            envvar="ARGOCD_PRINCIPAL_NAMESPACE",
            default="argocd",
            show_default=True,
            metavar="NAME",
            help="Argo CD's namespace on the hub.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(short_help="Look into a running installation.")
def ctl() -> None:
    """Look into a running installation, through the hub's Kubernetes API."""


@ctl.group()
def deletes() -> None:
    """Deletions that wait for a person.

    What is missing on one side without anybody having been seen to delete it is not deleted on the other
    side at once when it is much, or when the side that lacks it may have been restored or emptied.
    """


@deletes.command(name="list")
@click.argument("agent", default="")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_hub
def list_command(**options: Any) -> None:
    """Print what is held, why, and how to let it happen; AGENT: of that agent alone."""
    from trio_argoagent.cli.ctl import list_deletes

    list_deletes(**options)


@deletes.command(name="confirm")
@click.argument("agent")
@click.option("--set", "name", required=True, metavar="HASH", help="The set, as the list names it.")
@_hub
def confirm_command(**options: Any) -> None:
    """Let exactly this set of deletions happen; it must be what is held now."""
    from trio_argoagent.cli.ctl import confirm_deletes

    confirm_deletes(**options)
