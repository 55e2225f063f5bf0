"""Follows the hub's blocklist: what somebody has whose certificate gets onto it ends at that moment.

It is the ConfigMap ``argocd-agent-tls-blocklist`` of Argo CD's namespace (``blocklist`` reads it). Without it
nothing is blocked. A principal that may not read it does not know whom to turn away, so it lets nobody in,
and says so; once it was read it stays in force, whatever becomes of the API server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.fingerprints import BLOCKLIST
from trio_argoagent.model.identity import Peer
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.model.rulings import Decision, about
from trio_argoagent.principal.agents import Agents
from trio_argoagent.principal.blocklist import read_blocklist
from trio_argoagent.principal.gatekeeper import Gatekeeper, blocked
from trio_argoagent.principal.hub import Hub
from trio_argoagent.stream.protocol.messages import Goodbye, Reason

PATIENCE: Final = 5.0
"""Seconds until it is said that the blocklist cannot be read."""


class Revocation:
    """See the module.

    Args:
        hub: where the blocklist is.
        gatekeeper: told what is blocked.
        agents: those that there are.
        report: told what happens: agent, name, text, level.
    """

    def __init__(
        self,
        hub: Hub,
        gatekeeper: Gatekeeper,
        agents: Agents,
        report: Callable[[str, str, str, str], None],
    ) -> None:
        self._gatekeeper, self._agents, self._report = gatekeeper, agents, report
        self._audit = hub.audit
        self._where = f"ConfigMap {hub.namespace}/{BLOCKLIST}"
        self.informer = Informer(
            hub.cluster, CONFIG_MAPS, hub.namespace, only=BLOCKLIST, env=hub.env, name="blocklist"
        )
        self.informer.on_change(self._changed)
        self.informer.on_state(self._doubted)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow it until cancelled. Started once it was read."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.informer.run, name=f"informer {self.informer.name}")
            with trio.move_on_after(PATIENCE):
                await self.informer.wait_synced()
            if not self.informer.is_synced:
                why = self.informer.degraded or self.informer.statistics().last_error or "no answer"
                text = f"{self._where} cannot be read, and until it is, no agent is let in: {why}"
                self._report("", "blocklist-unknown", text, "error")
                await self.informer.wait_synced()
            task_status.started()

    def _doubted(self) -> None:
        if self.informer.is_synced and self.informer.degraded:
            text = f"{self._where} cannot be read; what it held last stays in force: {self.informer.degraded}"
            self._report("", "blocklist-unknown", text, "warning")

    def _changed(self, change: Change) -> None:
        before = self._gatekeeper.blocked
        now = read_blocklist((change.new.get("data") if change.new is not None else None) or {})
        if now.unusable:
            text = f"{self._where}: {len(now.unusable)} keys are no SHA-256 fingerprints and block nothing"
            self._report("", "blocklist-unusable", f"{text}: {now.unusable[0][:64]!r}", "warning")
        self._gatekeeper.blocked = now
        for name, peer in list(self._agents.peers.items()):
            # Also of one that is away: what it has said may still be under way to the hub's objects.
            if peer.who is not None and now.names(peer.who) and not before.names(peer.who):
                self._revoke(name, peer.who)

    def _revoke(self, name: str, who: Peer) -> None:
        self._agents.restart(name, Goodbye(Reason.REVOKED, blocked(who)))
        self._report(name, "agent-revoked", blocked(who), "warning")
        self._audit(about(who, Decision.REVOKED, "link", blocked(who)))
