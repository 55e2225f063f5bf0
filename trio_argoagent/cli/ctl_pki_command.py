"""``trio-argoagent ctl pki``: its commands and their options, as argocd-agentctl has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click

from trio_argoagent.cli.contexts import both_options, hub_options
from trio_argoagent.cli.key_options import key_options, ordering
from trio_argoagent.cli.output import JSON, output_option

F = TypeVar("F", bound=Callable[..., Any])
CA_DAYS: Final = 3650

_FOLDER: Final = click.option(
    "--dir",
    "folder",
    default="",
    metavar="DIR",
    help="Files instead of clusters: DIR/principal/SECRET/KEY, DIR/agents/NAME/SECRET/KEY.",
)
_SPOKE_FOLDER: Final = click.option(
    "--agent-dir",
    "spoke_folder",
    default="",
    metavar="DIR",
    help="Files instead of the spoke's cluster: DIR/SECRET/KEY.",
)
_UPSERT: Final = click.option("-u", "--upsert", is_flag=True, help="Replace the certificate that is there.")


def _split(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Repeated, or with commas between them."""
    parts = (part.strip() for value in values for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _hosts(ips: Sequence[str], dns: Sequence[str]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for name, default, what in (
            ("--dns", dns, "DNS names that it is reached by, with commas between them."),
            ("--ip", ips, "IP addresses that it is reached by, with commas between them."),
        ):
            command = click.option(
                name,
                multiple=True,
                default=default,
                show_default=bool(default),
                callback=_split,
                metavar="LIST",
                help=what,
            )(command)
        return command

    return decorate


@click.group()
def pki() -> None:
    """The fleet's own certificate authority (CA), and the certificates of hub and agents.

    They lie in argocd-agent's Secrets: argocd-agent-ca, -principal-tls and -resource-proxy-tls on the hub,
    argocd-agent-ca and -client-tls on a spoke.
    """


@pki.command(name="init")
@click.option(
    "-f", "--force", is_flag=True, help="Replace the CA that is there. See rotate-ca, which is safe."
)
@ordering(CA_DAYS, "How long the CA is valid.")
@_FOLDER
@hub_options
def init_command(**options: Any) -> None:
    """Make a CA."""
    from trio_argoagent.cli.ctl_pki import run_init

    run_init(**options)


@pki.group()
def issue() -> None:
    """Make a certificate and its key."""


@issue.command(name="principal")
@_hosts(("127.0.0.1",), ("localhost",))
@_UPSERT
@key_options
@_FOLDER
@hub_options
def issue_principal_command(ip: Sequence[str], dns: Sequence[str], **options: Any) -> None:
    """For the principal: what agents connect to."""
    from trio_argoagent.cli.ctl_pki import run_issue_server

    run_issue_server(component="principal", hosts=(*dns, *ip), **options)


@issue.command(name="resource-proxy")
@_hosts((), ())
@click.option("--no-san", is_flag=True, help="It names no host: for clients that check none.")
@_UPSERT
@key_options
@_FOLDER
@hub_options
def issue_resource_proxy_command(
    *, ip: Sequence[str], dns: Sequence[str], no_san: bool, **options: Any
) -> None:
    """For the resource proxy: what Argo CD connects to."""
    from trio_argoagent.cli.ctl_pki import run_issue_server

    hosts = (*dns, *ip)
    if bool(hosts) == no_san:
        raise click.UsageError("give --ip or --dns, or else --no-san", click.get_current_context())
    run_issue_server(component="resource-proxy", hosts=None if no_san else hosts, **options)


@issue.command(name="agent")
@click.argument("name")
@click.option("--same-context", is_flag=True, help="The agent is in the cluster of the CA.")
@_UPSERT
@key_options
@_FOLDER
@_SPOKE_FOLDER
@both_options
def issue_agent_command(**options: Any) -> None:
    """For the agent NAME, put where it runs."""
    from trio_argoagent.cli.ctl_pki import run_issue_agent

    run_issue_agent(**options)


@pki.command(name="propagate")
@click.argument("name", required=False, default="")
@click.option("-f", "--force", is_flag=True, help="The agent is to trust this CA alone.")
@_FOLDER
@_SPOKE_FOLDER
@both_options
def propagate_command(**options: Any) -> None:
    """Let an agent trust the CA; what it trusts already stays. NAME: of the agent, with --dir."""
    from trio_argoagent.cli.ctl_pki import run_propagate

    run_propagate(**options)


@pki.command(name="inspect")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("-f", "--full", is_flag=True, help="The certificates themselves, too.")
@output_option(JSON)
@_FOLDER
@_SPOKE_FOLDER
@both_options
def inspect_command(**options: Any) -> None:
    """Say what the certificates are, and what is wrong with them.

    Those of the hub, of the spoke if one is named; or of PEM files.
    """
    from trio_argoagent.cli.ctl_pki_show import run_inspect

    run_inspect(**options)


@pki.command(name="rotate-ca")
@click.option("--status", is_flag=True, help="Only say how it stands.")
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="Do not wait for this agent: it is locked out until it gets a new certificate by hand or token.",
)
@click.option("--abort", is_flag=True, help="Take the new root back, as long as it has issued nothing.")
@ordering(CA_DAYS, "How long the new CA is valid.")
@output_option()
@hub_options
def rotate_command(**options: Any) -> None:
    """Let another CA take over without losing an agent.

    The first run makes it; each further one does what may be done then, and says which agents it waits for.
    """
    from trio_argoagent.cli.ctl_rotate import run_rotate

    run_rotate(**options)


@pki.command(name="dump")
@click.option("--all", "everything", is_flag=True, help="Certificate and key.")
@click.option("--key", is_flag=True, help="The private key.")
@click.option("--cert", is_flag=True, help="The certificate.")
@click.option("--bundle", is_flag=True, help="All roots that are to be trusted: several during a rotation.")
@_FOLDER
@hub_options
def dump_command(**options: Any) -> None:
    """Print the CA as PEM."""
    from trio_argoagent.cli.ctl_pki_show import run_dump

    run_dump(**options)


@pki.command(name="delete")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@_FOLDER
@hub_options
def delete_command(**options: Any) -> None:
    """Remove the CA and its key."""
    from trio_argoagent.cli.ctl_pki import run_delete

    run_delete(**options)
