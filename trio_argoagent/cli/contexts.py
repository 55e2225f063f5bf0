"""How ``ctl`` finds the hub and a spoke: flags, environment, ctl.conf, kubeconfig; argocd-agentctl's names.

Each flag may stand before the command or after it (``ctl --principal hub agent list``, ``ctl agent list
--principal hub``): the one nearer to the command counts. What is typed counts before what the environment
says, that before ctl.conf's default principal, that before the kubeconfig's current context. A spoke is never
guessed: writing into the wrong cluster is worse than asking.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import attrs
import click
from click.core import ParameterSource

from trio_argoagent.cli import ctlconf
from trio_argoagent.errors import UserError

if TYPE_CHECKING:
    from trio_argoagent.kube.client import HttpCluster

F = TypeVar("F", bound=Callable[..., Any])
NAMESPACE: Final = "argocd"
"""Argo CD's namespace where nobody says another."""


@attrs.frozen
class Place:
    """One cluster, and Argo CD's namespace in it.

    Attributes:
        kubeconfig: path; empty: the usual one, or in a pod its service account.
        kubecontext: of the kubeconfig; empty: its current one.
        namespace: Argo CD's.
    """

    kubeconfig: str = ""
    kubecontext: str = ""
    namespace: str = NAMESPACE

    @asynccontextmanager
    async def open(self) -> AsyncIterator[HttpCluster]:
        """A client of it, by the rule that the programs have, too.

        Raises:
            UserError: there are no credentials, or they cannot be used.
        """
        from trio_argoagent.cli.credentials import find_credentials
        from trio_argoagent.kube.client import open_cluster

        async with open_cluster(await find_credentials(self.kubeconfig, self.kubecontext)) as cluster:
            yield cluster


@attrs.frozen
class _Flag:
    """One option: all that there is to know of it."""

    name: str
    spellings: Sequence[str]
    variables: Sequence[str]
    metavar: str
    help: str

    def option(self, *, hidden: bool = False) -> Callable[[F], F]:
        return click.option(
            self.name,
            *self.spellings,
            envvar=list(self.variables) or None,
            default=None,
            metavar=self.metavar,
            help=self.help,
            hidden=hidden,
        )


_HUB: Final = (
    _Flag(
        "kubeconfig",
        ("--kubeconfig",),
        ("KUBECONFIG",),
        "FILE",
        "Kubeconfig; without it: ~/.kube/config, in a pod its service account.",
    ),
    _Flag(
        "principal_context",
        ("--principal-context", "--kubecontext"),
        ("ARGOCD_AGENT_PRINCIPAL_CONTEXT",),
        "NAME",
        "Context of the hub; without it: the current one.",
    ),
    _Flag(
        "principal_namespace",
        ("-n", "--namespace", "--principal-namespace"),
        ("ARGOCD_AGENT_PRINCIPAL_NAMESPACE", "ARGOCD_PRINCIPAL_NAMESPACE"),
        "NAME",
        f"Argo CD's namespace on the hub.  [default: {NAMESPACE}]",
    ),
    _Flag("principal_name", ("--principal",), (), "NAME", "The hub, as ctl.conf names it."),
)
_SPOKE: Final = (
    _Flag(
        "agent_kubeconfig",
        ("--agent-kubeconfig",),
        (),
        "FILE",
        "Kubeconfig of the spoke, where it is not in the hub's.",
    ),
    _Flag("agent_context", ("--agent-context",), ("ARGOCD_AGENT_AGENT_CONTEXT",), "NAME", "Its context."),
    _Flag(
        "agent_namespace",
        ("--agent-namespace",),
        ("ARGOCD_AGENT_AGENT_NAMESPACE",),
        "NAME",
        f"Argo CD's namespace on the spoke.  [default: {NAMESPACE}]",
    ),
    _Flag("agent_name", ("--agent",), (), "NAME", "The spoke, as ctl.conf names it."),
)
_CONFIG: Final = _Flag("config", ("--config",), (), "FILE", f"The ctl.conf.  [default: {ctlconf.USUAL}]")


def global_options(group: F) -> F:
    """All of them, before a command: for ``ctl`` itself."""

    @functools.wraps(group)
    def entered(**options: Any) -> Any:
        for flag in (*_HUB, *_SPOKE, _CONFIG):
            del options[flag.name]
        return group(**options)

    return _with((*_HUB, *_SPOKE, _CONFIG), (), cast(F, entered))


def hub_options(command: F) -> F:
    """For a command that works on the hub: it gets ``hub``, a ``Place``."""
    return _placed(command, shown=(*_HUB, _CONFIG), hidden=_SPOKE, make=lambda: {"hub": _hub()})


