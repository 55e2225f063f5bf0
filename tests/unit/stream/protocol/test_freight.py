"""What one end of a link loads, the other unloads."""

import random
from collections.abc import Iterable, Iterator
from typing import Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Evidence, Record
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.bases import NEAR
from trio_argoagent.stream.protocol.freight import (
    MAX_LOADED,
    MAX_WHOLE,
    FreightStatistics,
    Loader,
    Unloader,
    Unreadable,
)
from trio_argoagent.stream.protocol.negotiation import Capability, Terms
from trio_argoagent.stream.protocol.payload import MAX_BODY, SHORT, Encoding

ALL: Final = Terms(1, tuple(Capability))
WEB, OTHER, THIRD, FOURTH, FIFTH = (Key(Kind.STATUS, "argocd", f"app-{n}") for n in range(5))
SECRET = Key(Kind.REPOSITORY, "argocd", "repo")
ALONE = frozenset((Kind.REPOSITORY,))
LARGE = 3 * m.MAX_PART


def noise(size: int, seed: int = 1) -> bytes:
    """So many bytes that do not shrink."""
    return random.Random(seed).randbytes(size)


def record(key: Key, body: bytes | None) -> Record:
    """A value of this key, or its tombstone."""
    if body is None:
        return Record(key, "u1", "", "7", None, Evidence.WITNESSED)
    return Record(key, "u1", "d1", "7", body)


class Ends:
    """Both ends of one link, and what was said between them."""

    def __init__(self, terms: Terms = ALL, *, here: int = 100_000_000, there: int = 100_000_000) -> None:
        self.counts = FreightStatistics()
        self.loader = Loader(terms, ALONE, budget=here, counts=self.counts)
        self.unloader = Unloader(terms, ALONE, budget=there)
        self.said: list[m.Message] = []
        self.got: list[tuple[int, bytes | None]] = []
        self.unreadable: list[int] = []
        self._number = 0

    def travelled(self) -> FreightStatistics:
        """How often which kind of body has; their bytes, which are for another test, are left out."""
        return attrs.evolve(self.counts, plain_bytes=0, packed_bytes=0)

    def load(self, key: Key, body: bytes | None) -> int:
        """Load a record, and carry it over if it is whole; returns its number."""
        self._number += 1
        message = self.loader.load(self._number, record(key, body))
        if message is not None:
            self.carry(message)
        return self._number

    def carry(self, message: m.Message) -> None:
        """Through the codec to the other end."""
        self.said.append(message)
        heard = codec.decode(codec.encode(message))
        assert isinstance(heard, m.RecordMessage | m.Part)
        come = (
            self.unloader.message(heard) if isinstance(heard, m.RecordMessage) else self.unloader.part(heard)
        )
        if isinstance(come, Unreadable):
            self.unreadable.append(come.number)
        elif come is not None:
            self.got.append((come[0], come[1].body))

    def step(self) -> bool:
        """Carry one part over; was there one?"""
        message = self.loader.part()
        if message is not None:
            self.carry(message)
        return message is not None

    def drain(self) -> None:
        """Carry all that is loaded over."""
        while self.step():
            pass

    def encodings(self) -> list[Encoding]:
        """Of all records so far."""
        return [said.encoding for said in self.said if isinstance(said, m.RecordMessage)]


def versions(count: int, size: int = 2_000) -> Iterator[bytes]:
    """A body, and changes of one field in it."""
    base = noise(size)
    for number in range(count):
        yield base[:500] + b"%08d" % number + base[508:]


def sizes(said: Iterable[m.Message]) -> list[int]:
    """Bytes of the data of each."""
    return [
        len(each.data if isinstance(each, m.Part) else each.record.body or b"")
        for each in said
        if isinstance(each, m.Part | m.RecordMessage)
    ]


def test_later_bodies_refer_to_the_first() -> None:
    """One changed field of a body that does not shrink costs some thirty bytes."""
    ends = Ends()
    bodies = list(versions(50))
    for body in bodies:
        ends.load(WEB, body)
    assert [body for _, body in ends.got] == bodies
    assert ends.encodings() == [Encoding.PLAIN] + 49 * [Encoding.PREFIX]
    assert max(sizes(ends.said)[1:]) < 50
    assert ends.travelled() == FreightStatistics(whole=1, referring=49)


