"""Both ends of "is the source still the one it was" (``sync.views``): who says it, and who remembers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from trio_argoagent.ports.env import Env
from trio_argoagent.replication.memory import Memory
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync import views
from trio_argoagent.sync.guard import Guard
from trio_argoagent.sync.views import View

COUNT_AFTER: Final = 3600.0
"""Seconds between two counted sessions: a link that breaks often must not cost a write each time."""
UNKNOWN: Final = "it is not known yet what the source was before"


class Origin:
    """The source's end: what it says of itself.

    Args:
        memory: of the source's cluster.
        key: under which its sessions with this peer are counted.
        agent: which peer, on the hub; else empty.
        env: wall time.
        namespace: uid of the namespace that its objects lie in; empty: not known.
        mapping: digest of what selects and maps them.
    """

    def __init__(
        self,
        memory: Memory,
        key: str,
        agent: str,
        env: Env,
        namespace: Callable[[], str],
        mapping: Callable[[], str],
    ) -> None:
        self._memory, self._key, self._agent, self._env = memory, key, agent, env
        self._namespace, self._mapping = namespace, mapping

    def begin(self) -> None:
        """A session has begun: count it, unless one was counted just now."""
        count, at = self._read(self._memory.get(self._key, self._agent))
        now = self._env.now()
        if self._memory.is_synced and not at <= now < at + COUNT_AFTER:
            self._memory.put(self._key, f"{count + 1} {now:.0f}", self._agent)

    @staticmethod
    def _read(text: str) -> tuple[int, float]:
        try:
            count, at = text.split(" ")
            return int(count), float(at)
        except ValueError:
            return 0, float("-inf")

    def view(self) -> messages.View | None:
        """What it says now; None: nothing yet."""
        if not self._memory.is_synced:
            return None
        # Only what a restore would take back: a number that is not stored yet would look like one.
        count, _ = self._read(self._memory.durable(self._key, self._agent))
        return messages.View(self._namespace(), self._mapping(), count)


class Remembrance:
    """The replica's end: what it believes.

    Args:
        memory: of the replica's cluster.
        key: under which the source's view is remembered.
        agent: whose source it is, on the hub; else empty.
        guard: of the feed.
        report: told of a doubt.
    """

    def __init__(
        self, memory: Memory, key: str, agent: str, guard: Guard, report: Callable[[str], None]
    ) -> None:
        self._memory, self._key, self._agent = memory, key, agent
        self._guard, self._report = guard, report
        self._now: View | None = None

    def viewed(self, said: messages.View) -> None:
        """The source has said what it is."""
        self._now = View(said.namespace, said.mapping, said.sessions)
        if said.settled:
            self._guard.settled()
        if said.settled and not views.doubt(None, self._now):
            self.believe()
        else:
            self.look()

    def look(self) -> None:
        """Compare once more: what is remembered may be known only now."""
        if self._now is None:
            return
        if not self._memory.is_synced:
            self._guard.suspect(UNKNOWN)
            return
        before = views.load(self._memory.get(self._key, self._agent))
        doubt = views.doubt(before, self._now)
        if not doubt:
            self.believe()
        elif doubt != self._guard.suspicion:
            self._guard.suspect(doubt)
            doubted = attrs.evolve(before if before is not None else self._now, doubt=doubt)
            self._memory.put(self._key, views.dump(doubted), self._agent)
            self._report(doubt)

    def believe(self) -> None:
        """This is what the source is from now on."""
        self._guard.trust()
        if self._now is not None and self._memory.is_synced:
            before = views.load(self._memory.get(self._key, self._agent))
            self._memory.put(self._key, views.dump(views.merged(before, self._now)), self._agent)