def both_options(command: F) -> F:
    """For a command that works on both: it gets ``hub`` and ``spoke``; the spoke is None if not named."""
    every = (*_HUB, *_SPOKE, _CONFIG)
    return _placed(command, shown=every, hidden=(), make=lambda: {"hub": _hub(), "spoke": _spoke()})


def spoke_options(command: F) -> F:
    """For a command that works on a spoke alone: it gets ``spoke``, and refuses to run without one.

    ``--kubeconfig`` and ``--kubecontext`` mean the spoke's here, and its namespace is the command's affair.
    """
    kubeconfig, context, _, name = _SPOKE
    # Never from the environment, where the hub's is.
    flags = (
        attrs.evolve(
            kubeconfig, spellings=("--kubeconfig", "--agent-kubeconfig"), help="Kubeconfig of the spoke."
        ),
        attrs.evolve(context, spellings=("--kubecontext", "--agent-context")),
        name,
        _CONFIG,
    )
    return _placed(command, shown=flags, hidden=(), make=lambda: {"spoke": needed(_spoke())})


def config_option(command: F) -> F:
    """For a command that works on ctl.conf: it gets ``config``, its path; empty: the usual one."""
    return _placed(command, shown=(_CONFIG,), hidden=(), make=lambda: {"config": _value("config")})


def needed(spoke: Place | None) -> Place:
    """The spoke that a command cannot do without.

    Raises:
        click.UsageError: none has been named.
    """
    if spoke is None:
        raise click.UsageError(
            "which spoke? Give --agent-context NAME, --agent NAME (of ctl.conf) or --agent-kubeconfig FILE",
            click.get_current_context(),
        )
    return spoke


# How it is resolved


def _placed(
    command: F, *, shown: Sequence[_Flag], hidden: Sequence[_Flag], make: Callable[[], Mapping[str, Any]]
) -> F:
    @functools.wraps(command)
    def run(**options: Any) -> Any:
        for flag in (*shown, *hidden):
            options.pop(flag.name, None)
        try:
            places = make()
        except UserError as exc:
            raise click.ClickException(str(exc)) from exc
        return command(**options, **places)

    return _with(shown, hidden, cast(F, run))


def _with(shown: Sequence[_Flag], hidden: Sequence[_Flag], command: F) -> F:
    # An option of the command's own, below this decorator, may be spelt as one that it does not need.
    own = {spelling for each in getattr(command, "__click_params__", ()) for spelling in each.opts}
    for flag in reversed(hidden):
        if own.isdisjoint(flag.spellings):
            command = flag.option(hidden=True)(command)
    for flag in reversed(shown):
        command = flag.option()(command)
    return command


def _typed(name: str) -> str:
    """What stands on the command line, nearest to the command first; empty: nothing."""
    context: click.Context | None = click.get_current_context()
    while context is not None:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            return str(context.params[name])
        context = context.parent
    return ""


def _value(name: str) -> str:
    """What is typed, or else in the environment; empty: neither."""
    return _typed(name) or str(click.get_current_context().params.get(name) or "")


def _hub() -> Place:
    path, name = _value("config"), _typed("principal_name")
    context, namespace = _typed("principal_context"), _typed("principal_namespace")
    entry = None
    if not context:
        names = ctlconf.read(path)
        if name:
            entry = names.find("principal", name, path or ctlconf.USUAL)
        elif not (_value("principal_context") or _typed("kubeconfig")):
            # The default's context would hardly be one of a kubeconfig that was named just for this.
            entry = names.principals.get(names.default)
    if entry is not None:
        return Place(_value("kubeconfig"), entry.context, namespace or entry.namespace)
    namespace = namespace or _value("principal_namespace") or NAMESPACE
    return Place(_value("kubeconfig"), context or _value("principal_context"), namespace)


def _spoke() -> Place | None:
    path, name = _value("config"), _typed("agent_name")
    context, namespace = _typed("agent_context"), _typed("agent_namespace")
    kubeconfig = _value("agent_kubeconfig")
    if not context and name:
        entry = ctlconf.read(path).find("agent", name, path or ctlconf.USUAL)
        return Place(kubeconfig or _value("kubeconfig"), entry.context, namespace or entry.namespace)
    context = context or _value("agent_context")
    if not context and not kubeconfig:
        return None
    namespace = namespace or _value("agent_namespace") or NAMESPACE
    return Place(kubeconfig or _value("kubeconfig"), context, namespace)
