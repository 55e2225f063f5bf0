"""Rules of how bodies travel, and the situations that need them."""

from __future__ import annotations

from typing import Final

from tests.unit.sync import test_source

from .. import test_freight
from .judging import Staged
from .mutant import Mutant, mutant
from .rewriting import Constant, Rewrite

CARRIED: Final[tuple[Mutant, ...]] = (
    mutant(
        "what-was-not-whole-is-a-base",
        "a body may be referred to as soon as it has begun to travel",
        Rewrite(
            "stream.protocol.freight:Loader.load",
            "self._loads.append(load)",
            "(self._loads.append(load), self._gone(load))",
        ),
    ),
    mutant(
        "what-cannot-be-read-is-not-answered",
        "a record that refers to what is not there is dropped",
        Rewrite(
            "replication.session:Session._unload",
            'self._feeds.workers.core.refuse(come.number, come.key, "", Outcome.UNREADABLE)',
            "None",
        ),
    ),
    mutant(
        "what-cannot-be-read-refers-again",
        "what the other end has not got is referred to once more",
        Rewrite("stream.protocol.freight:Loader.unreadable", "self._bases.drop(key)", "None"),
    ),
    mutant(
        "any-base-will-do",
        "a body is read against whatever there is of its object",
        Rewrite(
            "stream.protocol.freight:Unloader._whole",
            "base is None or base.number != message.base",
            "base is None",
        ),
    ),
    mutant(
        "unreadable-is-answered",
        "what could not be read goes again only if the other side lacks it by the looks of it",
        Rewrite("sync.source:Source.result", "entry.forced = entry.want is not None", "pass"),
    ),
    mutant(
        "secrets-refer-to-secrets",
        "credentials travel as what has changed in them",
        Constant("replication.session:ALONE", frozenset()),
    ),
    mutant(
        "large-ones-first",
        "nothing is taken before a large record is through",
        Rewrite(
            "stream.protocol.freight:Loader.takes",
            "not self._loads or (not self._turn and len(self._loads) < MAX_LOADED)",
            "not self._loads",
        ),
    ),
    mutant(
        "the-newest-or-nothing",
        "what has begun is left as soon as there is something newer, however large",
        Rewrite("stream.protocol.freight:Loader._forsake", "begun or not load.sent", "True"),
    ),
    mutant(
        "to-the-end-whatever-comes",
        "what has begun comes to its end although a newer body is through already",
        Rewrite("stream.protocol.freight:Loader._forsake", "begun or not load.sent", "not load.sent"),
    ),
    mutant(
        "parts-are-mixed",
        "the parts of two records travel in turns",
        Rewrite(
            "stream.protocol.freight:Loader.part",
            "load = self._loads[0]",
            """
self._loads.rotate()
load = self._loads[0]
""",
        ),
    ),
)

CARRYING: Final = (
    Staged("left-in-the-middle", test_freight.test_one_that_is_left_in_the_middle),
    Staged("forgetful", test_freight.test_an_end_that_forgets),
    Staged("secrets", test_freight.test_secrets_travel_alone),
    Staged("large-beside-small", test_freight.test_a_large_object_beside_small_ones),
    Staged("never-at-rest", test_freight.test_an_object_that_never_rests),
    Staged("two-large-ones", test_freight.test_two_large_objects),
    Staged("unreadable", test_source.test_what_could_not_be_read_goes_again_at_once),
)
