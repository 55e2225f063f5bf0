"""What a case is, what is said in many of them, and what came of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from trio_argoagent.errors import ArgoAgentError, leaves
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.negotiation import Capability
from trio_argoagent.stream.protocol.payload import Encoding, pack_against
from trio_argoagent.testing.conformance.talk import Fault, Talk

CAPABILITIES: Final = tuple(each.value for each in Capability)
IGNORABLE: Final = 200
"""A number of no message, of those that may be ignored."""
UNKNOWN: Final = 100
"""A number of no message, of those that must be known."""
ABSENT: Final = 77
"""The number of a record that was never sent on this link."""


@attrs.frozen
class Case:
    """One thing that we do.

    Attributes:
        name: for machines and people.
        promise: what must come of it, in one sentence.
        act: does it, and raises ``Fault`` if something else came of it.
    """

    name: str
    promise: str
    act: Callable[[Talk], Awaitable[None]]


@attrs.frozen
class Verdict:
    """What came of a case; ``fault`` is empty if it is what was promised."""

    case: Case
    fault: str = ""


Report = Callable[[Verdict], None]


@contextmanager
def judging(case: Case, report: Report) -> Iterator[None]:
    """Turn whatever goes wrong with the peer inside into a verdict; nothing of that leaves it."""
    fault = ""
    try:
        yield
    except* (Fault, ArgoAgentError) as group:
        fault = str(next(leaves(group)))
    report(Verdict(case, fault))


def expect(holds: bool, otherwise: str) -> None:
    """Raise ``Fault`` with that sentence unless it holds."""
    if not holds:
        raise Fault(otherwise)


async def ignores_the_unknown(talk: Talk) -> None:
    """A message of a later version, marked as one to do without."""
    talk.say_plain(IGNORABLE, {"of": "a later version"}, [1, 2, 3])
    await talk.still_there()


async def takes_longer_messages(talk: Talk) -> None:
    """A ping with a field that a later version has added."""
    talk.say_plain(10, b"longer", "added later")
    answer = await talk.hear(m.Pong)
    expect(answer.token == b"longer", "a pong must return the ping's token")


async def forgets_other_numbers(talk: Talk) -> None:
    """A result of a record that was not sent on this link."""
    talk.say(m.Results((Result(ABSENT, Outcome.APPLIED),)))
    await talk.still_there()


async def says_what_it_holds(talk: Talk) -> None:
    """Bucket hashes, none of which can be right."""
    talk.say(m.Buckets(b"\xff" * (m.BUCKETS * m.BUCKET_SIZE)))
    first = leaf = await talk.hear(m.Leaf)
    while not leaf.last:
        leaf = await talk.hear(m.Leaf)
        expect(not leaf.buckets, "only the first Leaf of a listing names the buckets")
    expect(
        len(set(first.buckets)) == m.BUCKETS, f"all {m.BUCKETS} buckets differ, it named {len(first.buckets)}"
    )


async def asks_for_a_missing_base(talk: Talk) -> None:
    """A body against one that the peer cannot have."""
    key = Key(Kind.APPLICATION, "argocd", "conformance-no-such-base")
    data = pack_against(b"{}" + b" " * 300, b"{}" + b" " * 299).data
    record = Record(key, "conformance", "d1", "", data)
    talk.say(m.RecordMessage(1, record, Encoding.PREFIX, ABSENT))
    while True:
        for result in (await talk.hear(m.Results)).results:
            if result.number == 1:
                said = result.outcome
                expect(said is Outcome.UNREADABLE, f"expected the result unreadable, it said {said.value}")
                return


async def ends_at_the_unknown(talk: Talk) -> None:
    """A message that must be known, and is not."""
    talk.say_plain(UNKNOWN, "what is this?")
    await talk.hear_end()


async def ends_at_nonsense(talk: Talk) -> None:
    """A frame that is no array."""
    talk.say_frame(b"\xc1\xc1\xc1")
    await talk.hear_end()


async def ends_at_wrong_fields(talk: Talk) -> None:
    """A ping whose token is a number."""
    talk.say_plain(10, 42)
    await talk.hear_end()


async def leaves_in_order(talk: Talk) -> None:
    """A goodbye is answered with a goodbye, and then the link ends."""
    talk.say(m.Goodbye(m.Reason.SHUTDOWN, "the case is over"))
    await talk.hear(m.Goodbye)
    await talk.hear_end()


STEADY: Final = (
    Case("ping", "a ping is answered with its token", Talk.still_there),
    Case("ignorable", "an unknown message of 128 or more is ignored", ignores_the_unknown),
    Case("added-field", "a field that follows the known ones is ignored", takes_longer_messages),
    Case("other-numbers", "a result of a number that was never sent is ignored", forgets_other_numbers),
    Case("listing", "buckets are answered with leaves that name those that differ", says_what_it_holds),
    Case(
        "missing-base",
        "a body against what is not there is answered with unreadable",
        asks_for_a_missing_base,
    ),
)
"""What either side must do on a link that goes on."""

ENDING: Final = (
    Case("unknown", "an unknown message below 128 ends the link", ends_at_the_unknown),
    Case("nonsense", "a frame that is no message ends the link", ends_at_nonsense),
    Case("wrong-field", "a field of another type ends the link", ends_at_wrong_fields),
    Case("goodbye", "a goodbye is answered with a goodbye, and the link ends", leaves_in_order),
)
"""What either side must do, and after which there is no link."""
