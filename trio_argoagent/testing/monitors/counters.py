"""Do the product's counters add up, and what it says of itself? I9, I10 and L4."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trio_argoagent.agent.program import Agent, AgentStatus
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.model import rv
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.status import PeerStatus
from trio_argoagent.sync.replica import ReplicaStatistics
from trio_argoagent.sync.source import SourceStatistics
from trio_argoagent.testing.fleet import Fleet
from trio_argoagent.testing.monitors.ledger import Ledger


class Counters:
    """See the module.

    Args:
        fleet: whose.
        ledger: of what was violated.
        seen: how many refusals stand on an agent's link and are seen (I12): they need not be settled.
    """

    def __init__(self, fleet: Fleet, ledger: Ledger, seen: Callable[[str], int]) -> None:
        self._fleet, self._ledger, self._seen = fleet, ledger, seen

    def sample(self) -> None:
        """Look at the product's counters, which must add up at any time."""
        for where, source in self._sources():
            answered = source.applied + source.rejected + source.unreadable
            answered += source.superseded + source.forsaken
            if source.records != answered + source.in_flight:
                self._ledger.say(f"I9: {where}: records are not accounted for: {source}")

    def unsettled(self) -> Iterator[str]:
        """What is not at rest although it should be: nothing changes, and everything works."""
        holds: dict[str, int] = {}
        for name, peer, agent in self._pairs():
            holds |= {name: peer.observed.held, f"principal for {name}": agent.desired.held}
        for where, source in self._sources():
            open_, seen = source.dirty + source.in_flight, self._seen(where.rpartition(" ")[2])
            if source.phase != "live" or open_ > seen or source.refused > seen:
                yield f"I9: {where}: the source is not settled: {source}"
            most = source.wanted + holds.get(where, 0)
            if source.keys > most:
                yield f"I10: {where}: {source.keys} keys are remembered, of {most} wanted or held"
            if source.mismatches:
                yield f"I9: {where}: the source was mistaken {source.mismatches} times"
        for where, replica in self._replicas():
            if replica.working or replica.waiting > self._seen(where.rpartition(" ")[2]):
                yield f"I9: {where}: the replica is not settled: {replica}"
        yield from self._behind()

    def _behind(self) -> Iterator[str]:
        """L4: what a feed is proven as of passes every version, unless something of it is refused."""
        for name, peer, agent in self._pairs():
            spoke = self._fleet.spokes[name]
            said = [
                (name, agent.consistent_as_of, _newest(spoke.server, spoke.app_namespaces), agent.observed)
            ]
            if not spoke.mapping.autonomous:
                newest = _newest(self._fleet.hub, name)
                said.append((f"principal for {name}", peer.consistent_as_of, newest, peer.desired))
            for where, proven, newest, source in said:
                if not source.refused and not rv.at_least(proven, str(newest)):
                    yield f"L4: {where}: proven as of {proven or 'never'}, and there is {newest}"

    def _sources(self) -> Iterator[tuple[str, SourceStatistics]]:
        for name, peer, agent in self._ends():
            yield f"principal for {name}", peer.outlet.statistics()
            yield name, agent.spoke.outlet.statistics()

    def _replicas(self) -> Iterator[tuple[str, ReplicaStatistics]]:
        for name, peer, agent in self._pairs():
            yield f"principal for {name}", peer.observed
            yield name, agent.desired

    def _pairs(self) -> Iterator[tuple[str, PeerStatus, AgentStatus]]:
        """What both ends of each agent say of themselves."""
        for name, peer, agent in self._ends():
            yield name, peer.status(), agent.status()

    def _ends(self) -> Iterator[tuple[str, Peer, Agent]]:
        """Both ends of each agent, where both run and know each other."""
        principal = self._fleet.principal.instance
        for name, peer in principal.peers.items() if principal is not None else ():
            agent = self._fleet.agents[name].instance
            if agent is not None:
                yield name, peer, agent


def _newest(server: ApiServer, namespace: str) -> int:
    """The latest version of an Application there; 0 without any."""
    return max((item.rv for item in server.list(APPLICATIONS, namespace).items), default=0)
