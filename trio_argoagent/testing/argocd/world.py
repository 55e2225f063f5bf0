"""One cluster's workload, and what the oracle of a test wants to know of it.

The ``World`` is the part of a cluster that Argo CD manages and that nobody else here needs as Kubernetes
objects. It outlives the controller: a restarted controller finds in it what is deployed, and how far an
operation had come. Its logs say who deleted what and why, so a test can assert that nothing was pruned.

A pass sees a frozen ``WorldState`` of it and answers with effects; only ``World`` changes anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs

from trio_argoagent.testing.argocd.git import Git, Manifest
from trio_argoagent.testing.argocd.names import (
    IN_CLUSTER,
    PERMISSIVE,
    Phase,
    Settings,
    Value,
    metadata_of,
)
from trio_argoagent.testing.argocd.writes import (
    ApplyManifests,
    BeginAttempt,
    Cascade,
    Effect,
    EndAttempt,
    RunHook,
)

MAX_LOG: Final = 100_000
"""Entries of each log; beyond it the oldest go, and ``World.lost`` counts them."""

Key = tuple[str, str, str, str]


@attrs.frozen
class Live:
    """A deployed resource. Times are Unix seconds."""

    manifest: Manifest
    owner: str
    ready_at: float
    gone_at: float | None = None
    degraded: bool = False


@attrs.frozen
class Pruned:
    """Log: a resource was deleted, ``by`` a finalizer, or by ``sync`` because Git no longer has it."""

    at: float
    uid: str
    app: str
    key: Key
    by: str
    background: bool = False


@attrs.frozen
class Attempt:
    """Log: an attempt of an operation began (phase Running), or ended.

    One operation begins once, unless the controller was stopped in the middle: then with the same token.
    """

    at: float
    uid: str
    app: str
    token: str
    phase: str
    operation: Value


@attrs.frozen
class HookRan:
    """Log: the deletion hooks behind a finalizer ran, or were cleaned up."""

    at: float
    uid: str
    app: str
    finalizer: str


@attrs.frozen
class WorldState:
    """What one pass over one Application sees.

    Attributes:
        git: the repositories.
        project: the AppProject it names, None if there is none.
        live: what it owns, leaving resources included.
        shared: keys that another Application owns.
        destinations: the cluster names and addresses that Argo CD knows.
        failure: the message every sync attempt ends with; empty: attempts succeed.
        window_closed: does a sync window of its project keep it from syncing?
        confirm: does deleting its resources need the deletion-approved annotation?
        attempt: the token and start of the attempt that is running, if any.
    """

    git: Git = attrs.field(factory=Git)
    project: Value | None = attrs.field(factory=lambda: {"spec": PERMISSIVE})
    live: tuple[Live, ...] = ()
    shared: Mapping[Key, str] = attrs.field(factory=dict)
    destinations: tuple[str, ...] = (IN_CLUSTER, "in-cluster")
    failure: str = ""
    window_closed: bool = False
    confirm: bool = False
    attempt: tuple[str, float] | None = None


class World:
    """The workload of one cluster. Applications are named by (namespace, name), as tracking does it.

    A test changes ``git``, ``destinations`` and the three maps of faults at will.
    """

    def __init__(self) -> None:
        self.git = Git()
        self.destinations: tuple[str, ...] = (IN_CLUSTER, "in-cluster")
        self.failures: dict[tuple[str, str], str] = {}
        self.closed_windows: dict[tuple[str, str], bool] = {}
        self.confirmations: dict[tuple[str, str], bool] = {}
        self.prunes: deque[Pruned] = deque(maxlen=MAX_LOG)
        self.attempts: deque[Attempt] = deque(maxlen=MAX_LOG)
        self.hooks: deque[HookRan] = deque(maxlen=MAX_LOG)
        self.lost = 0
        self._live: dict[Key, Live] = {}
        self._running: dict[str, tuple[str, float]] = {}
        self._listeners: list[Callable[[str, str], None]] = []

    def on_change(self, listener: Callable[[str, str], None]) -> Callable[[], None]:
        """Tell a listener (namespace, name) when an Application's resources change; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def live(self, namespace: str, name: str, now: float) -> tuple[Live, ...]:
        """What that Application has deployed, sorted."""
        self._expire(now)
        owner = f"{namespace}/{name}"
        return tuple(self._live[key] for key in sorted(self._live) if self._live[key].owner == owner)

    def state(self, app: Value, project: Value | None, now: float) -> WorldState:
        """What a pass over that Application sees."""
        meta = metadata_of(app)
        name = (meta["namespace"], meta["name"])
        mine = self.live(*name, now)
        owner = "/".join(name)
        return WorldState(
            git=self.git,
            project=project,
            live=mine,
            shared={key: each.owner for key, each in self._live.items() if each.owner != owner},
            destinations=self.destinations,
            failure=self.failures.get(name, ""),
            window_closed=self.closed_windows.get(name, False),
            confirm=self.confirmations.get(name, False),
            attempt=self._running.get(meta["uid"]),
        )

    def apply(self, app: Value, effect: Effect, now: float, settings: Settings) -> None:
        """Carry out an effect of a pass over that Application, at ``now`` (Unix seconds)."""
        meta = metadata_of(app)
        uid, owner = meta["uid"], f"{meta['namespace']}/{meta['name']}"
        match effect:
            case BeginAttempt(token, operation):
                self._running[uid] = (token, now)
                self._log(self.attempts, Attempt(now, uid, owner, token, Phase.RUNNING, operation))
                return
            case EndAttempt(token, phase, operation):
                self._running.pop(uid, None)
                self._log(self.attempts, Attempt(now, uid, owner, token, phase, operation))
                return
            case RunHook(finalizer):
                self._log(self.hooks, HookRan(now, uid, owner, finalizer))
                return
            case ApplyManifests(manifests, pruned):
                self._deploy(owner, manifests, now + settings.progressing)
                for each in pruned:
                    self._live.pop(each.key, None)
                    self._log(self.prunes, Pruned(now, uid, owner, each.key, "sync"))
            case Cascade(finalizer, background):
                self._running.pop(uid, None)
                for live in self.live(meta["namespace"], meta["name"], now):
                    if live.gone_at is None:
                        key = live.manifest.key
                        self._live[key] = attrs.evolve(live, gone_at=now + settings.pruning)
                        self._log(self.prunes, Pruned(now, uid, owner, key, finalizer, background))
        self._tell(owner)

    def drift(self, kind: str, namespace: str, name: str) -> None:
        """Somebody edits a deployed resource by hand.

        Raises:
            KeyError: it is not deployed.
        """
        self._change(kind, namespace, name, lambda live: attrs.evolve(
            live, manifest=attrs.evolve(live.manifest, content="edited by hand")))  # fmt: skip

    def degrade(self, kind: str, namespace: str, name: str, degraded: bool = True) -> None:
        """A deployed resource fails, or heals.

        Raises:
            KeyError: it is not deployed.
        """
        self._change(kind, namespace, name, lambda live: attrs.evolve(live, degraded=degraded))

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Somebody deletes a deployed resource by hand.

        Raises:
            KeyError: it is not deployed.
        """
        self._tell(self._live.pop(self._find(kind, namespace, name)).owner)

    def statistics(self) -> Mapping[str, Any]:
        """Sizes of all that grows."""
        return {
            "live": len(self._live), "running": len(self._running), "prunes": len(self.prunes),
            "attempts": len(self.attempts), "hooks": len(self.hooks), "lost": self.lost,
        }  # fmt: skip

    def _deploy(self, owner: str, manifests: Iterable[Manifest], ready_at: float) -> None:
        for each in manifests:
            old = self._live.get(each.key)
            # What is applied unchanged does not roll out again.
            if old is not None and old.manifest == each and old.gone_at is None:
                ready_at_here = old.ready_at
            else:
                ready_at_here = ready_at
            self._live[each.key] = Live(each, owner, ready_at_here)

    def _change(self, kind: str, namespace: str, name: str, change: Callable[[Live], Live]) -> None:
        key = self._find(kind, namespace, name)
        self._live[key] = change(self._live[key])
        self._tell(self._live[key].owner)

    def _find(self, kind: str, namespace: str, name: str) -> Key:
        for key in self._live:
            if key[1:] == (kind, namespace, name):
                return key
        raise KeyError(f"{kind} {namespace}/{name} is not deployed")

    def _expire(self, now: float) -> None:
        for key in [k for k, live in self._live.items() if live.gone_at is not None and live.gone_at <= now]:
            del self._live[key]

    def _tell(self, owner: str) -> None:
        namespace, _, name = owner.partition("/")
        for listener in tuple(self._listeners):
            listener(namespace, name)

    def _log(self, log: deque[Any], entry: Any) -> None:
        self.lost += len(log) == MAX_LOG
        log.append(entry)