def test_a_body_that_moves_on_takes_its_base_along() -> None:
    """Each change costs what has changed, not what has changed since the beginning."""
    ends, body = Ends(), noise(4_000)
    for step in range(100):
        at = 40 * (step % 100)
        body = body[:at] + noise(40, step + 2) + body[at + 40 :]
        ends.load(WEB, body)
        assert ends.got[-1][1] == body
    assert ends.counts.whole == 1
    assert max(sizes(ends.said)[1:]) < NEAR + 2 * 40


def test_another_body_altogether() -> None:
    """What has nothing in common with its base travels by itself, and is the next base."""
    ends = Ends()
    for seed in (1, 2, 2):
        ends.load(WEB, noise(2_000, seed))
    assert ends.encodings() == [Encoding.PLAIN, Encoding.PLAIN, Encoding.PREFIX]


def test_a_tombstone_ends_it() -> None:
    """What comes under that name later is something else."""
    ends = Ends()
    first, second = versions(2)
    for body in (first, None, second):
        ends.load(WEB, body)
    assert [body for _, body in ends.got] == [first, None, second]
    assert ends.encodings() == 3 * [Encoding.PLAIN]


def test_secrets_refer_to_nothing() -> None:
    """Not even to the same secret: how much of it has stayed is nobody's business."""
    ends = Ends()
    for body in versions(3):
        ends.load(SECRET, body * 2)
    assert ends.encodings() == 3 * [Encoding.ZSTD]
    assert ends.counts.whole == 3


@pytest.mark.parametrize(
    ("capabilities", "encodings"),
    [
        ((), [Encoding.PLAIN] * 3),
        ((Capability.ZSTD,), [Encoding.ZSTD] * 3),
        ((Capability.PREFIX,), [Encoding.PLAIN, Encoding.PREFIX, Encoding.PREFIX]),
        ((Capability.ZSTD, Capability.PREFIX), [Encoding.ZSTD, Encoding.PREFIX, Encoding.PREFIX]),
    ],
    ids=lambda value: "+".join(map(str, value)) or "none" if isinstance(value, tuple) else "",
)
def test_only_what_was_agreed_on(capabilities: tuple[Capability, ...], encodings: list[Encoding]) -> None:
    """Each capability counts for itself, and a link without any carries the same."""
    ends = Ends(Terms(1, capabilities))
    bodies = [body * 2 for body in versions(3)]
    for body in bodies:
        ends.load(WEB, body)
    assert [body for _, body in ends.got] == bodies
    assert ends.encodings() == encodings
    strict = Unloader(Terms(1))
    for said in ends.said:
        assert isinstance(said, m.RecordMessage)
        if said.encoding is not Encoding.PLAIN:
            with pytest.raises(RemoteProtocolError, match="was not agreed on"):
                strict.message(said)


def test_parts_take_turns_with_records() -> None:
    """Between two parts of a large record there is room for another one."""
    ends = Ends()
    large = noise(LARGE + 5)
    number = ends.load(WEB, large)
    while (number, large) not in ends.got:
        if ends.loader.takes:
            ends.load(OTHER, noise(10))
        else:
            ends.step()
    assert sizes(ends.said) == [m.MAX_PART, 10] * 3 + [5]
    assert ends.travelled() == FreightStatistics(whole=4, in_parts=1)


def test_no_more_are_taken_than_can_wait() -> None:
    """A second large one begins when the first is through; while many wait, nothing is taken at all."""
    ends = Ends()
    keys = [Key(Kind.STATUS, "argocd", f"large-{n}") for n in range(MAX_LOADED)]
    numbers = []
    for key in keys:
        assert ends.loader.takes
        numbers.append(ends.load(key, noise(LARGE, len(numbers))))
        assert not ends.loader.takes  # It is a part's turn.
        ends.loader._turn = False
    assert not ends.loader.takes
    ends.drain()
    assert [number for number, _ in ends.got] == numbers
    assert ends.loader.takes


def test_without_parts_a_body_travels_in_one_piece() -> None:
    """And what is too large for that is our own error, said before anything travels."""
    ends = Ends(Terms(1, (Capability.ZSTD,)))
    ends.load(WEB, noise(MAX_WHOLE))
    assert sizes(ends.said) == [MAX_WHOLE]
    with pytest.raises(LocalProtocolError, match="the other side takes"):
        ends.load(WEB, noise(MAX_WHOLE + 1))
    assert ends.got == [(1, noise(MAX_WHOLE))]


