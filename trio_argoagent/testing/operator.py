"""The person who looks after held deletions: confirms whatever the hub shows, as soon as it does.

A fleet has one unless a test says otherwise: what it tests is then that everything gets through in the end,
and not that somebody was asked first.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.principal.holds import CONFIRM, HELD, HeldEntry, confirmation, read_entry
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.memory import NAME, SELECTOR, agent_of, name_of


async def read_held(hub: Cluster, namespace: str, *, unconfirmed: bool = False) -> dict[str, HeldEntry]:
    """What is held now, by agent.

    Args:
        hub: its API.
        namespace: Argo CD's.
        unconfirmed: leave out what has been confirmed already.
    """
    held = {}
    for found in (await hub.list(CONFIG_MAPS, namespace, selector=SELECTOR)).items:
        data = found.get("data") or {}
        entry = read_entry(data.get(HELD, ""))
        confirmed = data.get(CONFIRM, "").partition(" ")[0]
        if entry is not None and not (unconfirmed and confirmed == entry.set):
            held[agent_of(found.meta.name)] = entry
    return held


async def confirm(hub: Cluster, namespace: str, agent: str, name: str, now: float) -> None:
    """Let the deletions of this set be carried out.

    Args:
        hub: its API.
        namespace: Argo CD's.
        agent: whose.
        name: of the set.
        now: Unix time.
    """
    patch = MergePatch({"data": {CONFIRM: confirmation(name, now)}})
    await hub.patch(CONFIG_MAPS, namespace, name_of(agent), patch)


async def run_operator(
    hub: Cluster, server: ApiServer, namespace: str, env: Env, willing: Callable[[], bool]
) -> None:
    """Confirm what is held, as soon as it is shown, until cancelled.

    Args:
        hub: its API, as the operator's own client.
        server: the same server, to be told of its writes.
        namespace: Argo CD's.
        env: wall time.
        willing: asked before each confirmation.
    """
    bell = Bell()

    def look(entry: LogEntry) -> None:
        if entry.resource == CONFIG_MAPS and entry.name.startswith(NAME):
            bell.ring()

    leave = server.subscribe(look)
    try:
        while True:
            await bell.wait()
            await trio.lowlevel.checkpoint()
            held = await read_held(hub, namespace, unconfirmed=True) if willing() else {}
            for agent, entry in held.items():
                await confirm(hub, namespace, agent, entry.set, env.now())
    finally:
        leave()
