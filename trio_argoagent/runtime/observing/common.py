"""What both programs show alike: informers, certificates, feeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from trio_argoagent.kube.informer import Informer
from trio_argoagent.net.certificates import timestamp
from trio_argoagent.replication.stores import Stores
from trio_argoagent.runtime.material import InUse
from trio_argoagent.runtime.observing.conditions import Condition
from trio_argoagent.sync.replica import ReplicaStatistics
from trio_argoagent.sync.source import SourceStatistics

SHOWN: Final = 5
"""Certificates that are named, those that expire first."""


def listed(name: str, informer: Informer, *, counts: bool = True) -> Condition:
    """Has it been read once? That it cannot be read now is said, and makes nobody restart anything.

    Args:
        name: of what is read.
        informer: of it.
        counts: see ``Condition``.
    """
    text = "not listed yet"
    if informer.is_synced:
        text = f"{len(informer.objects)} objects as of {informer.resource_version}"
    trouble = f"; {informer.degraded}" if informer.degraded else ""
    return Condition(f"informer-{name}", informer.is_synced, text + trouble, counts)


def informers(stores: Stores) -> Iterable[Condition]:
    """The kinds that are replicated; without what is not Argo CD's own the rest works."""
    for store in stores:
        yield listed(store.rows[0].resource.plural, store.informer, counts=store.is_essential)


def certificates(known: Iterable[InUse], now: float) -> Condition:
    """Are all of them valid yet? It does not count: who finds no address cannot say what has expired.

    Args:
        known: in use.
        now: Unix time.
    """
    soonest = sorted(known, key=lambda each: (each.not_after, each.use, each.fingerprint))
    named = [f"{each.use}: {each.subject} until {timestamp(each.not_after)}" for each in soonest[:SHOWN]]
    more = [f"{len(soonest) - SHOWN} more"] if len(soonest) > SHOWN else []
    fine = not soonest or now <= soonest[0].not_after
    return Condition("certificates", fine, "; ".join([*named, *more]) or "there are none", False)


def sent(feed: str, as_of: str, source: SourceStatistics) -> str:
    """One line about a feed, at its source.

    Args:
        feed: its name.
        as_of: the resourceVersion at which the other side is proven to hold all Applications; empty: never.
        source: its numbers.
    """
    proof = f"consistent as of {as_of}" if as_of else "not proven consistent yet"
    unsettled = source.dirty + source.in_flight
    waits = f"{unsettled} of {source.wanted} unsettled, the oldest for {source.oldest_dirty:.0f} s"
    return f"feed {feed}: {proof}; {waits}; {source.refused} refused"


def received(feed: str, replica: ReplicaStatistics) -> str:
    """One line about a feed, at its replica."""
    return f"feed {feed}: {replica.held} held, {replica.waiting} waiting, {replica.rejected} rejected"
