"""What a principal tells Prometheus of its agents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from trio_argoagent.model.rulings import Decision
from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.program import Principal
from trio_argoagent.principal.redisproxy import RedisProxy
from trio_argoagent.runtime.metrics import common, feeds, machine
from trio_argoagent.runtime.metrics.exposition import Exposition, Figures
from trio_argoagent.runtime.metrics.rows import Program
from trio_argoagent.runtime.metrics.sheet import Sheet
from trio_argoagent.runtime.metrics.totals import Feeds
from trio_argoagent.stream.protocol.enrolment import Denial


class AgentFigures:
    """See the module.

    Args:
        principal: asked at each scrape.
    """

    def __init__(self, principal: Principal) -> None:
        self._principal, self._feeds = principal, Feeds()

    def __call__(self, sheet: Sheet) -> Iterator[None]:
        """Everything that one knows, agent by agent."""
        live = self._principal.live()
        self._hub(sheet, [each.since for each in live.values()])
        yield
        connected = 0
        for name in tuple(self._principal.peers):
            peer = self._principal.peers.get(name)
            if peer is not None:
                connected += peer.link is not None
                self._agent(sheet, name, peer)
                contested = name in live and live[name].contested
                sheet.put(feeds.AGENT_CONTESTED, int(contested), agent=name)
                yield
        sheet.put(feeds.CONNECTED_AGENTS, connected)
        self._feeds.totals.keep(self._principal.peers)
        self._feeds.put(sheet)
        self._feeds.totals.put(sheet, feeds.EVENTS_SENT, feeds.EVENTS_RECEIVED)

    def _agent(self, sheet: Sheet, agent: str, peer: Peer) -> None:
        # Not its status: that is for people, and names what nothing of is told here.
        tell, desired, observed = self._feeds.tell, peer.outlet.statistics(), peer.workers.statistics()
        self._feeds.source(sheet, desired, agent)
        tell(sheet, feeds.REPLICA, observed, agent)
        tell(sheet, feeds.LINK, peer.traffic(), agent)
        tell(sheet, feeds.FREIGHT, peer.outlet.freight, agent)
        self._feeds.totals.note(agent, feeds.EVENTS_SENT, desired.records)
        self._feeds.totals.note(agent, feeds.EVENTS_RECEIVED, observed.received)
        sheet.put(feeds.AGENT_CONNECTED, int(peer.link is not None), agent=agent)
        sheet.put(feeds.CONNECTIONS, peer.links, agent=agent)
        held = peer.holds.shown
        sheet.put(feeds.HELD_DELETIONS, held.total if held is not None else 0, agent=agent)
        sheet.put(feeds.SILENT, int(bool(peer.outlet.silence())), agent=agent)

    def _hub(self, sheet: Sheet, connected: Sequence[float]) -> None:
        principal = self._principal
        age = principal.hub.env.now() - sum(connected) / len(connected) if connected else 0
        sheet.put(feeds.CONNECTION_TIME, age / 60)
        sheet.put_fields(machine.WRITES, principal.hub.writes.statistics())
        sheet.put(machine.UNCLAIMED, principal.unclaimed)
        sheet.put(machine.BANNED, len(principal.gatekeeper.outside()))
        common.endings(sheet, principal.endings)
        common.informers(sheet, principal.informers)


def exposition(
    principal: Principal,
    around: common.Around,
    rulings: Mapping[Decision, int],
    denials: Mapping[Denial, int],
    proxy: RedisProxy | None,
) -> Exposition:
    """All metrics of a principal.

    Args:
        principal: at work.
        around: what every program has.
        rulings: security decisions so far.
        denials: requests for certificates that were denied.
        proxy: the one for Redis; None: there is none.
    """
    figures: list[Figures] = [
        AgentFigures(principal),
        common.counted(machine.RULINGS, rulings),
        common.counted(machine.DENIALS, denials),
        *around.figures(),
    ]
    if proxy is not None:
        figures.append(redis_proxy(proxy))
    return Exposition(Program.PRINCIPAL, figures)


def redis_proxy(proxy: RedisProxy) -> Figures:
    """Who looks for Redis here."""

    def figures(sheet: Sheet) -> Iterable[None]:
        sheet.put(machine.REDIS_CONNECTIONS, proxy.connections)
        sheet.put(machine.REDIS_ACCEPTED, proxy.accepted)
        return ()

    return figures
