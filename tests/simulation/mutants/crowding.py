"""Rules of how many objects an agent may make the hub hold."""

from __future__ import annotations

from typing import Final

from .. import test_crowding
from .judging import Staged
from .mutant import Mutant, mutant
from .rewriting import Rewrite

CROWDED: Final[tuple[Mutant, ...]] = (
    mutant(
        "any-number-of-objects",
        "an agent may fill the hub",
        Rewrite("sync.allowance:Allowance.refusal", "not self.most", "True"),
    ),
    mutant(
        "objects-under-way-are-not-counted",
        "what is being created does not count yet, so that many at once are more than there is room for",
        Rewrite("sync.allowance:Allowance.refusal", "self._held() + len(self._claimed)", "self._held()"),
    ),
    mutant(
        "a-full-hub-keeps-what-it-refuses",
        "statuses of what is refused wait in the principal's memory, and nobody is told why",
        Rewrite("principal.peer:Peer._why_no_mirror", "self._allowance.refusal()", "''"),
    ),
    mutant(
        "a-claim-is-for-ever",
        "what has been claimed and was made counts twice",
        Rewrite("sync.allowance:Allowance.release", "self._claimed.pop(key, None)", "None"),
    ),
)

CROWDING: Final = (
    Staged("crowded", test_crowding.test_an_agent_gets_no_more_objects_than_it_may_have),
    Staged("nothing-is-kept", test_crowding.test_nothing_of_what_is_refused_is_kept),
)
