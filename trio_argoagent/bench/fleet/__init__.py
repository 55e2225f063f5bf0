"""Questions about whole fleets: a principal and agents as processes, over embedded API servers in this one.

rig          the fleet, what Argo CD would write, arrivals on the hub, bytes, CPU and memory
propagation  how long a hub edit takes to its spoke
rates        changes a second from one side to the other, beside what the other's server does alone
status       of statuses, from spoke to hub
spec         of specs, from hub to spoke
size         what travels for one status change
reconnect    what a reconnect costs after so many changes
restart      what a restart of the principal costs
join         a new agent's Applications
agent        what an agent costs its spoke
hub          what the principal takes for each agent
fairness     a quiet agent beside one that floods; flooder: that one, on a machine of its own
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trio_argoagent.bench.fleet import (
    agent,
    fairness,
    hub,
    join,
    propagation,
    reconnect,
    restart,
    size,
    spec,
    status,
)
from trio_argoagent.bench.questions import Question

FAMILY: Final = "fleet"
_ALL = (propagation, status, spec, size, reconnect, restart, join, agent, hub, fairness)
QUESTIONS: Final[Mapping[str, Question]] = {asked.QUESTION.name: asked.QUESTION for asked in _ALL}
"""By name."""
