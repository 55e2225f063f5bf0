"""How many requests have been answered, by what they asked for and how: ``apiserver_request_total``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

WATCH: Final = "watch"
"""The verb of a list that goes on."""
LEFT: Final = 499
"""The code of a request whose client did not wait for the answer."""


class Asked(NamedTuple):
    """What was asked for, and how it was answered.

    Attributes:
        verb: Kubernetes' own.
        resource: its plural.
        code: the HTTP status.
    """

    verb: str
    resource: str
    code: int


class Requests:
    """Counts of requests about resources that there are, and so bounded by these."""

    def __init__(self) -> None:
        self._counts: dict[Asked, int] = {}

    def add(self, asked: Asked) -> None:
        """One more."""
        self._counts[asked] = self._counts.get(asked, 0) + 1

    def counts(self) -> Mapping[Asked, int]:
        """All of them so far, in order."""
        return dict(sorted(self._counts.items()))
