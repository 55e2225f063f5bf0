"""``trio-argoagent ctl app release``: ends a deletion that waits for an agent that is gone for ever."""

from __future__ import annotations

import re
from typing import Final

import click

from trio_argoagent.cli import ctl_agent, running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.errors import ApiError, Conflict, NotFound, OutcomeUnknown, RemoteProtocolError, UserError
from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.principal.clusters import choose, read_entry
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync import names
from trio_argoagent.sync.destinations import destination_of

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def run_release(*, app: str, yes: bool, hub: Place) -> None:
    """Let a hub Application go."""

    async def program() -> int:
        async with hub.open() as cluster:
            click.echo(await release(cluster, hub.namespace, app, real_env().new_id(), yes=yes))
        return 0

    running.run(program)


async def release(hub: Cluster, namespace: str, app: str, word: str, *, yes: bool) -> str:
    """Take Argo CD's finalizers off a deleting hub Application whose agent cannot answer; says so.

    Args:
        hub: its API.
        namespace: Argo CD's.
        app: ``NAMESPACE/NAME``.
        word: to ask the principal with; new each time.
        yes: has the user said that this is meant?

    Raises:
        UserError: it must not be done, or the hub does not let us; nothing has changed.
    """
    where, _, name = app.partition("/")
    if not is_dns_label(where) or not _NAME.fullmatch(name):
        raise UserError(f"{app!r} is not NAMESPACE/NAME of an Application of the hub")
    found = await _read(hub, where, name)
    ours = [finalizer for finalizer in found.finalizers if names.is_argo_finalizer(finalizer)]
    if not found.deleting:
        raise UserError(f"{app} is not being deleted: delete it first, and release it if it stays")
    if not ours:
        others = ", ".join(found.finalizers) or "nothing"
        raise UserError(f"{app} does not wait for Argo CD; its finalizers: {others}")
    await _check_away(hub, namespace, found, word)
    if not yes:
        raise UserError(f"{app} would go from the hub, and what it deployed stays on the spoke: add --yes")
    kept = [finalizer for finalizer in found.finalizers if finalizer not in ours]
    metadata = {"resourceVersion": found.meta.resource_version, "finalizers": kept or None}
    try:
        await hub.patch(APPLICATIONS, where, name, MergePatch({"metadata": metadata}))
    except Conflict as exc:
        raise UserError(f"{app} has changed just now: run it again") from exc
    except (ApiError, OutcomeUnknown, RemoteProtocolError) as exc:
        raise UserError(f"cannot release {app}: {exc}") from exc
    rest = f"; it still waits for {', '.join(kept)}" if kept else ""
    return f"released {app}: what it deployed stays on the spoke{rest}"


async def _read(hub: Cluster, where: str, name: str) -> Object:
    try:
        return await hub.get(APPLICATIONS, where, name)
    except NotFound as exc:
        raise UserError(f"there is no Application {where}/{name} on the hub") from exc
    except (ApiError, RemoteProtocolError) as exc:
        raise UserError(f"cannot read {where}/{name}: {exc}") from exc


async def _check_away(hub: Cluster, namespace: str, app: Object, word: str) -> None:
    """Raises UserError unless nobody can carry the deletion out."""
    secrets = await ctl_agent.read_secrets(hub, namespace)
    homes = {name: choose(map(read_entry, each)) for name, each in secrets.items()}
    # By its namespace or, where agents are found by destination, by that: whoever it may be must be away.
    its = [
        name
        for name, entry in homes.items()
        if (entry is not None and entry.home == app.meta.namespace) or name == destination_of(app)
    ]
    answer = await ctl_agent.ask(hub, namespace, word) if its else None
    for agent in its:
        gone = f"if it is gone for ever: trio-argoagent ctl agent remove {agent}"
        if answer is None:
            raise UserError(f"no principal answers, so {agent} may be connected: start it; {gone}")
        if agent in answer.connected:
            raise UserError(f"{agent} is connected and carries the deletion out itself; {gone}")
