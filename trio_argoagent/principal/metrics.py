"""What a principal tells Prometheus of its agents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from trio_argoagent.model.rulings import Decision
from trio_argoagent.principal.program import Principal
from trio_argoagent.principal.redisproxy import RedisProxy
from trio_argoagent.principal.status import PeerStatus
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
                status = peer.status()
                connected += status.connected
                self._agent(sheet, status)
                contested = name in live and live[name].contested
                sheet.put(feeds.AGENT_CONTESTED, int(contested), agent=name)
                yield
        sheet.put(feeds.CONNECTED_AGENTS, connected)
        self._feeds.totals.keep(self._principal.peers)
        self._feeds.put(sheet)
        self._feeds.totals.put(sheet, feeds.EVENTS_SENT, feeds.EVENTS_RECEIVED)

    def _agent(self, sheet: Sheet, status: PeerStatus) -> None:
        agent, tell = status.name, self._feeds.tell
        self._feeds.source(sheet, status.desired, agent)
        tell(sheet, feeds.REPLICA, status.observed, agent)
        tell(sheet, feeds.LINK, status.traffic, agent)
        tell(sheet, feeds.FREIGHT, status.freight, agent)
        self._feeds.totals.note(agent, feeds.EVENTS_SENT, status.desired.records)
        self._feeds.totals.note(agent, feeds.EVENTS_RECEIVED, status.observed.received)
        sheet.put(feeds.AGENT_CONNECTED, int(status.connected), agent=agent)
        sheet.put(feeds.CONNECTIONS, status.links, agent=agent)
        sheet.put(feeds.HELD_DELETIONS, status.held.total if status.held is not None else 0, agent=agent)
        sheet.put(feeds.SILENT, int(bool(status.silence)), agent=agent)

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
