"""What an agent tells Prometheus of its link and its feeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from trio_argoagent.agent.program import Agent
from trio_argoagent.agent.uplink import LinkState
from trio_argoagent.runtime.metrics import common, feeds, machine
from trio_argoagent.runtime.metrics.exposition import Exposition, Figures
from trio_argoagent.runtime.metrics.rows import Program
from trio_argoagent.runtime.metrics.sheet import Sheet
from trio_argoagent.runtime.metrics.totals import Feeds
from trio_argoagent.stream.protocol.messages import Reason

_WHO: Final = (Reason.IDENTITY, Reason.REVOKED, Reason.BANNED, Reason.UNKNOWN_AGENT)
"""The refusals that are about who we are."""


def exposition(agent: Agent, around: common.Around, renewals: Mapping[str, int] | None) -> Exposition:
    """All metrics of an agent.

    Args:
        agent: at work.
        around: what every program has.
        renewals: of its certificate, by their outcome; None: nobody renews it.
    """
    figures = [of_agent(agent), *around.figures()]
    if renewals is not None:
        figures.append(common.counted(machine.RENEWALS, renewals))
    return Exposition(Program.AGENT, figures)


def of_agent(agent: Agent) -> Figures:
    """All that it knows itself."""
    both = Feeds()

    def figures(sheet: Sheet) -> Iterable[None]:
        status, endings = agent.status(), agent.endings
        both.source(sheet, status.observed, "")
        both.tell(sheet, feeds.REPLICA, status.desired, "")
        both.tell(sheet, feeds.LINK, status.traffic, "")
        both.tell(sheet, feeds.FREIGHT, status.freight, "")
        both.put(sheet)
        sheet.put(feeds.AGENT_EVENTS_SENT, status.observed.records)
        sheet.put(feeds.AGENT_EVENTS_RECEIVED, status.desired.received)
        sheet.put_fields(feeds.FLOW, status.flow)
        live = status.link is LinkState.LIVE
        sheet.put(feeds.CONNECTION_STATUS, int(live))
        sheet.put(feeds.CONNECTION_START, status.link_since if live else 0)
        sheet.put(feeds.AGENT_CONNECTIONS, status.links)
        sheet.put(feeds.HELD_DELETIONS, len(status.held.departures) if status.held is not None else 0)
        sheet.put(feeds.SILENT, int(bool(status.silence)))
        sheet.put(feeds.AUTH_FAILURES, sum(endings.refusals[reason] for reason in _WHO))
        common.endings(sheet, endings)
        common.informers(sheet, agent.informers)
        return ()

    return figures