@pytest.mark.parametrize("terms", [ALL, Terms(1)])
def test_what_is_too_large(terms: Terms) -> None:
    """It is refused before anything has changed: what was loaded of that key still gets through."""
    ends = Ends(terms)
    with pytest.raises(LocalProtocolError, match=f"at most {MAX_BODY} can be sent"):
        ends.load(WEB, bytes(MAX_BODY + 1))
    first, second = versions(2)
    ends.load(OTHER, first)
    with pytest.raises(LocalProtocolError):
        ends.load(OTHER, bytes(MAX_BODY + 1))
    ends.load(OTHER, second)
    assert [body for _, body in ends.got] == [first, second]


def test_the_largest_body_travels_in_parts() -> None:
    """Whatever it is made of."""
    ends, body = Ends(), noise(MAX_BODY)
    ends.load(WEB, body)
    ends.drain()
    assert ends.got == [(1, body)]
    assert max(sizes(ends.said)) == m.MAX_PART


def test_what_waits_gives_way_to_its_successor() -> None:
    """Only the newest of a key begins."""
    ends = Ends()
    ends.load(WEB, noise(LARGE))
    ends.step()
    ends.load(OTHER, noise(LARGE, 2))
    last = ends.load(OTHER, noise(LARGE, 3))
    ends.drain()
    assert ends.got == [(1, noise(LARGE)), (last, noise(LARGE, 3))]
    assert ends.counts.abandoned == 0


def test_what_has_begun_comes_to_its_end() -> None:
    """Else an object that changes faster than it travels would never arrive."""
    ends = Ends()
    first = ends.load(WEB, noise(LARGE))
    ends.step()
    ends.load(WEB, noise(LARGE, 2))
    last = ends.load(WEB, noise(LARGE, 3))
    ends.drain()
    assert ends.got == [(first, noise(LARGE)), (last, noise(LARGE, 3))]


@pytest.mark.parametrize("newer", [b"short", noise(2_000), None])
def test_what_has_begun_gives_way_to_what_is_through_at_once(newer: bytes | None) -> None:
    """The rest of it never travels, and both ends forget it."""
    ends = Ends()
    ends.load(WEB, noise(LARGE))
    ends.step()
    last = ends.load(WEB, newer)
    ends.drain()
    assert ends.got == [(last, newer)]
    assert ends.counts.abandoned == 1
    assert not ends.unloader._data
    ends.load(WEB, noise(LARGE))
    ends.drain()
    assert ends.got[-1] == (3, noise(LARGE))
    assert ends.unreadable == []


def test_one_that_was_abandoned_is_no_base() -> None:
    """Nothing refers to what has not arrived as a whole."""
    ends = Ends()
    base, large = noise(2_000), noise(LARGE)
    ends.load(WEB, base)
    ends.load(WEB, large)
    ends.step()
    ends.load(WEB, base[:-8] + b"changed!")
    ends.load(WEB, large)
    ends.drain()
    assert [body for _, body in ends.got] == [base, base[:-8] + b"changed!", large]
    assert ends.unreadable == []


def test_a_large_body_that_refers() -> None:
    """What it differs by may be in parts, too; and it refers to one that came in parts."""
    ends = Ends()
    base = noise(20 * m.MAX_PART)
    changed = noise(LARGE, 2) + base[LARGE:]
    for body in (base, changed):
        ends.load(WEB, body)
        ends.drain()
    assert [body for _, body in ends.got] == [base, changed]
    assert ends.encodings() == [Encoding.PLAIN, Encoding.PREFIX]
    assert ends.travelled() == FreightStatistics(whole=1, referring=1, in_parts=2)


def test_a_base_that_is_missing() -> None:
    """The other end says so; then the body comes by itself, and the next one may refer to it."""
    ends = Ends(there=3_000)
    first, second, third, fourth = versions(4)
    ends.load(WEB, first)
    ends.load(OTHER, noise(2_000, 2))
    number = ends.load(WEB, second)
    assert ends.unreadable == [number]
    ends.loader.unreadable(WEB)
    ends.load(WEB, third)
    ends.load(WEB, fourth)
    assert [body for _, body in ends.got][2:] == [third, fourth]
    assert ends.travelled() == FreightStatistics(whole=3, referring=2)
    assert ends.counts.plain_bytes == sum(len(body) for body in (first, second, third, fourth)) + 2_000
    # Once by itself is all that noise can save; what refers to it costs a few bytes.
    assert 6_000 < ends.counts.packed_bytes < 6_200


