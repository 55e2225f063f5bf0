"""A fleet that is not running, and statuses that it might show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from trio_argoagent.agent import AgentStatus
from trio_argoagent.agent.uplink import LinkState
from trio_argoagent.demo.fleet import Fleet, Node
from trio_argoagent.demo.settings import Settings, agent_names
from trio_argoagent.ports.transport import LinkStatistics
from trio_argoagent.principal import PeerStatus
from trio_argoagent.runtime.events import ignore
from trio_argoagent.runtime.world import seeded_env
from trio_argoagent.sync.flow import FlowStatistics
from trio_argoagent.sync.replica import ReplicaStatistics
from trio_argoagent.sync.source import SourceStatistics

DEFAULTS = Settings(
    agents=agent_names(3),
    apps=1,
    headless=True,
    duration=0.0,
    cuts=(),
    restarts=(),
    files=(),
    seed=1,
    report="",
)


def idle_fleet(folder: Path, **changes: Any) -> Fleet:
    """The demo's fleet before it is started: API servers in memory, no program, no port."""
    return Fleet(attrs.evolve(DEFAULTS, **changes), seeded_env("idle"), folder, ignore)


def source(dirty: int = 0, in_flight: int = 0, records: int = 0) -> SourceStatistics:
    """A source's counters."""
    return SourceStatistics(
        phase="live",
        wanted=0,
        dirty=dirty,
        in_flight=in_flight,
        refused=0,
        oldest_dirty=0.0,
        records=records,
        tombstones=0,
        mismatches=0,
    )


REPLICA = ReplicaStatistics(held=0, working=0, waiting=0, applied=0, rejected=0, reverted=0, contested=0)


@attrs.frozen
class Speaking:
    """In an agent's or a principal's place: it only has a status."""

    said: Any

    def status(self) -> Any:
        """What it says of itself."""
        return self.said


def agent_says(node: Node, *, link: LinkState = LinkState.LIVE, observed: SourceStatistics) -> None:
    """This node's agent runs, and says that."""
    traffic = LinkStatistics(bytes_sent=1000, bytes_received=500)
    said = AgentStatus(node.name, link, 2, observed, REPLICA, "42", traffic, FlowStatistics(0, 0, 0, 0))
    agent: Any = Speaking(said)
    node.agent = agent


def principal_says(fleet: Fleet, desired: SourceStatistics) -> None:
    """The principal runs, and says that of each agent."""
    said = tuple(
        PeerStatus(name, node.mode, True, 2, desired, REPLICA, "17", LinkStatistics())
        for name, node in fleet.nodes.items()
    )
    principal: Any = Speaking(said)
    fleet.principal = principal
