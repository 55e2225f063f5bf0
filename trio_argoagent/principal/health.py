"""What a principal shows of itself (``runtime.observing``)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.program import Principal
from trio_argoagent.runtime.material import Material
from trio_argoagent.runtime.observing import common
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.runtime.observing.conditions import Condition

SHOWN: Final = 50
"""Agents whose feeds are shown, those that are furthest behind first."""


def show(board: Board, principal: Principal, material: Material, now: Callable[[], float]) -> None:
    """Hang it on the board of its program; for the arguments see ``conditions``."""
    board.show(partial(conditions, principal, material, now), partial(facts, principal))


def conditions(principal: Principal, material: Material, now: Callable[[], float]) -> Iterable[Condition]:
    """What must hold.

    Args:
        principal: at work.
        material: its TLS material.
        now: Unix time.
    """
    yield from common.informers(principal.hub.stores)
    yield common.listed("cluster-secrets", principal.hub.secrets)
    yield common.listed("namespaces", principal.hub.namespaces, counts=False)
    yield common.certificates(material.statistics(), now())
    serves = principal.serves
    yield Condition("listener", serves, "agents may dial" if serves else "agents cannot dial")


def facts(principal: Principal) -> Iterator[str]:
    """Who is connected, and how far the feeds are; in the empty lines agents may come and go."""
    waits: list[tuple[float, str]] = []
    connected, peers = 0, principal.peers
    for name in tuple(peers):
        if name in peers:
            waits.append((-peers[name].outlet.oldest(), name))
            connected += peers[name].link is not None
            yield ""
    yield f"agents: {connected} of {len(waits)} connected"
    for _, name in heapq.nsmallest(SHOWN, waits):
        if name in peers:
            yield from _feeds(name, peers[name])
    if len(waits) > SHOWN:
        yield f"and {len(waits) - SHOWN} agents more"


def _feeds(name: str, peer: Peer) -> Iterator[str]:
    asof = peer.outlet.consistent_as_of()
    yield common.sent(f"desired of {name}", asof, peer.outlet.statistics())
    yield common.received(f"observed of {name}", peer.workers.statistics())
