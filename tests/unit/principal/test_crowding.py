"""That an agent has too many objects is told when it begins, and stands as an Event as long as it is so."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.model.records import Outcome
from trio_argoagent.principal.crowding import QUIET, RETRY, Crowding
from trio_argoagent.replication.happenings import Involved
from trio_argoagent.sync.allowance import TOO_MANY

ABOUT = Involved("v1", "Namespace", "argocd", "argocd")
REASON = f"{TOO_MANY}: 3"


class Said:
    """Events that nobody bounds."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def say(self, subject: Involved, text: str) -> None:
        """See ``Happenings``."""
        assert subject == ABOUT
        self.texts.append(text)
        await trio.lowlevel.checkpoint()


async def test_it_is_told_once_and_said_until_it_is_over(autojump_clock: MockClock) -> None:
    """Any number of refusals are one matter; a quarter of an hour without one ends it."""
    told: list[tuple[str, str, str]] = []
    said = Said()
    crowding = Crowding("edge", said, ABOUT, lambda *what: told.append(what))  # type: ignore[arg-type]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crowding.run)
        for other in ((Outcome.PENDING, REASON), (Outcome.REJECTED, "no such thing"), (Outcome.APPLIED, "")):
            crowding.heard(*other)
        await trio.sleep(QUIET)
        assert told == [] and said.texts == []
        for _ in range(10):
            crowding.heard(Outcome.REJECTED, REASON)
        await trio.sleep(2 * QUIET)
        assert [(name, level) for name, _, level in told] == [("too-many-objects", "warning")]
        assert len(said.texts) == QUIET / RETRY and "edge" in said.texts[0] and REASON in said.texts[0]
        crowding.heard(Outcome.REJECTED, REASON)
        await trio.sleep(1)
        assert len(told) == 2 and len(said.texts) == QUIET / RETRY + 1
        nursery.cancel_scope.cancel()
