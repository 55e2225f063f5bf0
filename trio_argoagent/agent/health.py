"""What an agent shows of itself (``runtime.observing``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from trio_argoagent.agent.program import Agent
from trio_argoagent.agent.uplink import LinkState, LinkStatus
from trio_argoagent.net.certificates import timestamp
from trio_argoagent.runtime.material import Material
from trio_argoagent.runtime.observing import common
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.runtime.observing.conditions import Condition


def show(board: Board, agent: Agent, material: Material, now: Callable[[], float]) -> None:
    """Hang it on the board of its program; for the arguments see ``conditions``."""
    board.show(partial(conditions, agent, material, now), partial(facts, agent))


def conditions(agent: Agent, material: Material, now: Callable[[], float]) -> Iterable[Condition]:
    """What must hold.

    Args:
        agent: at work.
        material: its TLS material.
        now: Unix time.
    """
    yield from common.informers(agent.spoke.stores)
    yield common.certificates(material.statistics(), now())
    yield link(agent.link_status())


def link(status: LinkStatus) -> Condition:
    """Is it connected? It does not count: what a hub that is away has left undone waits in this process."""
    since = timestamp(status.since)
    if status.state is LinkState.LIVE:
        return Condition("link", True, f"connected as {status.name} since {since}", False)
    why = f": {status.trouble}" if status.trouble else ""
    return Condition("link", False, f"{status.state}, not connected since {since}{why}", False)


def facts(agent: Agent) -> Iterable[str]:
    """How far its feeds are."""
    status = agent.status()
    yield common.sent("observed", status.consistent_as_of, status.observed)
    yield common.received("desired", status.desired)
    if status.silence:
        yield f"deletions not told: {status.silence}"
    if status.held is not None:
        yield "deletions held: trio-argoagent ctl deletes list shows them"
