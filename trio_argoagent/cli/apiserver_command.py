"""The options of ``trio-argoagent apiserver``."""

from __future__ import annotations

from typing import Any

import click


@click.command(short_help="Run a Kubernetes API server in memory.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="HOST",
    help="Address to listen on; its certificate names it.",
)
@click.option(
    "--port",
    default=0,
    show_default="a free one",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Port to listen on.",
)
@click.option(
    "--kubeconfig",
    default="",
    metavar="FILE",
    help="Write the kubeconfig there, readable by you only, and remove it at the end; without it: print it.",
)
@click.option(
    "--crds",
    multiple=True,
    metavar="PATH",
    help="Serve the CustomResourceDefinitions of this file, or of the YAML files in this folder; may be"
    " repeated.",
)
@click.option("--bare", is_flag=True, help="Without Argo CD's kinds, unless --crds brings them.")
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="TOKEN[=USER[,GROUP...]]",
    help="Let in whoever has this bearer token, as that user of these groups (admin, of system:masters); may"
    " be repeated. The first one stands in the kubeconfig; without any: a random one.",
)
@click.option(
    "--authorization",
    default="AlwaysAllow",
    show_default=True,
    type=click.Choice(("AlwaysAllow", "RBAC")),
    help="Who may do what: whoever is let in everything, or by Roles, ClusterRoles and their bindings.",
)
@click.option(
    "--audit-log",
    default="",
    metavar="FILE",
    help="Write a line there for each request: who, what, and how it was answered.",
)
@click.option(
    "--client-ca",
    default="",
    metavar="FILE",
    help="PEM: let in whoever has a certificate of this CA, too: its common name is the user, its"
    " organisations are the groups.",
)
@click.option(
    "--history",
    default=10_000,
    show_default=True,
    type=click.IntRange(1, 10_000_000),
    metavar="N",
    help="Writes that are remembered for watches; who asks for older ones gets 410 Gone.",
)
@click.option(
    "--faults",
    is_flag=True,
    help="Let clients order faults: POST them to /faults (see the documentation).",
)
def apiserver(**options: Any) -> None:
    """Run a Kubernetes API server in memory, for tests of controllers and clients: kubectl works with it.

    Namespaces, Secrets, ConfigMaps, Events, Leases, ServiceAccounts, roles, their bindings and
    CustomResourceDefinitions are served as a small real cluster would, server-side apply, watches, garbage
    collection and all; nothing runs there, and nothing is left when it ends.
    """
    from trio_argoagent.cli.apiserver import run_apiserver

    run_apiserver(**options)
