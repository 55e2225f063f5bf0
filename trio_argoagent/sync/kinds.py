"""One table drives everything: what each feed carries in each mode, where it lives, in which order.

A new kind is a new row, not a new branch. ``AUTHORITY`` says which side owns which field; what a feed
projects follows from it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Kind
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, Resource
from trio_argoagent.sync.policy import NOTHING, Local


class Side(enum.Enum):
    """Whose word counts."""

    HUB = "hub"
    SPOKE = "spoke"


class Rank(enum.IntEnum):
    """What a link sends first. Results and control frames go before all of these."""

    INTENT = 0
    DELETION = 1
    PROJECT = 2
    SPEC = 3
    STATUS = 4
    COSMETIC = 5


@attrs.frozen
class Row:
    """How one kind is replicated.

    Attributes:
        kind: which.
        resource: where its object lives.
        rank: of its values; deletions have their own.
        listed: does the replica hold something that anti-entropy can compare? An Intent leaves nothing.
        copied: does the replica own an object of its own, with a marker? A status is written on an object
            that is somebody else's.
        cascades: does a ``deleting`` value make the replica delete its copy with the finalizers it has?
        shared: on the hub, do the objects for all agents lie together, in Argo CD's own namespace? Else each
            agent's have their own.
        on: the copied kind whose object it is read from and written on; its own, if it is copied.
        in_place: does whatever stands under a wanted name become ours as it is, whatever the policies say?
            Nobody but an Application has a workload of its own; and a project that is gone for a moment, or
            that a finalizer holds for ever, harms every Application in it.
        local: what of its metadata leaves no cluster.
    """

    kind: Kind
    resource: Resource
    rank: Rank
    on: Kind
    listed: bool = True
    copied: bool = True
    cascades: bool = False
    shared: bool = False
    in_place: bool = True
    local: Local = NOTHING


def _copied(
    kind: Kind,
    resource: Resource,
    rank: Rank,
    *,
    cascades: bool = False,
    shared: bool = False,
    in_place: bool = True,
) -> Row:
    return Row(kind, resource, rank, kind, cascades=cascades, shared=shared, in_place=in_place)


def _about(kind: Kind, base: Row, rank: Rank, *, listed: bool = True) -> Row:
    """A kind that hangs on the objects of another one."""
    return Row(kind, base.resource, rank, base.kind, listed=listed, copied=False)


_APPLICATION = _copied(Kind.APPLICATION, APPLICATIONS, Rank.SPEC, cascades=True, in_place=False)
_MIRROR = _copied(Kind.APPLICATION, APPLICATIONS, Rank.SPEC, in_place=False)
_APP_PROJECT = _copied(Kind.APP_PROJECT, APP_PROJECTS, Rank.PROJECT, shared=True)
_STATUS = _about(Kind.STATUS, _APPLICATION, Rank.STATUS)
_INTENT = _about(Kind.INTENT, _APPLICATION, Rank.INTENT, listed=False)

_ROWS: Final[Mapping[tuple[Mode, Feed], tuple[Row, ...]]] = {
    (Mode.MANAGED, Feed.DESIRED): (_APPLICATION, _APP_PROJECT, _INTENT),
    (Mode.MANAGED, Feed.OBSERVED): (_STATUS,),
    (Mode.AUTONOMOUS, Feed.DESIRED): (_INTENT,),
    (Mode.AUTONOMOUS, Feed.OBSERVED): (_MIRROR, _APP_PROJECT, _STATUS),
}

BASE: Final[Mapping[Kind, Row]] = {
    row.kind: base
    for base in (_APPLICATION, _APP_PROJECT)
    for row in (base, _STATUS, _INTENT)
    if row.on is base.kind
}
"""The copied kind whose object each kind is about; what its row says of places holds in every mode."""

AUTHORITY: Final[Mapping[tuple[Mode, Kind, str], Side]] = {
    **{
        (mode, kind, field): side
        for mode, side in ((Mode.MANAGED, Side.HUB), (Mode.AUTONOMOUS, Side.SPOKE))
        for kind, fields in (
            (Kind.APPLICATION, ("spec", "labels", "annotations", "finalizers")),
            (Kind.APP_PROJECT, ("spec", "labels", "annotations")),
        )
        for field in fields
    },
    **{(mode, Kind.STATUS, "status"): Side.SPOKE for mode in Mode},
    **{(mode, Kind.INTENT, verb): Side.HUB for mode in Mode for verb in ("sync", "refresh", "terminate")},
}
"""Which side's value of a field wins; the other side's is reverted."""


def rows(mode: Mode, feed: Feed, local: Local = NOTHING) -> Mapping[Kind, Row]:
    """What one feed of an agent in that mode carries; ``local``: on the cluster of whoever asks."""
    return {row.kind: attrs.evolve(row, local=local) for row in _ROWS[mode, feed]}
