"""What the principal can say of its agents."""

from __future__ import annotations

import attrs

from trio_argoagent.model.identity import Mode
from trio_argoagent.ports.transport import LinkStatistics
from trio_argoagent.principal.asking import Waiting
from trio_argoagent.principal.holds import HeldEntry
from trio_argoagent.stream.protocol.freight import FreightStatistics
from trio_argoagent.sync.replica import ReplicaStatistics
from trio_argoagent.sync.source import SourceStatistics


@attrs.frozen
class PeerStatus:
    """What the principal can say of one agent at one moment."""

    name: str
    mode: Mode
    connected: bool
    links: int
    desired: SourceStatistics
    observed: ReplicaStatistics
    consistent_as_of: str
    traffic: LinkStatistics
    silence: str = ""
    """Of which kinds no absence is told to the agent, and why."""
    held: HeldEntry | None = None
    """The deletions on this agent's behalf that wait for a person."""
    contested: bool = False
    """Do two processes fight for this agent's place? The one that is connected keeps it."""
    waiting: tuple[Waiting, ...] = ()
    """The syncs, refreshes and terminates that this agent has not taken up yet."""
    freight: FreightStatistics = attrs.field(factory=FreightStatistics)
    """How the bodies of its feed have travelled."""
