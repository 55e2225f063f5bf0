"""The commands and their options. Names and environment variables are argocd-agent's where it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trio_argoagent._version import __version__
from trio_argoagent.cli.apiserver_command import apiserver
from trio_argoagent.cli.chaos_command import chaos
from trio_argoagent.cli.ctl_command import ctl
from trio_argoagent.cli.policy_options import local_options, policy_options

F = TypeVar("F", bound=Callable[..., Any])
_PORT = click.IntRange(1, 65535)
_LISTEN_PORT = click.IntRange(0, 65535)


@click.group(
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
                "--log-level",
                envvar=f"{prefix}_LOG_LEVEL",
                default="info",
                show_default=True,
                type=click.Choice(("debug", "info", "warning", "error")),
                help="The least that is logged.",
            ),
            click.option(
                "--log-format",
                envvar=f"{prefix}_LOG_FORMAT",
                default="text",
                show_default=True,
                type=click.Choice(("text", "json")),
                help="One line per event, for people or for programs.",
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
@click.option(
    "--tls-cert",
    envvar="ARGOCD_PRINCIPAL_TLS_SERVER_CERT_PATH",
    required=True,
    metavar="FILE",
    help="PEM: the principal's certificate, with its chain.",
)
@click.option(
    "--tls-key",
    envvar="ARGOCD_PRINCIPAL_TLS_SERVER_KEY_PATH",
    required=True,
    metavar="FILE",
    help="PEM: its private key.",
)
@click.option(
    "--root-ca-path",
    envvar="ARGOCD_PRINCIPAL_TLS_SERVER_ROOT_CA_PATH",
    required=True,
    metavar="FILE",
    help="PEM: the CA of the agents' certificates.",
)
@click.option(
    "--keepalive",
    default=30.0,
    show_default=True,
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    help="Silence before a ping; two of them end a link.",
)
@_shared("ARGOCD_PRINCIPAL")
@local_options("ARGOCD_PRINCIPAL")
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
@click.option(
    "--root-ca-path",
    envvar="ARGOCD_AGENT_TLS_ROOT_CA_PATH",
    required=True,
    metavar="FILE",
    help="PEM: the CA of the principal's certificate.",
)
@click.option(
    "--tls-client-cert",
    envvar="ARGOCD_AGENT_TLS_CLIENT_CERT_PATH",
    required=True,
    metavar="FILE",
    help="PEM: the agent's certificate; its common name is the agent's name.",
)
@click.option(
    "--tls-client-key",
    envvar="ARGOCD_AGENT_TLS_CLIENT_KEY_PATH",
    required=True,
    metavar="FILE",
    help="PEM: its private key.",
)
@_shared("ARGOCD_AGENT")
@local_options("ARGOCD_AGENT")
@policy_options
def agent(**options: Any) -> None:
    """Run the agent, on a spoke."""
    from trio_argoagent.cli.agent import run_agent

    run_agent(**options)


@cli.command(short_help="Run a whole fleet on this machine.")
@click.option("--headless", is_flag=True, help="No screen: run a seeded workload, then compare both sides.")
@click.option(
    "--duration",
    default=0.0,
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Time to run; 0: until Ctrl-C (headless: 30).",
)
@click.option(
    "--agents",
    default=3,
    show_default=True,
    type=click.IntRange(1, 50),
    metavar="N",
    help="Agents; every third one is autonomous.",
)
@click.option(
    "--apps",
    default=6,
    show_default=True,
    type=click.IntRange(1, 500),
    metavar="N",
    help="Applications of each agent at the start.",
)
@click.option(
    "--cut",
    "cuts",
    multiple=True,
    metavar="AGENT:AT:SECONDS",
    help="Cut that agent's link AT seconds after the start for SECONDS; may be repeated.",
)
@click.option(
    "--restart",
    "restarts",
    multiple=True,
    metavar="NODE:AT",
    help="Stop and start the program of the hub or an agent AT seconds after the start; may be repeated.",
)
@click.option(
    "--apply",
    "files",
    multiple=True,
    metavar="FILE",
    help="Apply this YAML, too; a namespace named like an agent is that agent's; may be repeated.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    metavar="N",
    help="Another one: another workload.",
)
@click.option(
    "--report", default="", metavar="FILE", help="Write what was seen as JSON when its time is over."
)
def demo(**options: Any) -> None:
    """Run a whole fleet on this machine: a hub, its agents, and a Kubernetes API server for each.

    The Application controllers on the spokes are simulated: nothing is deployed anywhere.
    """
    from trio_argoagent.cli.demo import run_demo

    run_demo(**options)


@cli.command(short_help="Play outages of a fleet in virtual time.")
@click.option(
    "--agents",
    default=None,
    show_default="2",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Agents of each fleet; the seed draws their modes.",
)
@click.option(
    "--apps",
    default=None,
    show_default="4",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Applications of each agent at most.",
)
@click.option(
    "--hours",
    default=None,
    show_default="a minute",
    type=click.FloatRange(0, 1000, min_open=True),
    metavar="H",
    help="Virtual time of work and trouble; until both sides agree and are silent comes on top.",
)
@click.option(
    "--faults",
    default=None,
    show_default="all",
    metavar="none|all|NAME,...",
    help="What may befall the fleet; a name that does not exist gets you the list.",
)
@click.option(
    "--level",
    default=None,
    show_default="1",
    type=click.IntRange(1, 2),
    metavar="1|2",
    help="What links are: 1, whole frames in memory; 2, HTTP/2 over bytes in memory, cut anywhere.",
)
@click.option(
    "--seed", default=None, show_default="1", type=click.IntRange(0), metavar="S", help="The first seed."
)
@click.option(
    "--seeds",
    default=None,
    show_default="1",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="How many seeds, counted from the first.",
)
@click.option(
    "--jobs",
    default=None,
    show_default="one for each core",
    type=click.IntRange(1, 256),
    metavar="J",
    help="Seeds that are played at once, each in a process.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option(
    "--trace", default="", metavar="FILE", help="Write every API write to this file as a JSON line."
)
@click.option("--replay", default="", metavar="FILE", help="Play this saved plan; nothing is drawn.")
@click.option(
    "--scenario",
    multiple=True,
    metavar="FILE",
    help="Play this scenario (YAML) and judge what it expects; may be repeated.",
)
@click.option(
    "--compare",
    default=None,
    nargs=2,
    metavar="A B",
    help="Play nothing: say in which write two files of --trace differ first.",
)
@click.option(
    "--shrink",
    is_flag=True,
    help="Drop what the first violation does not need, and save the plan as simulate-seed-S.json.",
)
def simulate(**options: Any) -> None:
    """Play fleets under seeded work and trouble in virtual time, and judge every API write.

    A seed is a whole experiment: it draws the fleet, what users do, what goes wrong, and the order in which
    tasks run, and draws the same again on every run. Exit code 1: a rule was broken; the seed, what led to it
    and the command that shows it again are printed.
    """
    from trio_argoagent.cli.simulate import run_simulate

    run_simulate(**options)


cli.add_command(chaos)


cli.add_command(apiserver)


cli.add_command(ctl)