def message(number: int, body: bytes, **more: object) -> m.RecordMessage:
    """What an end says that is made by hand."""
    return structs.replace(m.RecordMessage(number, record(WEB, body)), **more)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ([m.Part(1, b"x")], "a part of record 1, which has not begun"),
        ([message(1, b"ab", length=5), m.Part(2, b"x")], "a part of record 2, which has not begun"),
        ([message(1, b"ab", length=5), m.Part(1, b"cdef")], "longer than what it lacks"),
        ([message(1, b"ab", length=5), message(2, b""), m.Part(1, b"c")], "has not begun"),
        ([message(1, b"ab", length=3), m.Part(1, b"c"), m.Part(1, b"d")], "has not begun"),
        ([message(1, b"ab", length=3, encoding=Encoding.ZSTD), m.Part(1, b"c")], "no zstd frame"),
    ],
)
def test_parts_that_make_no_sense(said: list[m.RecordMessage | m.Part], complaint: str) -> None:
    """They end the link, and nothing of them is taken."""
    ends = Ends()
    with pytest.raises(RemoteProtocolError, match=complaint):
        for each in said:
            ends.carry(each)
    assert all(number == 2 for number, _ in ends.got) or ends.got == [(1, b"abc")]


def test_parts_that_were_not_agreed_on() -> None:
    """They end the link."""
    with pytest.raises(RemoteProtocolError, match="not agreed on"):
        Unloader(Terms(1)).message(message(1, b"ab", length=5))


def test_a_second_one_ends_the_first() -> None:
    """An end keeps the beginning of one record, whatever it is sent."""
    ends = Ends()
    for number in range(1, 100):
        ends.carry(message(number, bytes(m.MAX_PART), length=MAX_BODY))
    assert len(ends.unloader._data) == m.MAX_PART
    assert ends.got == []


BODIES = st.one_of(
    st.none(),
    st.binary(max_size=SHORT + 40),
    st.tuples(st.integers(1, 3), st.integers(0, 1990), st.binary(max_size=10)).map(
        lambda drawn: noise(2_000, drawn[0])[: drawn[1]] + drawn[2] + noise(2_000, drawn[0])[drawn[1] :]
    ),
    st.tuples(st.integers(0, 2), st.integers(0, LARGE)).map(
        lambda drawn: noise(LARGE, drawn[0])[: drawn[1]] + b"!" + noise(LARGE, drawn[0])[drawn[1] :]
    ),
)
STEPS = st.tuples(st.sampled_from([WEB, OTHER, SECRET]), BODIES) | st.none()


@given(
    st.lists(STEPS, max_size=25),
    st.lists(st.sampled_from(Capability), unique=True).map(lambda drawn: Terms(1, tuple(drawn))),
    st.sampled_from([0, 1_000, 5_000, 300_000]),
    st.sampled_from([0, 1_000, 5_000, 300_000]),
)
def test_whatever_is_loaded_arrives(
    steps: list[tuple[Key, bytes | None] | None], terms: Terms, here: int, there: int
) -> None:
    """In the end each key's newest body is there, byte for byte, or it was said that it could not be read.

    Whatever the two ends keep, however parts and records are mixed. Ends that keep the same miss nothing.
    """
    ends = Ends(terms, here=here, there=there)
    newest: dict[Key, tuple[int, bytes | None]] = {}
    answered = 0
    for step in steps:
        if step is None or not ends.loader.takes:
            ends.step()
        else:
            newest[step[0]] = ends.load(*step), step[1]
        for number in ends.unreadable[answered:]:
            keys = [key for key, (last, _) in newest.items() if last == number]
            for key in keys:
                ends.loader.unreadable(key)
        answered = len(ends.unreadable)
    ends.drain()
    got = dict(ends.got)
    for number, body in newest.values():
        assert number in ends.unreadable or (number in got and got[number] == body)
    if here == there:
        assert ends.unreadable == []
