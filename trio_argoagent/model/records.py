"""What a feed carries: records down one way, results and holdings back the other.

``D`` (the digest of what the source wants held) is opaque to the replica: it stores it, reports it,
and never computes it. That is why two API servers that prune or default differently cannot loop.
"""

from __future__ import annotations

import enum

import msgspec

from trio_argoagent.model.discreet import Discreet
from trio_argoagent.model.keys import Key


class Evidence(enum.StrEnum):
    """How a source knows that a thing is gone."""

    WITNESSED = "witnessed"
    """This process saw the deletion of that very uid."""
    INFERRED = "inferred"
    """It is merely absent from a complete view."""


class Outcome(enum.StrEnum):
    """What a replica answers about one record, only ever after the API server has really answered."""

    APPLIED = "applied"
    PENDING = "pending"
    """Not yet, for the reason given; the replica goes on by itself and will answer again."""
    REJECTED = "rejected"
    """No, and sending the same again will not help."""
    UNREADABLE = "unreadable"
    """Its body refers to an earlier one that is not here any more: it should come again, by itself."""


class Holding(msgspec.Struct, frozen=True):
    """What a replica holds under one key.

    ``digest`` is the D of the record it last applied, or ``DRIFT`` when the object is no longer what that
    record made it.
    """

    uid: str
    digest: str


DRIFT = ""
"""The digest of a holding that has drifted: equal to no D."""


AS_ASKED = Holding("", "")
"""In a result: the holding that the record itself names, its uid and its D. Most answers say no more."""


class Record(Discreet, frozen=True):
    """One value of a feed, or its absence.

    Attributes:
        key: in spoke-side names.
        uid: of the source's object; in a tombstone the uid that the replica reported.
        digest: D; empty in a tombstone.
        asof: the resourceVersion of the source's informer when the value was read; empty if that server's
            versions are not decimal.
        body: canonical JSON of the projection (see ``sync.kinds``); None in a tombstone. It may be a
            Secret's: it is in no ``repr``.
        evidence: of a tombstone, and of a value that makes the copy go (``deleting``); else None.
        replaces: the uid of an earlier object of this key whose deletion the source witnessed; else empty.
    """

    key: Key
    uid: str
    digest: str
    asof: str
    body: bytes | None
    evidence: Evidence | None = None
    replaces: str = ""

    @property
    def tombstone(self) -> bool:
        """Does this record say that the thing is gone?"""
        return self.body is None


class Result(msgspec.Struct, frozen=True):
    """A replica's answer to the record with that link-local number.

    ``holding`` is what it now holds under the record's key; None: nothing. ``asof`` is the replica's own
    resourceVersion of the write, where the record asked for one (a refresh); else empty.
    """

    number: int
    outcome: Outcome
    reason: str = ""
    holding: Holding | None = None
    asof: str = ""
