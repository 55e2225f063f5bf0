"""The options of ``trio-argoagent conformance``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@click.group(short_help="Ask another implementation whether it speaks the protocol.")
def conformance() -> None:
    """Ask an agent or a principal, of any implementation, whether it speaks the protocol of docs/protocol.md.

    One line for each case; the exit code is 1 if one of them does not hold. Give the other side an identity
    and a cluster of its own: what it replicates meanwhile, it replicates with us.
    """


def _file(option: str, text: str) -> Callable[[F], F]:
    return click.option(option, required=True, metavar="FILE", help=f"PEM: {text}")


@conformance.command(short_help="Play an agent, and ask a principal.")
@click.option("--server-address", required=True, metavar="HOST", help="As its certificate names it.")
@click.option("--server-port", default=443, show_default=True, type=click.IntRange(1, 65_535), metavar="PORT")
@_file("--root-ca-path", "the CA of the principal's certificate.")
@_file("--tls-client-cert", "the certificate of an agent that the principal knows, and that is not running.")
@_file("--tls-client-key", "its private key.")
@click.option(
    "--agent-mode",
    default="managed",
    show_default=True,
    type=click.Choice(("managed", "autonomous")),
    help="Of that agent.",
)
@click.option(
    "--mapping",
    default="namespace",
    show_default=True,
    type=click.Choice(("namespace", "destination")),
    help="Of the principal.",
)
def principal(**options: Any) -> None:
    """Dial a principal some twenty times, as one agent."""
    from trio_argoagent.cli.conformance import run_principal

    run_principal(**options)


@conformance.command(short_help="Play a principal, and ask an agent.")
@click.option("--listen-host", default="127.0.0.1", show_default=True, metavar="HOST")
@click.option(
    "--listen-port",
    default=8443,
    show_default=True,
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Where the agent dials; 0: a free one, which is told.",
)
@_file("--tls-cert", "a principal's certificate, with its chain.")
@_file("--tls-key", "its private key.")
@_file("--root-ca-path", "the CA of the agent's certificate.")
def agent(**options: Any) -> None:
    """Wait for an agent, which dials again after each case: that takes as long as it likes to wait."""
    from trio_argoagent.cli.conformance import run_agent

    run_agent(**options)
