"""How links have ended, and attempts to have one: counts for metrics, by causes of which there are few."""

from __future__ import annotations

import enum
from collections import Counter
from typing import Final

import trio

from trio_argoagent.errors import LinkRefused, ProtocolError, Unreachable
from trio_argoagent.stream.protocol.messages import Goodbye, Reason


class Failure(enum.StrEnum):
    """What ends a link beside what one side says."""

    UNREACHABLE = "unreachable"
    """There was nobody to connect to."""
    BROKEN = "broken"
    """The connection broke, or the peer was silent for too long."""
    TIMEOUT = "timeout"
    """The handshake took too long."""
    ENDED = "ended"
    """In order, and the other side has given no reason."""


REASONS: Final = tuple(Reason)
CAUSES: Final = (*Failure, *REASONS)


class Endings:
    """See the module.

    Attributes:
        ends: by cause.
        refusals: links that were refused, by reason.
    """

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    def failed(self, *causes: BaseException) -> None:
        """These have ended one together, or have kept one from coming about: each kind counts once."""
        for is_refusal, kind in dict.fromkeys(map(self._kind, causes)):
            (self.refusals if is_refusal else self.ends)[kind] += 1

    @staticmethod
    def _kind(exc: BaseException) -> tuple[bool, str]:
        """Is it a refusal, and what it is called."""
        match exc:
            case LinkRefused():
                return True, exc.reason
            case Unreachable():
                return False, Failure.UNREACHABLE
            case ProtocolError():
                return False, Reason.PROTOCOL
            case trio.TooSlowError():
                return False, Failure.TIMEOUT
            case _:
                return False, Failure.BROKEN

    def ended(self, goodbye: Goodbye | None) -> None:
        """One has ended in order, with this goodbye."""
        self.ends[goodbye.reason if goodbye is not None else Failure.ENDED] += 1
