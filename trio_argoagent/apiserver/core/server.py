"""The embedded Kubernetes API server without its wire: synchronous, deterministic, in memory.

Every method either answers or raises the ``ApiError`` that a real server would answer with, in its words.
Time comes with each call, randomness from the ``entropy`` the server was made with. Nothing here waits:
HTTP (``apiserver.http``) and the in-process port (``apiserver.local``) are shells round this class. Its verbs
are in ``reads`` and ``writes``, one class on the other; what is no request is here.

What a client hands in (values, patches) becomes part of the store, and what it gets back is part of it:
neither may be changed. The shells decode and encode JSON, which keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core import deletion, restoring
from trio_argoagent.apiserver.core.collecting import Collector
from trio_argoagent.apiserver.core.kinds import CRDS
from trio_argoagent.apiserver.core.requests import Requests
from trio_argoagent.apiserver.core.store import HISTORY
from trio_argoagent.apiserver.core.values import LogEntry, ServerStatistics
from trio_argoagent.apiserver.core.writes import Writes
from trio_argoagent.errors import ApiError
from trio_argoagent.model.resources import NAMESPACES

SYSTEM: Final = "system:apiserver"
"""The actor of what the server does on its own account."""


class ApiServer(Writes):
    """One API server with its store.

    Args:
        entropy: that many random bytes: uids and generated names.
        history: committed writes that are remembered, for watches and in ``log``; 0: all of them.
        now: wall seconds of the birth of the namespaces that are always there.
    """

    def __init__(self, *, entropy: Callable[[int], bytes], history: int = HISTORY, now: float = 0.0) -> None:
        super().__init__(entropy, history)
        self._collector = Collector(self._store, self)
        self._listeners = 0
        self.requests = Requests()
        """What has been asked over HTTP."""
        self._store.listeners[0] = self._collector.note
        for name in deletion.PROTECTED:
            self.create(NAMESPACES, "", {"metadata": {"name": name}}, actor=SYSTEM, now=now)

    def add_crd(self, crd: Mapping[str, Any], *, now: float) -> Sequence[str]:
        """Serve what a CustomResourceDefinition defines, as creating it does.

        Returns: what of it is not enforced.

        Raises:
            Invalid: it is not usable.
            AlreadyExists: it is there.
        """
        return self.create(CRDS, "", dict(crd), actor=SYSTEM, now=now).warnings

    @property
    def rv(self) -> int:
        """The newest resourceVersion."""
        return self._store.rv

    @property
    def log(self) -> Sequence[LogEntry]:
        """The committed writes, oldest first; all of them with ``history=0``, else the newest ones."""
        return self._store.log

    def subscribe(self, listener: Callable[[LogEntry], None]) -> Callable[[], None]:
        """Be told of every committed write, from within it; the listener must not write.

        Returns: what ends that.
        """
        self._listeners += 1
        number = self._listeners
        self._store.listeners[number] = listener
        return lambda: self._store.listeners.pop(number, None) and None

    @property
    def collect_due(self) -> bool:
        """Is there anything for ``collect`` to do?"""
        return self._collector.due

    def collect(self, now: float) -> int:
        """Do what namespace and garbage-collecting controllers do. Returns how many writes it took."""
        return self._collector.collect(now)

    def compact(self, before_rv: int) -> None:
        """Forget, for watches and snapshots, what was before that version; the log stays."""
        self._store.compacted = max(self._store.compacted, min(before_rv, self._store.rv))

    def restore(self, rv: int) -> None:
        """Go back to what was stored at that version, the version itself included; see ``restoring``.

        Every watch ends. Definitions stay as they are.

        Raises:
            Expired: the past does not reach back so far.
            BadRequest: that is still to come.
        """
        self.drop_watches()
        restoring.restore(self._store, rv)

    def bookmark(self) -> None:
        """Show every watch that wants to know how far it has got."""
        for collection in self._store.collections().values():
            for watch in tuple(collection.watches):
                watch.bookmark(self._store.rv)

    def drop_watches(self, error: ApiError | None = None) -> int:
        """End every watch, as a restart of the server does; ``error``: not cleanly. Returns how many."""
        watches = [watch for c in self._store.collections().values() for watch in c.watches]
        for watch in watches:
            watch.close(error)
        return len(watches)

    def statistics(self) -> ServerStatistics:
        """What it holds and has done."""
        store = self._store
        collections = store.collections().values()
        return ServerStatistics(
            rv=store.rv,
            compacted=store.compacted,
            objects=sum(len(collection.objects) for collection in collections),
            log_entries=len(store.log),
            log_dropped=store.dropped,
            watches=sum(len(collection.watches) for collection in collections),
            watches_overflowed=store.overflowed,
        )
