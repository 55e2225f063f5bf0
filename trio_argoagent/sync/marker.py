"""What a copy says it holds: one annotation, ``trio-argoagent/sync: "v1 <D> <AP> <asof> <incarnation>"``.

With it both sides may forget everything: after any crash the object itself tells which record made it (D)
and whether it still is what that record made it (AP).
"""

from __future__ import annotations

from typing import Final

import attrs

_SCHEME: Final = "v1"
_NONE: Final = "-"


@attrs.frozen
class Marker:
    """A parsed marker. ``asof`` is empty where the source's resourceVersions have no order."""

    digest: str
    ap: str
    asof: str
    incarnation: str

    def __str__(self) -> str:
        return " ".join((_SCHEME, self.digest, self.ap, self.asof or _NONE, self.incarnation or _NONE))


def parse(text: str | None) -> Marker | None:
    """The marker of an annotation; None where there is none, or none that we understand.

    An unknown scheme counts as no marker: the object is then compared by value and stamped anew.
    """
    fields = (text or "").split(" ")
    if len(fields) != 5 or fields[0] != _SCHEME or not fields[1] or not fields[2]:
        return None
    asof, incarnation = ("" if field == _NONE else field for field in fields[3:])
    return Marker(fields[1], fields[2], asof, incarnation)
