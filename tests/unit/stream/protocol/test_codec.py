"""A message and one frame."""

import math
import operator
import tracemalloc
from contextlib import suppress
from functools import reduce
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Holding, Outcome, Record, Result
from trio_argoagent.ports.transport import MAX_FRAME
from trio_argoagent.stream.protocol import codec, vocabulary
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.payload import Encoding

from .vocabulary import EXAMPLES, MESSAGES, STRATEGIES, leaves, plain, replaced

WRONG = {"map": {}, "map of one": {"a": 1}, "ext": msgpack.ExtType(5, b"x"), "nan": math.nan, "list": [[[]]]}


@pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_round_trip(kind: type[Any], data: st.DataObject) -> None:
    """Whatever is encoded is decoded to an equal message."""
    message = data.draw(STRATEGIES[kind])
    assert codec.decode(codec.encode(message)) == message


def test_every_message_is_in_the_table() -> None:
    """Each class has one number and shapes for exactly its fields, in their order."""
    assert set(STRATEGIES) == set(vocabulary.NUMBERS) == set(m.Message.__args__)
    for number, (kind, fields) in vocabulary.TYPES.items():
        assert 0 < number < 256
        assert fields.names == kind.__struct_fields__
    for kind, fields in ((Key, vocabulary.KEY), (Record, vocabulary.RECORD), (Result, vocabulary.RESULT)):
        assert fields.names == kind.__struct_fields__


def test_numbers_are_pinned() -> None:
    """A number that was once used keeps its meaning: older software is out there."""
    assert [kind.__name__ for kind, _ in vocabulary.TYPES.values()] == [
        "Hello", "Welcome", "Refuse", "RecordMessage", "Results", "Have", "Mark", "Buckets", "Leaf", "Ping",
        "Pong", "Drain", "Goodbye", "Part", "Open", "Decline", "View", "Held", "Confirm", "ClusterInfo",
        "Trusted", "Authorities",
    ]  # fmt: skip
    assert list(vocabulary.TYPES) == [*range(1, 15), 16, 17, *range(128, 134)]


def field_path(message: m.Message, path: tuple[int, ...]) -> str:
    """The path that an error should name, found by walking the classes and not the shapes."""
    parts: list[str] = []
    value: Any = message
    for index in path:
        if isinstance(value, msgspec.Struct):
            # The number of the message comes before its own fields.
            index -= 1 if value is message else 0
            name = value.__struct_fields__[index]
            parts.append(f".{name}")
            value = getattr(value, name)
        else:
            parts.append(f"[{index}]")
            value = value[index]
    return "".join(parts).lstrip(".")


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_field_of_a_wrong_type_is_refused_with_its_path(name: str, wrong: Any) -> None:
    """No field takes a value of a type that no field has, and the error says where it was."""
    message = EXAMPLES[name]
    value = plain(message)
    for path in leaves(value):
        frame = msgpack.packb(replaced(value, path, wrong))
        with pytest.raises(RemoteProtocolError) as caught:
            codec.decode(frame)
        # What msgpack itself refuses has no path.
        if not str(caught.value).startswith("not a frame"):
            assert f"{type(message).__name__}: {field_path(message, path)}: expected" in str(caught.value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_types_are_not_mixed_up(name: str) -> None:
    """A number is no text, a boolean no number, text no bytes: each scalar swapped for others is refused."""
    value = plain(EXAMPLES[name])
    for path in leaves(value):
        old: Any = reduce(operator.getitem, path, value)
        swaps: tuple[Any, ...] = (True, -1, "\x00", bytes(9_000_000), 1.5)
        for new in swaps:
            # One blob is longer than any field takes; the others are refused for their type.
            if type(new) is not type(old) or isinstance(new, bytes):
                with pytest.raises(RemoteProtocolError):
                    codec.decode(msgpack.packb(replaced(value, path, new)))


def test_the_path_of_a_nested_field() -> None:
    """The error of a nested field reads like the attribute access."""
    value = plain(EXAMPLES["record"])
    value[2][0][1] = 7
    with pytest.raises(RemoteProtocolError, match=r"^RecordMessage: record\.key\.namespace: expected text$"):
        codec.decode(msgpack.packb(value))


def test_an_error_does_not_show_the_value() -> None:
    """What was wrong may have been a secret."""
    value = plain(EXAMPLES["record"])
    value[2][1] = "hunter2" * 30
    with pytest.raises(RemoteProtocolError) as caught:
        codec.decode(msgpack.packb(value))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", EXAMPLES)
def test_fields_of_a_later_version_are_ignored(name: str) -> None:
    """More fields at the end, of the message and of what is nested in it, change nothing."""

    def longer(value: Any, depth: int) -> Any:
        if not isinstance(value, list):
            return value
        # In a list of entries one more would be an entry: only what has a fixed number of fields may grow.
        grown = [longer(item, depth + 1) for item in value]
        fixed = depth == 0 or not all(isinstance(item, list | str | bytes) for item in value)
        return [*grown, [b"new"]] if fixed else grown

    message = EXAMPLES[name]
    assert codec.decode(msgpack.packb(longer(plain(message), 0))) == message


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "drain"])
def test_a_missing_field_is_refused(name: str) -> None:
    """Every field of version 1 is required."""
    with pytest.raises(RemoteProtocolError, match="fields"):
        codec.decode(msgpack.packb(plain(EXAMPLES[name])[:-1]))


