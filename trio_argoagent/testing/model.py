"""A feed as maps, in lock-step with the API servers: what its source has had, and where its replica is.

The replica may skip values, but it shows only what the source has had, and it never goes back. The product's
own word for how new a value is (``asof``) is checked against this, and is not what this rests on: a value
from before that is sent as of now is found as well.

What the replica ends with is the last value (the oracle's L1), and when it may show nothing is the rule I3.
"""

from __future__ import annotations

import attrs


@attrs.define
class _History:
    """The values of one source object, oldest first, and the resourceVersion at which it had each first."""

    values: list[tuple[str, int]] = attrs.field(factory=list)


@attrs.frozen
class Place:
    """Where one replica's object is in the history of one source object."""

    uid: str
    at: int


class Feed:
    """See the module. Values are digests; whoever calls decides what they cover."""

    def __init__(self) -> None:
        self._histories: dict[str, _History] = {}
        self._places: dict[str, Place] = {}

    def has(self, uid: str, value: str, version: int) -> None:
        """The source object has this value, as of that resourceVersion."""
        values = self._histories.setdefault(uid, _History()).values
        if not values or values[-1][0] != value:
            values.append((value, version))

    def show(self, replica: str, uid: str, value: str, asof: int | None = None) -> str:
        """The replica's object shows this value of that source object. Returns what is wrong, if anything is.

        Args:
            replica: the uid of the replica's own object.
            uid: of the source's.
            value: what is shown.
            asof: the source's resourceVersion that it is said to be of; None: nothing is said.
        """
        history = self._histories.get(uid, _History()).values
        place = self._places.get(replica)
        begin = place.at if place is not None and place.uid == uid else 0
        found = [at for at, (each, _) in enumerate(history) if each == value]
        later = [at for at in found if at >= begin]
        if found:
            self._places[replica] = Place(uid, later[0] if later else found[-1])
        if not found:
            return f"I1: {uid} never was {value}"
        first = history[found[0]][1]
        if asof is not None and first > asof:
            return f"I1: {uid} was not yet {value} at {asof}, but at {first}"
        if not later:
            return f"I2: {uid} was {value} before it was {history[begin][0]}, which was shown already"
        return ""
