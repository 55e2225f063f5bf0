"""The commands and their options. Names and environment variables are argocd-agent's where it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from trio_argoagent._version import __version__
from trio_argoagent.cli.age_option import age_option
from trio_argoagent.cli.audit_options import audit_option, bans_option
from trio_argoagent.cli.auth_options import auth_options, creds_options
from trio_argoagent.cli.bootstrap_options import bootstrap_options
from trio_argoagent.cli.budget_options import budget_options, share_options
from trio_argoagent.cli.duration import seconds
from trio_argoagent.cli.enrolment_options import enrolment_options
from trio_argoagent.cli.link_tls_options import agent_tls_options, principal_tls_options
from trio_argoagent.cli.log_options import log_options
from trio_argoagent.cli.mapping_options import (
    agent_mapping_options,
    mapping_options,
    principal_mapping_options,
)
from trio_argoagent.cli.policy_options import expiry_option, local_options, policy_options
from trio_argoagent.cli.proxy_options import proxy_options
from trio_argoagent.cli.redis_options import AGENT, PRINCIPAL, redis_options
from trio_argoagent.cli.registration_options import registration_options
from trio_argoagent.cli.shelf import Shelf
from trio_argoagent.cli.transport_options import websocket_option
from trio_argoagent.cli.tunnel_options import tunnel_option

LATER: Final = ("apiserver", "bench", "chaos", "conformance", "ctl", "demo", "manifests", "simulate")
"""Commands in modules of their own, ``<name>_command``: neither an agent nor a principal loads them."""
F = TypeVar("F", bound=Callable[..., Any])
_PORT = click.IntRange(1, 65535)
_LISTEN_PORT = click.IntRange(0, 65535)


@click.group(
    commands=Shelf({name: f"trio_argoagent.cli.{name}_command" for name in LATER}),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """One Argo CD over a fleet of clusters.

    A principal on the hub cluster and an agent on every spoke keep Argo CD's objects in step. Agents dial
    out over mutual TLS; nothing dials in.

    To see it at work on this machine: trio-argoagent demo
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _shared(prefix: str) -> Callable[[F], F]:
    """The options that both programs have."""

    def decorate(command: F) -> F:
        options = (
            click.option(
                "--kubeconfig",
                envvar="KUBECONFIG",
                default="",
                metavar="FILE",
                help="Kubeconfig; without it: the service account of the pod this runs in.",
            ),
            click.option(
                "--kubecontext",
                default="",
                metavar="NAME",
                help="Context of the kubeconfig; without it: its current one.",
            ),
            click.option(
                "--max-deletions",
                envvar=f"{prefix}_MAX_DELETIONS",
                default=None,
                show_default="any number",
                type=click.IntRange(0),
                metavar="N",
                help="Objects of one agent deleted within 10 minutes; more wait for ctl deletes confirm.",
            ),
            click.option(
                "--max-inferred-deletions",
                envvar=f"{prefix}_MAX_INFERRED_DELETIONS",
                default=None,
                show_default="5, or 5 %",
                type=click.IntRange(-1),
                metavar="N",
                help="Of these, objects of a kind that nobody was seen to delete; -1: not held at all.",
            ),
        )
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@cli.command()
@click.option(
    "--listen-host",
    envvar="ARGOCD_PRINCIPAL_LISTEN_HOST",
    default="",
    metavar="HOST",
    help="Address to listen on; without it: all.",
)
@click.option(
    "--listen-port",
    envvar="ARGOCD_PRINCIPAL_LISTEN_PORT",
    default=8443,
    show_default=True,
    type=_LISTEN_PORT,
    metavar="PORT",
    help="Port that agents dial; 0: a free one, which the log names.",
)
@click.option(
    "-n",
    "--namespace",
    envvar="ARGOCD_PRINCIPAL_NAMESPACE",
    default="argocd",
    show_default=True,
    metavar="NAME",
    help="Argo CD's namespace on the hub.",
)
@principal_tls_options
@click.option(
    "--keepalive",
    default=30.0,
    show_default=True,
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    help="Silence before a ping; two of them end a link.",
)
@auth_options
@websocket_option("ARGOCD_PRINCIPAL", "Let agents have WebSockets too, on the same port.")
@age_option
@audit_option("ARGOCD_PRINCIPAL")
@bans_option
@expiry_option
@share_options
@log_options("ARGOCD_PRINCIPAL")
@_shared("ARGOCD_PRINCIPAL")
@local_options("ARGOCD_PRINCIPAL")
@registration_options
@enrolment_options
@redis_options(PRINCIPAL)
@proxy_options
@mapping_options(
    "ARGOCD_PRINCIPAL",
    "Hub namespaces that take part: by destination, besides Argo CD's own; else of those that are agents'.",
)
@principal_mapping_options
def principal(**options: Any) -> None:
    """Run the principal, on the hub."""
    from trio_argoagent.cli.principal import run_principal

    run_principal(**options)


@cli.command()
@click.option(
    "--server-address",
    envvar="ARGOCD_AGENT_REMOTE_SERVER",
    required=True,
    metavar="HOST",
    help="Host name or address of the principal, as its certificate names it.",
)
@click.option(
    "--server-port",
    envvar="ARGOCD_AGENT_REMOTE_PORT",
    default=443,
    show_default=True,
    type=_PORT,
    metavar="PORT",
    help="Port of the principal.",
)
@click.option(
    "-n",
    "--namespace",
    envvar="ARGOCD_AGENT_NAMESPACE",
    default="argocd",
    show_default=True,
    metavar="NAME",
    help="Argo CD's namespace on the spoke.",
)
@click.option(
    "--agent-mode",
    envvar="ARGOCD_AGENT_MODE",
    default="autonomous",
    show_default=True,
    type=click.Choice(("managed", "autonomous")),
    help="Which side owns the specs: managed the hub, autonomous the spoke.",
)
@agent_tls_options
@creds_options
@websocket_option("ARGOCD_AGENT", "Dial the principal by WebSocket; it must have the option as well.")
@log_options("ARGOCD_AGENT")
@_shared("ARGOCD_AGENT")
@local_options("ARGOCD_AGENT")
@mapping_options(
    "ARGOCD_AGENT", "Namespaces that take part besides Argo CD's own; with --destination-based-mapping."
)
@agent_mapping_options
@policy_options
@budget_options
@redis_options(AGENT)
@click.option(
    "--cache-refresh-interval",
    envvar="ARGOCD_AGENT_CACHE_REFRESH_INTERVAL",
    default="10s",
    show_default=True,
    callback=seconds,
    metavar="DURATION",
    help="How often to look at what Argo CD counts here, for the hub's UI; 0: never.",
)
@bootstrap_options
@tunnel_option
def agent(**options: Any) -> None:
    """Run the agent, on a spoke."""
    from trio_argoagent.cli.agent import run_agent

    run_agent(**options)
