"""Rules of requests for a hydration."""

from __future__ import annotations

from typing import Final

from .. import test_hydration
from .judging import Race
from .mutant import Mutant, mutant
from .rewriting import Rewrite

HYDRATED: Final[tuple[Mutant, ...]] = (
    mutant(
        "hydrations-are-not-asked-for",
        "a request for a hydration stays on the hub",
        Rewrite("sync.intents:requested", "bool(found[Verb.HYDRATE])", "False"),
    ),
    mutant(
        "any-application-hydrates",
        "a request for a hydration counts where there is no hydrator",
        Rewrite("sync.intents:requested", 'bool((hub.get("spec") or {}).get("sourceHydrator"))', "True"),
    ),
    mutant(
        "a-pending-hydration-is-not-told",
        "a status does not tell that the spoke's hydrator has yet to see the request",
        Rewrite("sync.wants:status_body", "names.HYDRATE in obj.annotations", "False"),
    ),
)

HYDRATING: Final = (
    Race("hydrated", test_hydration.asked),
    Race("hydrated-amid-a-hydration", test_hydration.asked_amid_a_hydration, settings=test_hydration.SLOW),
    Race("hydrated-without-a-hydrator", test_hydration.asked_of_one_without_a_hydrator),
)