@pytest.mark.parametrize("number", [134, 200, 255, 256, 65_535])
def test_an_unknown_message_of_a_later_version_is_ignored(number: int) -> None:
    """From 128 on we need not understand it, whatever it holds."""
    assert codec.decode(msgpack.packb([number, {"a": [1]}, msgpack.ExtType(1, b"x")])) is None
    assert codec.decode(msgpack.packb([number, *range(40)])) is None


@pytest.mark.parametrize("number", [0, 100, 127])
def test_an_unknown_message_that_matters_ends_the_link(number: int) -> None:
    """Below 128 it must be understood."""
    with pytest.raises(RemoteProtocolError, match=f"unknown message type {number}"):
        codec.decode(msgpack.packb([number]))


@pytest.mark.parametrize(
    "frame",
    [b"", b"\x90", b"\x91", b"\xdc\x00\x00", b"\xdc\x00", b"\x80", b"\xc0", b"\x91\xff", b"\x91\xa1a"],
)
def test_no_message_at_all(frame: bytes) -> None:
    """What is no array that begins with a number is refused."""
    with pytest.raises(RemoteProtocolError, match="not a frame"):
        codec.decode(frame)


def test_bytes_after_the_message_are_refused() -> None:
    """One frame, one value."""
    with pytest.raises(RemoteProtocolError, match="not a frame"):
        codec.decode(codec.encode(m.Drain()) + b"\x00")


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_noise_is_refused_in_one_way(noise: bytes) -> None:
    """Random bytes raise RemoteProtocolError, or are ignored, or are a message: nothing else."""
    for frame in (noise, b"\x92" + noise, b"\x98\x04" + noise, b"\x92\x05" + noise):
        with suppress(RemoteProtocolError):
            codec.decode(frame)


@settings(deadline=None, max_examples=300)
@given(MESSAGES, st.data())
def test_damage_is_refused_in_one_way(message: m.Message, data: st.DataObject) -> None:
    """A frame with one byte changed, or cut short, raises RemoteProtocolError or still is a message."""
    frame = bytearray(codec.encode(message))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    for damaged in (bytes(frame), bytes(frame[: data.draw(st.integers(0, len(frame)))])):
        with suppress(RemoteProtocolError):
            codec.decode(damaged)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.binary() | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner, max_size=3)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=9)),
    max_leaves=12,
)
"""Whatever msgpack can say."""


def packed(value: Any) -> bytes:
    """As a peer may send it, which need not be able to read it."""
    frame: bytes = msgpack.packb(value, unicode_errors="surrogatepass")
    return frame


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(vocabulary.TYPES)), st.lists(ANYTHING, max_size=9))
def test_any_values_are_refused_in_one_way(number: int, values: list[Any]) -> None:
    """Well-formed msgpack of no sense under the number of each message."""
    with suppress(RemoteProtocolError):
        codec.decode(packed([number, *values]))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(EXAMPLES)), ANYTHING, st.data())
def test_any_value_in_any_place_is_refused_in_one_way(name: str, wrong: Any, data: st.DataObject) -> None:
    """One thing in an honest message, at any depth, is something else: leaves, listings and views, too."""
    honest = plain(EXAMPLES[name])
    places = list(leaves(honest)) or [(0,)]
    path = data.draw(st.sampled_from(places))
    above = path[: data.draw(st.integers(1, len(path)))]
    with suppress(RemoteProtocolError):
        codec.decode(packed(replaced(honest, above, wrong)))


@pytest.mark.parametrize(
    "frame",
    [
        b"\x92\x04" + b"\xdc\xff\xff" * 1000,
        b"\x92\x04" + b"\xdc\x70\x00" * 10_000,
        b"\x92\x04" + b"\xdc\x02\x00" * 1000,
        b"\x92\x05" + b"\xdc\x02\x00" * 40_000,
        b"\x92\x04" + (b"\xdc\x02\x00" + (b"\xdc\x02\x00" + b"\x91\x90" * 512) * 512) * 8,
        b"\x92\x04" + (b"\xdc\x02\x00" + (b"\xdc\x02\x00" + b"\x80" * 512) * 512) * 8,
        b"\x92\x04\xdf\xff\xff\xff\xff",
        b"\x92\x04\xdd\xff\xff\xff\xff",
        b"\x92\x04\xc6\xff\xff\xff\xff",
    ],
    ids=["headers", "believable", "nested", "control", "lists", "maps", "map32", "array32", "bin32"],
)
def test_a_hostile_frame_costs_little_memory(frame: bytes) -> None:
    """Headers that claim much, and millions of small values, are refused before they are built."""
    tracemalloc.start()
    try:
        with pytest.raises(RemoteProtocolError):
            codec.decode(frame)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000


