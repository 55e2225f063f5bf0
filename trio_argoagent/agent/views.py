"""What an agent says of its cluster, remembers of the hub, and hears about deletions that are held.

In the ConfigMap ``trio-argoagent-state`` of Argo CD's namespace on the spoke: ``sessions`` (an autonomous
agent's links) and ``principal`` (what the hub was when a managed agent believed it last).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trio_argoagent.model.identity import Mode
from trio_argoagent.ports.env import Env
from trio_argoagent.replication.memory import Memory
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.replication.views import Origin, Remembrance
from trio_argoagent.replication.workers import Workers
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync import digest
from trio_argoagent.sync.guard import HeldSet
from trio_argoagent.sync.scope import Scope

SESSIONS: Final = "sessions"
PRINCIPAL: Final = "principal"


class Views:
    """See the module.

    Args:
        memory: of the spoke's cluster.
        mode: who owns the specs: the other side is the source of objects.
        scope: what of the spoke counts.
        workers: of what the hub asks for.
        outlet: of what the hub shall see.
        env: wall time.
        report: told what happens: name, text, level.
    """

    def __init__(
        self,
        memory: Memory,
        mode: Mode,
        scope: Scope,
        workers: Workers,
        outlet: Outlet,
        env: Env,
        report: Callable[[str, str, str], None],
    ) -> None:
        self.memory, self._report = memory, report
        self._is_source = mode is Mode.AUTONOMOUS
        self.namespace_uid = ""
        """Of Argo CD's namespace; empty: not known."""
        how = (scope.style.value, scope.namespace, *scope.selection.said())
        mapping = digest.of_bytes(*(part.encode() for part in how))
        self._origin = Origin(memory, SESSIONS, "", env, lambda: self.namespace_uid, lambda: mapping)
        self._remembrance = Remembrance(memory, PRINCIPAL, "", workers.guard, self._doubt)
        if not self._is_source:
            workers.on_held = self._holds
            memory.on_change(lambda agent: self._remembrance.look())
        else:
            memory.on_change(lambda agent: outlet.bell.ring())

    def link_up(self) -> None:
        """A link has come up."""
        if self._is_source:
            self._origin.begin()

    def view(self) -> messages.View | None:
        """What the agent says of its cluster: a managed one is no source of objects."""
        return self._origin.view() if self._is_source else None

    def viewed(self, said: messages.View) -> None:
        """What the principal says of the hub."""
        if not self._is_source:
            self._remembrance.viewed(said)

    def held(self, said: messages.Held) -> None:
        """The principal does not carry out these deletions of mirrors."""
        if said.name:
            text = f"the hub holds {said.total} deletions of ours ({said.reason}); set {said.name}"
            self._report("deletes-held", text, "warning")
        else:
            self._report("deletes-released", "the hub holds no deletion any more", "info")

    def _holds(self, held: HeldSet | None) -> None:
        if held is not None:
            text = f"{len(held.departures)} deletions are held ({held.reason}); set {held.name}"
            self._report("deletes-held", text, "warning")
        else:
            self._report("deletes-released", "no deletion is held any more", "info")

    def _doubt(self, text: str) -> None:
        self._report("deletes-doubted", f"what is missing is not deleted: {text}", "warning")
