"""The options of ``trio-argoagent manifests``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

OVERLAYS: Final[Mapping[str, str]] = {
    "principal": "principal",
    "agent-managed": "agent",
    "agent-autonomous": "agent",
}
"""Installation -> the program in it."""
COMPONENTS: Final = ("destination-based-mapping", "namespace-creation", "monitoring")
"""What may be added."""


@click.command(short_help="Print the Kubernetes manifests of an installation.")
@click.argument("overlay", type=click.Choice([*OVERLAYS]), metavar="INSTALLATION")
@click.option(
    "--with",
    "components",
    multiple=True,
    type=click.Choice(COMPONENTS),
    help="Add an option with the rights that it needs, or what watches over it; may be repeated.",
)
@click.option(
    "-n",
    "--namespace",
    default="argocd",
    show_default=True,
    metavar="NAME",
    help="Argo CD's namespace, where it is installed.",
)
@click.option("--image", default="", metavar="IMAGE", help="Of the container.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="An entry of the ConfigMap argocd-agent-params; may be repeated.",
)
def manifests(overlay: str, **options: Any) -> None:
    """Print the Kubernetes manifests of an installation, for kubectl apply --server-side -f -.

    INSTALLATION is principal (on the hub), agent-managed or agent-autonomous (on a spoke). Argo CD and its
    namespace are not part of it.
    """
    from trio_argoagent.cli.manifests import print_manifests
    from trio_argoagent.errors import UserError

    try:
        print_manifests(overlay, **options)
    except UserError as exc:
        raise click.UsageError(str(exc)) from exc
