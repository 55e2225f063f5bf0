"""The commands of ``trio-argoagent ctl config``; argocd-agentctl's names and options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trio_argoagent.cli.contexts import config_option
from trio_argoagent.cli.ctlconf import KINDS, USUAL

F = TypeVar("F", bound=Callable[..., Any])
_NAME = click.option("--name", required=True, metavar="NAME", help="What it is called in ctl.conf.")
_DEFAULT = click.option("--set-default", is_flag=True, help="Meant where no principal is named.")


def _entry(*, required: bool) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for name, what in (("--namespace", "Argo CD's namespace there."), ("--context", "Its kube context.")):
            command = click.option(name, required=required, default=None, metavar="NAME", help=what)(command)
        return _NAME(command)

    return decorate


@click.group()
def config() -> None:
    """Names for the hub and the spokes, in a file: ctl.conf.

    With it, --principal NAME and --agent NAME say which clusters are meant.
    """


@config.command()
@click.option("--kubeconfig-path", default="~/.kube/config", show_default=True, metavar="FILE")
@click.option("--output-path", default=USUAL, show_default=True, metavar="FILE")
@click.option("-f", "--force", is_flag=True, help="Replace a file that is there.")
def create(**options: Any) -> None:
    """Make the file, asking of each context of a kubeconfig what it is."""
    from trio_argoagent.cli.ctl_config import run_create

    run_create(**options)


@config.group()
def add() -> None:
    """Add a name; the file is made if need be."""


@config.group()
def edit() -> None:
    """Change what a name means."""


@config.group()
def delete() -> None:
    """Take a name out."""


@add.command(name="principal")
@_entry(required=True)
@_DEFAULT
@config_option
def add_principal(**options: Any) -> None:
    """Add a hub."""
    from trio_argoagent.cli.ctl_config import run_add

    run_add(kind="principal", **options)


@add.command(name="agent")
@_entry(required=True)
@config_option
def add_agent(**options: Any) -> None:
    """Add a spoke."""
    from trio_argoagent.cli.ctl_config import run_add

    run_add(kind="agent", set_default=False, **options)


@edit.command(name="principal")
@_entry(required=False)
@_DEFAULT
@config_option
def edit_principal(**options: Any) -> None:
    """Change a hub."""
    from trio_argoagent.cli.ctl_config import run_edit

    run_edit(kind="principal", **options)


@edit.command(name="agent")
@_entry(required=False)
@config_option
def edit_agent(**options: Any) -> None:
    """Change a spoke."""
    from trio_argoagent.cli.ctl_config import run_edit

    run_edit(kind="agent", set_default=False, **options)


@delete.command(name="principal")
@_NAME
@config_option
def delete_principal(**options: Any) -> None:
    """Forget a hub."""
    from trio_argoagent.cli.ctl_config import run_delete

    run_delete(kind="principal", **options)


@delete.command(name="agent")
@_NAME
@config_option
def delete_agent(**options: Any) -> None:
    """Forget a spoke."""
    from trio_argoagent.cli.ctl_config import run_delete

    run_delete(kind="agent", **options)


@config.command(name="list")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@config_option
def list_names(**options: Any) -> None:
    """Print the names; with a kind: of that kind alone."""
    from trio_argoagent.cli.ctl_config import run_list

    run_list(**options)
