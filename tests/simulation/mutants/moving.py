"""Rules of how a link is left, and how soon it is dialled anew."""

from __future__ import annotations

from functools import partial
from typing import Final

from .. import test_moving
from .judging import Staged
from .mutant import Mutant, mutant
from .rewriting import Rewrite

MOVED: Final[tuple[Mutant, ...]] = (
    mutant(
        "left-while-something-is-under-way",
        "goodbye is said although an answer is still owed or awaited",
        Rewrite("replication.parting:Parting.due", "waits and now < self.until", "False"),
    ),
    mutant(
        "goodbye-before-the-next-link",
        "a link is left as soon as the principal asks for another one",
        Rewrite(
            "agent.uplink:Uplink._move",
            "await session.drained.wait()",
            'await session.drained.wait(), session.leave(messages.Goodbye(messages.Reason.MOVED, ""))',
        ),
    ),
    mutant(
        "healthy-links-are-failures",
        "the bound of the wait grows with every link that ends, however long it has lived",
        Rewrite("runtime.redial:_lasted", "Redial()", "before"),
    ),
)

MOVING: Final = (
    Staged("left-amid-a-write", partial(test_moving.test_a_link_is_left_when_what_it_carried_is_answered, 1)),
    Staged("drained", partial(test_moving.test_a_link_is_replaced_within_a_round_trip, 1)),
    Staged("lost-again-and-again", test_moving.test_links_that_have_lasted_are_dialled_anew_at_once),
)