def test_a_frame_is_bounded() -> None:
    """What is larger than any message of ours is refused by its size alone."""
    frame = msgpack.packb([vocabulary.NUMBERS[m.Ping], b"", bytes(MAX_FRAME)])
    with pytest.raises(RemoteProtocolError, match=r"^Ping: \d+ bytes are too many"):
        codec.decode(frame)


def test_the_largest_messages_fit() -> None:
    """The longest lists of the longest entries, which a side may send, are understood by the other."""
    key = Key(Kind.INTENT, "n" * 63, "a" * 253, "terminate")
    reason = "\N{GRINNING FACE}" * m.MAX_LINE
    holding = Holding("\N{GRINNING FACE}" * 128, "\N{GRINNING FACE}" * 128)
    for message in (
        m.Results((Result(2**53, Outcome.PENDING, reason, holding, "9" * 32),) * m.MAX_ENTRIES),
        m.Have(((key, holding),) * m.MAX_ENTRIES),
        m.Leaf(bytes(range(256)), ((key, holding),) * m.MAX_ENTRIES, True),
    ):
        frame = codec.encode(message)
        assert len(frame) < MAX_FRAME
        assert codec.decode(frame) == message


def test_a_long_text_for_people_is_cut() -> None:
    """An API server's long complaint does not end the link."""
    back = codec.decode(codec.encode(m.Goodbye(m.Reason.INTERNAL, "x" * 5000)))
    assert isinstance(back, m.Goodbye)
    assert back.detail == "x" * (m.MAX_LINE - 1) + "…"


def test_a_reason_of_a_later_version() -> None:
    """A refusal that we cannot classify still reaches the user with its text."""
    value = plain(m.Refuse(m.Reason.MODE, "no quota left", 5.0))
    value[1] = "quota"
    assert codec.decode(msgpack.packb(value)) == m.Refuse(m.Reason.OTHER, "no quota left", 5.0)


RECORD = EXAMPLES["record"].record
BURIED = EXAMPLES["tombstone"].record


def under(key: Key) -> m.RecordMessage:
    """A record with that key."""
    return m.RecordMessage(1, structs.replace(RECORD, key=key))


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (m.RecordMessage(-1, RECORD), "number"),
        (m.RecordMessage(1, structs.replace(RECORD, digest="")), "record.digest"),
        (m.RecordMessage(1, structs.replace(RECORD, body=None)), "record.evidence"),
        (m.RecordMessage(1, RECORD, Encoding.PREFIX), "base"),
        (m.RecordMessage(1, RECORD, Encoding.ZSTD, 5), "base"),
        (m.RecordMessage(1, RECORD, length=len(RECORD.body)), "length"),
        (m.RecordMessage(1, BURIED, length=5), "length"),
        (m.RecordMessage(1, BURIED, Encoding.ZSTD), "encoding"),
        (m.Part(1, bytes(m.MAX_PART + 1)), "data"),
        (m.Part(1, b""), "data"),
        (under(Key(Kind.INTENT, "a", "b")), "record.key.verb"),
        (under(Key(Kind.APP_PROJECT, "a", "b", "sync")), "record.key.verb"),
        (under(Key(Kind.APP_PROJECT, "a", "../b")), "record.key.name"),
        (under(Key(Kind.APP_PROJECT, "a/b", "b")), "record.key.namespace"),
        (m.RecordMessage(1, structs.replace(RECORD, asof="1a")), "record.asof"),
        (m.RecordMessage(1, structs.replace(RECORD, asof="²")), "record.asof"),
        (m.Results((Result(1, Outcome.APPLIED),) * 257), "results"),
        (m.Buckets(bytes(2047)), "hashes"),
        (m.Mark(bytes(31)), "root"),
        (m.Refuse(m.Reason.MODE, "", math.inf), "retry_after"),
        (structs.replace(EXAMPLES["hello"], protocols=(2, 1)), "protocols"),
        (structs.replace(EXAMPLES["hello"], capabilities=("ok", "x" * 65)), "capabilities[1]"),
        (structs.replace(EXAMPLES["hello"], version="\ud800"), ""),
    ],
)
def test_what_the_peer_would_refuse_is_not_sent(message: m.Message, path: str) -> None:
    """A value out of bounds is our own error, found before it leaves, with its path."""
    with pytest.raises(LocalProtocolError) as caught:
        codec.encode(message)
    assert str(caught.value).startswith(f"{type(message).__name__}: {path}")


@pytest.mark.parametrize("version", ["\ud800", "x" * 40_000], ids=["not text", "too long"])
def test_what_is_not_sent_leaves_nothing_behind(version: str) -> None:
    """A frame that came to nothing halfway is no part of the next."""
    good = codec.encode(EXAMPLES["hello"])
    with pytest.raises(LocalProtocolError):
        codec.encode(structs.replace(EXAMPLES["hello"], version=version))
    assert codec.encode(EXAMPLES["hello"]) == good


def test_a_large_frame_is_not_kept() -> None:
    """What was needed to pack it is given back."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        codec.encode(m.Part(1, bytes(m.MAX_PART)))
        codec.encode(m.Ping(b""))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 0.75 * m.MAX_PART
