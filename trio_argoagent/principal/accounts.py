"""What the principal tells an operator who asks (``presence``), from what it knows of its agents."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.principal.history import History
from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.presence import SHOWN, About, Fleet, Numbers, Waiting
from trio_argoagent.principal.status import PeerStatus


def fleet(peers: Mapping[str, Peer], unclaimed: Mapping[tuple[str, str], str]) -> Fleet:
    """All of them.

    Args:
        peers: by name.
        unclaimed: see ``Unclaimed.waiting``.
    """
    shown = itertools.islice(unclaimed.items(), SHOWN)
    return Fleet(
        {name: numbers(peer.status()) for name, peer in peers.items()},
        {"/".join(name): agent for name, agent in shown},
        len(unclaimed),
    )


def about(peer: Peer | None, history: History) -> About | None:
    """One of them; None: it is not followed."""
    if peer is None:
        return None
    other = peer.link.peer if peer.link is not None else None
    status = peer.status()
    return About(
        other.fingerprint if other is not None else "",
        other.address if other is not None else "",
        numbers(status),
        tuple(
            Waiting(_named(each.key), each.state, int(each.since), each.reason)
            for each in peer.outlet.unsettled(SHOWN)
        ),
        status.consistent_as_of,
        status.silence,
        history.of(peer.mapping.agent),
    )


def numbers(status: PeerStatus) -> Numbers:
    """How far it is."""
    desired, observed = status.desired, status.observed
    return Numbers(
        desired.wanted,
        desired.dirty + desired.in_flight,
        int(desired.oldest_dirty),
        desired.refused,
        observed.held,
        observed.waiting,
        status.links,
    )


def _named(key: Key) -> str:
    what = key.verb if key.kind is Kind.INTENT else key.kind.value
    return f"{what} {key.namespace}/{key.name}"
