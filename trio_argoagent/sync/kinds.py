"""One table drives everything: what each feed carries in each mode, where it lives, in which order.

A new kind is a new row, not a new branch. ``AUTHORITY`` says which side owns which field; what a feed
projects follows from it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

import attrs

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Kind, Verb
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, CONFIG_MAPS, SECRETS, Resource
from trio_argoagent.sync import names
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


SHAPES: Final[Mapping[str, type[Any]]] = {"spec": dict, "data": dict, "type": str}
"""The top-level fields that are ever copied, and what each is in JSON."""


@attrs.frozen
class Row:
    """How one kind is replicated.

    Attributes:
        kind: which.
        resource: where its object lives.
        rank: of its values; deletions have their own.
        on: the copied kind whose object it is read from and written on; its own, if it is copied.
        listed: does the replica hold something that anti-entropy can compare? An Intent leaves nothing.
        copied: does the replica own an object of its own, with a marker? A status is written on an object
            that is somebody else's.
        cascades: does a ``deleting`` value make the replica delete its copy with the finalizers it has?
        shared: on the hub, do the objects for all agents lie together, in Argo CD's own namespace? Else each
            agent's have their own.
        content: the top-level fields that are copied, beside metadata.
        selector: a label selector for what may be of this kind; the same for all kinds of a resource.
        label: the label, and its value, that makes an object one of this kind; None: each is.
        only: the one name that an object of this kind has; empty: any.
        within: the kind that this one names in ``data.project``, and without which an agent does not get it.
        in_place: does whatever stands under a wanted name become ours as it is, whatever the policies say?
            Nobody but an Application has a workload of its own; and a project that is gone for a moment, or
            that a finalizer holds for ever, harms every Application in it; as does one without credentials.
        local: what of its metadata leaves no cluster.
        secret: must its content never be shown, logged or repeated in an error?
    """

    kind: Kind
    resource: Resource
    rank: Rank
    on: Kind
    listed: bool = True
    copied: bool = True
    cascades: bool = False
    shared: bool = False
    content: tuple[str, ...] = ("spec",)
    selector: str = ""
    label: tuple[str, str] | None = None
    only: str = ""
    within: Kind | None = None
    in_place: bool = True
    local: Local = NOTHING
    secret: bool = False

    def selects(self, obj: Object) -> bool:
        """Is this object of the row's resource one of the row's kind?"""
        if self.only and obj.meta.name != self.only:
            return False
        return self.label is None or obj.labels.get(self.label[0]) == self.label[1]


def _copied(kind: Kind, resource: Resource, rank: Rank, **more: Any) -> Row:
    return Row(kind, resource, rank, kind, **more)


def _about(kind: Kind, base: Row, rank: Rank, *, listed: bool = True) -> Row:
    """A kind that hangs on the objects of another one."""
    return Row(kind, base.resource, rank, base.kind, listed=listed, copied=False)


def _credentials(kind: Kind, secret_type: str) -> Row:
    return _copied(
        kind,
        SECRETS,
        Rank.PROJECT,
        shared=True,
        content=("data", "type"),
        selector=f"{names.SECRET_TYPE} in (repository,repo-creds)",
        label=(names.SECRET_TYPE, secret_type),
        within=Kind.APP_PROJECT,
        secret=True,
    )


_APPLICATION = _copied(Kind.APPLICATION, APPLICATIONS, Rank.SPEC, cascades=True, in_place=False)
_MIRROR = _copied(Kind.APPLICATION, APPLICATIONS, Rank.SPEC, in_place=False)
_APP_PROJECT = _copied(Kind.APP_PROJECT, APP_PROJECTS, Rank.PROJECT, shared=True)
_REPOSITORY = _credentials(Kind.REPOSITORY, "repository")
_REPO_CREDS = _credentials(Kind.REPO_CREDS, "repo-creds")
_GPG_KEYS = _copied(
    Kind.GPG_KEYS,
    CONFIG_MAPS,
    Rank.PROJECT,
    shared=True,
    content=("data",),
    selector=f"!{names.STATE}",
    only=names.GPG_KEYS,
)
_STATUS = _about(Kind.STATUS, _APPLICATION, Rank.STATUS)
_INTENT = _about(Kind.INTENT, _APPLICATION, Rank.INTENT, listed=False)

_ROWS: Final[Mapping[tuple[Mode, Feed], tuple[Row, ...]]] = {
    (Mode.MANAGED, Feed.DESIRED): (
        _APPLICATION, _APP_PROJECT, _REPOSITORY, _REPO_CREDS, _GPG_KEYS, _INTENT,
    ),
    (Mode.MANAGED, Feed.OBSERVED): (_STATUS,),
    (Mode.AUTONOMOUS, Feed.DESIRED): (_INTENT,),
    (Mode.AUTONOMOUS, Feed.OBSERVED): (_MIRROR, _APP_PROJECT, _STATUS),
}  # fmt: skip

BASE: Final[Mapping[Kind, Row]] = {
    row.kind: base
    for base in (_APPLICATION, _APP_PROJECT, _REPOSITORY, _REPO_CREDS, _GPG_KEYS)
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
    **{
        (Mode.MANAGED, kind, field): Side.HUB
        for kind, fields in (
            (Kind.REPOSITORY, ("data", "type", "labels", "annotations")),
            (Kind.REPO_CREDS, ("data", "type", "labels", "annotations")),
            (Kind.GPG_KEYS, ("data", "labels", "annotations")),
        )
        for field in fields
    },
    **{(mode, Kind.STATUS, "status"): Side.SPOKE for mode in Mode},
    **{(mode, Kind.INTENT, verb): Side.HUB for mode in Mode for verb in Verb},
}
"""Which side's value of a field wins; the other side's is reverted. What has no row stays where it is."""


def rows(mode: Mode, feed: Feed, local: Local = NOTHING) -> Mapping[Kind, Row]:
    """What one feed of an agent in that mode carries; ``local``: on the cluster of whoever asks."""
    return {row.kind: attrs.evolve(row, local=local) for row in _ROWS[mode, feed]}


def bases(mode: Mode) -> tuple[Row, ...]:
    """The copied kinds whose objects an agent in that mode has to read."""
    on = {row.on for feed in Feed for row in _ROWS[mode, feed]}
    return tuple(dict.fromkeys(row for row in BASE.values() if row.kind in on))
