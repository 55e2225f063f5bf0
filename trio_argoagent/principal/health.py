"""What a principal shows of itself (``runtime.observing``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from trio_argoagent.principal.program import Principal
from trio_argoagent.principal.status import PeerStatus
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


def facts(principal: Principal) -> Iterable[str]:
    """Who is connected, and how far the feeds are."""
    known = sorted(principal.status(), key=lambda each: (-each.desired.oldest_dirty, each.name))
    yield f"agents: {sum(each.connected for each in known)} of {len(known)} connected"
    for each in known[:SHOWN]:
        yield from _feeds(each)
    if len(known) > SHOWN:
        yield f"and {len(known) - SHOWN} agents more"


def _feeds(status: PeerStatus) -> Iterable[str]:
    yield common.sent(f"desired of {status.name}", status.consistent_as_of, status.desired)
    yield common.received(f"observed of {status.name}", status.observed)
