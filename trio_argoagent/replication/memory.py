"""The little that must survive a program and follows from no object: short texts in a ConfigMap.

It is called ``trio-argoagent-state`` on a spoke, and ``trio-argoagent-state.<agent>`` on the hub (one for all
agents would be too large when all have much to say), in Argo CD's namespace, with a label by which they are
found. Writes are coalesced, and change single keys, so that an operator may change others meanwhile. While
nothing happens, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio

from trio_argoagent import errors
from trio_argoagent.kube.informer import Informer
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.known import Known
from trio_argoagent.sync import names

NAME: Final = "trio-argoagent-state"
LABEL: Final = names.STATE
SELECTOR: Final = f"{LABEL}=true"
COALESCE: Final = 1.0
"""Seconds between a first change and its write, for others to join it."""
RETRY: Final = 5.0
"""Seconds until a write that failed is tried again; ``REFUSED`` if we may not."""
REFUSED: Final = 60.0
SYNC_WAIT: Final = 10.0
"""Seconds a program waits for it when it starts; without it nothing is remembered, and deletions are held."""
MAX_TEXT: Final = 256 * 1024
"""Characters of one text; a ConfigMap holds a mebibyte."""

_NOT_ALLOWED: Final = (errors.Forbidden, errors.Unauthorized, errors.NotFound)


def name_of(agent: str) -> str:
    """The name of the ConfigMap that remembers what concerns this agent (empty: the cluster it is on)."""
    return f"{NAME}.{agent}" if agent else NAME


def agent_of(name: str) -> str:
    """The inverse of ``name_of``."""
    return name.removeprefix(NAME).removeprefix(".")


class Memory:
    """See the module.

    Args:
        cluster: where it is.
        namespace: Argo CD's.
        env: for the informer.
    """

    def __init__(self, cluster: Cluster, namespace: str, env: Env) -> None:
        self._cluster, self._namespace = cluster, namespace
        self.informer: Final = Informer(
            cluster, CONFIG_MAPS, namespace, selector=SELECTOR, env=env, name="remembered state"
        )
        self._known = Known(self.informer)
        self._read: dict[str, tuple[Object | None, dict[str, Any]]] = {}
        self._pending: dict[str, dict[str, str | None]] = {}
        self._bell = Bell()
        self._handlers: list[Callable[[str | None], None]] = []
        self.informer.on_change(lambda change: self._changed(agent_of(change.object.meta.name)))
        self.informer.on_state(lambda: self._changed(None))

    def on_change(self, handler: Callable[[str | None], None]) -> None:
        """Call ``handler`` whenever something else may be remembered of this agent (None: of any)."""
        self._handlers.append(handler)

    @property
    def is_synced(self) -> bool:
        """Is it known what is remembered?"""
        return self.informer.is_synced

    async def wait_synced(self) -> None:
        """Return once it is known, or after ``SYNC_WAIT`` seconds."""
        with trio.move_on_after(SYNC_WAIT):
            await self.informer.wait_synced()

    def get(self, key: str, agent: str = "") -> str:
        """What is, or is about to be, remembered under this key (of this agent); empty: nothing."""
        pending = self._pending.get(agent, {})
        return (pending[key] or "") if key in pending else self.durable(key, agent)

    def durable(self, key: str, agent: str = "") -> str:
        """What the cluster is known to hold under this key."""
        found = self._known.get(self._namespace, name_of(agent))
        read, data = self._read.get(agent, (None, {}))
        if found is not read:
            data = (found.get("data") if found is not None else None) or {}
            self._read[agent] = (found, data)
        return str(data.get(key, ""))

    def put(self, key: str, text: str, agent: str = "") -> None:
        """Remember this (empty: nothing) under this key. What is too long is not remembered."""
        if self.get(key, agent) != text and len(text) <= MAX_TEXT:
            self._pending.setdefault(agent, {})[key] = text or None
            self._bell.ring()

    def forget(self, agent: str) -> None:
        """Nothing that concerns this agent is written any more. What is in its ConfigMap stays there."""
        self._pending.pop(agent, None)
        self._read.pop(agent, None)

    async def run(self) -> None:
        """Read and write until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.informer.run, name=f"informer {self.informer.name}")
            await self.informer.wait_synced()
            while True:
                await self._bell.wait()
                await trio.sleep(COALESCE)
                while self._pending:
                    await self._write(next(iter(self._pending)))

    async def _write(self, agent: str) -> None:
        changes = self._pending.pop(agent)
        try:
            self._known.wrote(await self._send(name_of(agent), changes))
        except (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError) as exc:
            # Last in line, so that one that cannot be written keeps no other waiting for long.
            self._pending[agent] = changes | self._pending.pop(agent, {})
            await trio.sleep(REFUSED if isinstance(exc, _NOT_ALLOWED) else RETRY)
        else:
            self._changed(agent)

    async def _send(self, name: str, changes: dict[str, str | None]) -> Object:
        metadata: dict[str, Any] = {"labels": {LABEL: "true"}}
        patch = MergePatch({"metadata": metadata, "data": changes})
        try:
            return await self._cluster.patch(CONFIG_MAPS, self._namespace, name, patch)
        except errors.NotFound:
            value = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": metadata | {"name": name, "namespace": self._namespace},
                "data": {key: text for key, text in changes.items() if text is not None},
            }
            return await self._cluster.create(CONFIG_MAPS, value)

    def _changed(self, agent: str | None) -> None:
        for handler in self._handlers:
            handler(agent)
