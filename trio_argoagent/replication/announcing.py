"""What a session says of its side once, and again when it has become something else."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from trio_argoagent.replication.feeds import Trust
from trio_argoagent.replication.reporting import BATCH
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync.guard import Guard


class Announcements:
    """One session's. Each method returns what is news to the other side, or None.

    Args:
        view: what our feed is a view of, as of now; None: not said.
        info: what our cluster holds, as of now; None: not said.
        guard: of what the other side wants deleted here.
        trust: what we have to say of authorities, as of now; None: nothing.
    """

    def __init__(
        self,
        view: Callable[[], messages.View | None],
        info: Callable[[], messages.ClusterInfo | None],
        guard: Guard,
        trust: Callable[[], Trust | None],
    ) -> None:
        self._view, self._info, self._guard, self._trust = view, info, guard, trust
        self._first_view: messages.View | None = None
        self._said_view: messages.View | None = None
        self._said_info: messages.ClusterInfo | None = None
        self._said_trust: Trust | None = None
        self._said_held, self._looked_at = "", -1

    def view(self, *, settled: bool) -> messages.View | None:
        """What our feed is a view of.

        Args:
            settled: has the other side been found to hold all of it? Once it has become another view amid the
                link, that proves nothing: what is about to vanish from it has not vanished yet.
        """
        view = self._view()
        if view is None:
            return None
        if self._first_view is None:
            self._first_view = view
        same = (view.namespace, view.mapping) == (self._first_view.namespace, self._first_view.mapping)
        view = structs.replace(view, settled=True) if same and settled else view
        if view == self._said_view:
            return None
        self._said_view = view
        return view

    def held(self) -> messages.Held | None:
        """What is held of the deletions that the other side wants."""
        if self._guard.changes == self._looked_at:
            return None
        self._looked_at, held = self._guard.changes, self._guard.held
        name = held.name if held is not None else ""
        if name == self._said_held:
            return None
        self._said_held = name
        if held is None:
            return messages.Held("", "", 0, ())
        keys = tuple(departure.key for departure in held.departures[:BATCH])
        return messages.Held(name, held.reason, len(held.departures), keys)

    def info(self) -> messages.ClusterInfo | None:
        """What our cluster holds, for people."""
        info = self._info()
        if info is None or info == self._said_info:
            return None
        self._said_info = info
        return info

    def trust(self) -> Trust | None:
        """What there is to say of authorities."""
        before, self._said_trust = self._said_trust, self._trust()
        return self._said_trust if self._said_trust != before else None
