"""Carries out the actions of a timeline.

What lasts (a cut, a slow network, a program that is down) is held by the stage that troubles use as well, so
a trouble that ends never heals what a step has cut.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Final

import trio

from trio_argoagent.errors import UserError
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.chaos import FAULTS
from trio_argoagent.testing.fleet import NAMESPACE, Fleet
from trio_argoagent.testing.operator import confirm, read_held
from trio_argoagent.testing.scenario.values import Applied, Ref
from trio_argoagent.testing.stage import Item, Stage
from trio_argoagent.testing.user import apply_objects

ARGOCD_SERVER: Final = "argocd-server"
"""The actor of what is done in Argo CD's user interface."""
OPERATOR: Final = "operator"
"""Of what a person does about held deletions."""
_CUT, _SLOW, _DOWN = "cut", "slow", "down"


class Doer:
    """Carries out steps on one fleet.

    Args:
        stage: of the fleet.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage, self.fleet = stage, stage.fleet
        self._held: dict[tuple[str, str], ExitStack] = {}
        self.troubles = 0
        """How many have begun."""

    async def do(self, action: str, arguments: Mapping[str, Any]) -> None:
        """One action.

        Raises:
            ArgoAgentError: a server says no.
        """
        await trio.lowlevel.checkpoint()
        await DOERS[action](self, **{_NAMES.get(name, name): value for name, value in arguments.items()})

    def hold(self, what: str, whom: str, how: AbstractContextManager[None]) -> None:
        """Let this last until it is let go; what was held of the same name ends."""
        # In this order: a program that is killed twice must not live in between.
        stack = ExitStack()
        stack.enter_context(how)
        self.let_go(what, whom)
        self._held[what, whom] = stack

    def let_go(self, what: str, whom: str) -> None:
        """End what is held of that name, if anything is."""
        self._held.pop((what, whom), ExitStack()).close()


# Users


async def _apply(doer: Doer, objects: Sequence[Applied], by: str) -> None:
    for each in objects:
        await apply_objects(doer.fleet.cluster(each.cluster, by), each.value)


async def _patch(doer: Doer, object: Ref, change: Mapping[str, Any], by: str) -> None:
    cluster = doer.fleet.cluster(object.cluster, by)
    await cluster.patch(object.resource, object.namespace, object.name, MergePatch(change))


async def _delete(doer: Doer, object: Ref, by: str) -> None:
    cluster = doer.fleet.cluster(object.cluster, by)
    await cluster.delete(object.resource, object.namespace, object.name)


async def _sync(doer: Doer, object: Ref, prune: bool, dry_run: bool) -> None:
    options = {name: True for name, on in (("prune", prune), ("dryRun", dry_run)) if on}
    await argocd_server.sync(_server(doer, object), object.namespace, object.name, options=options)


async def _refresh(doer: Doer, object: Ref, hard: bool) -> None:
    await argocd_server.refresh(
        _server(doer, object), object.namespace, object.name, env=doer.fleet.env, hard=hard, wait=False
    )


async def _terminate(doer: Doer, object: Ref) -> None:
    await argocd_server.terminate(_server(doer, object), object.namespace, object.name)


async def _app_delete(doer: Doer, object: Ref, cascade: bool, propagation: str) -> None:
    await argocd_server.delete(
        _server(doer, object), object.namespace, object.name, cascade=cascade, propagation=propagation
    )


def _server(doer: Doer, object: Ref) -> Any:
    return doer.fleet.cluster(object.cluster, ARGOCD_SERVER)


async def _push(doer: Doer, path: str) -> None:
    doer.fleet.push(path)


async def _degrade(doer: Doer, agent: str, kind: str, namespace: str, name: str, healthy: bool) -> None:
    with _deployed():
        doer.fleet.spokes[agent].world.degrade(kind, namespace, name, not healthy)


async def _drift(doer: Doer, agent: str, kind: str, namespace: str, name: str) -> None:
    with _deployed():
        doer.fleet.spokes[agent].world.drift(kind, namespace, name)


async def _operator(doer: Doer, confirms: bool) -> None:
    """From now on held deletions are confirmed by a person, or not; those that are held now, at once."""
    doer.fleet.confirming = confirms
    if confirms:
        hub = doer.fleet.hub_as(OPERATOR)
        for agent, held in (await read_held(hub, NAMESPACE, unconfirmed=True)).items():
            await confirm(hub, NAMESPACE, agent, held.set, doer.fleet.env.now())


# The network


async def _cut(doer: Doer, agent: str) -> None:
    doer.hold(_CUT, agent, doer.stage.cut(agent))


async def _heal(doer: Doer, agent: str) -> None:
    doer.let_go(_CUT, agent)
    doer.let_go(_SLOW, agent)


async def _slow(doer: Doer, agent: str, seconds: float) -> None:
    doer.hold(_SLOW, agent, doer.stage.late(agent, lambda up, size: seconds))


async def _half_open(doer: Doer, agent: str, up: bool, down: bool) -> None:
    doer.fleet.half_open(agent, up=up, down=down)


async def _expire_certificate(doer: Doer, agent: str) -> None:
    doer.fleet.expire_certificate(agent)


async def _renew_certificate(doer: Doer, agent: str) -> None:
    doer.fleet.renew_certificate(agent)


# Programs


async def _kill(doer: Doer, programs: Sequence[str]) -> None:
    for program in programs:
        doer.hold(_DOWN, program, doer.stage.crashed(program))


async def _restart(doer: Doer, programs: Sequence[str]) -> None:
    # All of them are down before the first one begins anew.
    await _kill(doer, programs)
    for program in programs:
        doer.let_go(_DOWN, program)


async def _pause(doer: Doer, program: str, seconds: float) -> None:
    doer.fleet.pause(program, seconds)


async def _skew_clock(doer: Doer, program: str, ahead: float) -> None:
    doer.fleet.skew_clock(program, ahead)


# API servers


async def _throttle_api(doer: Doer, cluster: str, share: float, seconds: float) -> None:
    doer.fleet.throttle_api(cluster, share, seconds=seconds)


async def _break_watch(doer: Doer, cluster: str) -> None:
    doer.fleet.break_watch(cluster)


async def _fault(doer: Doer, name: str, on: str, seconds: float, strength: float) -> None:
    """A trouble goes on in the background for as long as it lasts."""
    doer.troubles += 1
    item = Item(doer.troubles, trio.current_time(), name, on, seconds, strength)
    doer.stage.nursery.start_soon(FAULTS[name].make, doer.stage, item)


_NAMES: Final = {"for": "seconds"}
"""Keys of the file that are no names in Python."""
DOERS: Final[Mapping[str, Callable[..., Awaitable[None]]]] = {
    "apply": _apply,
    "patch": _patch,
    "delete": _delete,
    "sync": _sync,
    "refresh": _refresh,
    "terminate": _terminate,
    "app_delete": _app_delete,
    "push": _push,
    "degrade": _degrade,
    "drift": _drift,
    "operator": _operator,
    "cut": _cut,
    "heal": _heal,
    "slow": _slow,
    "half_open": _half_open,
    "expire_certificate": _expire_certificate,
    "renew_certificate": _renew_certificate,
    "kill": _kill,
    "restart": _restart,
    "pause": _pause,
    "skew_clock": _skew_clock,
    "throttle_api": _throttle_api,
    "break_watch": _break_watch,
    "fault": _fault,
}
"""Every action that does something to the fleet."""


@contextlib.contextmanager
def _deployed() -> Iterator[None]:
    try:
        yield
    except KeyError as exc:
        raise UserError(str(exc.args[0])) from exc


def furnish(fleet: Fleet, doer: Doer, stopped: Sequence[str]) -> None:
    """Start every program but these."""
    fleet.start(*(name for name in fleet.programs if name not in stopped))
    for name in stopped:
        doer.hold(_DOWN, name, doer.stage.crashed(name))
