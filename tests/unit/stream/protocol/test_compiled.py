"""What is written out decides nothing that is not decided field by field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from trio_argoagent.stream.protocol import codec, vocabulary
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.compiled import Source
from trio_argoagent.stream.protocol.fields import Fields
from trio_argoagent.stream.protocol.shapes import Decimal, Mismatch, Pair, Text, Whole

from .vocabulary import EXAMPLES, STRATEGIES, leaves, plain, replaced

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**54),
    st.floats(),
    st.text(max_size=300),
    st.binary(max_size=70),
    st.sampled_from(["Intent", "Application", "sync", "", "inferred", "applied", (), ("a",), {}]),
)


def outcome(convert: Callable[[Any], Any], value: Any) -> object:
    """What came out, or what was said."""
    try:
        return repr(convert(value))
    except Mismatch as exc:
        return f"Mismatch: {exc}"


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "drain"])
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_reading(name: str, data: st.DataObject) -> None:
    """A frame with one odd field is read, or refused with the same words, as field by field."""
    message = EXAMPLES[name]
    value = plain(message)
    value = replaced(value, data.draw(st.sampled_from(list(leaves(value)))), data.draw(ODD))
    fields = vocabulary.TYPES[vocabulary.NUMBERS[type(message)]][1]
    # As it comes off the wire: tuples.
    wire = msgpack.unpackb(msgpack.packb(value), use_list=False)[1:]
    assert outcome(fields.read, wire) == outcome(fields._read_plainly, wire)


@pytest.mark.parametrize("kind", [kind for kind in STRATEGIES if kind is not m.Drain])
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_writing(kind: type[Any], data: st.DataObject) -> None:
    """Likewise a message of ours, good or with one odd attribute."""
    message = data.draw(STRATEGIES[kind])
    fields = vocabulary.TYPES[vocabulary.NUMBERS[kind]][1]
    assert fields.write(message) == fields._write_plainly(message)
    odd = {int: st.integers(-2, 2**54), bytes: st.binary(max_size=3000)}
    changed = [name for name in fields.names if type(getattr(message, name)) in odd]
    for name in changed:
        value = data.draw(odd[type(getattr(message, name))])
        other = structs.replace(message, **{name: value})
        assert outcome(fields.write, other) == outcome(fields._write_plainly, other)


def test_good_messages_are_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits is read and written without going field by field."""

    def never(self: object, value: object) -> object:
        raise AssertionError("field by field")

    monkeypatch.setattr(Fields, "_read_plainly", never)
    monkeypatch.setattr(Fields, "_write_plainly", never)
    made = Fields(m.RecordMessage, number=Whole(0, 9), record=Text(5))
    assert made.read((3, "abc")) == m.RecordMessage(3, "abc")  # type: ignore[arg-type]
    assert made.read((3, "abc", "later")) == m.RecordMessage(3, "abc")  # type: ignore[arg-type]
    assert made.write(m.RecordMessage(3, "abc")) == [3, "abc"]  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="field by field"):
        made.read((10, "abc"))


def test_shapes_that_do_not_say_how_they_look() -> None:
    """They are asked, and what they say is passed on with the field's name."""
    made = Fields(m.Confirm, name=Pair(Whole(0, 9), Whole(0, 9)))
    assert made.read(((1, 2),)) == m.Confirm((1, 2))  # type: ignore[arg-type]
    with pytest.raises(Mismatch, match=r"^name\[1\]: expected a whole number from 0 to 9$"):
        made.read(((1, 10),))
    with pytest.raises(Mismatch, match=r"^name\[0\]: expected a whole number"):
        made.write(m.Confirm((-1, 0)))  # type: ignore[arg-type]


@given(st.text("0123456789a²٣-+_ \n", max_size=40) | st.text(max_size=5))
@example("9" * 32)
@example("9" * 33)
@example("7\n")
def test_decimal_digits(text: str) -> None:
    """They are ASCII and nothing else, read or written, at once or field by field."""
    made = Fields(m.Confirm, name=Decimal(32, "digits"))
    good = re.fullmatch(r"[0-9]{0,32}", text) is not None
    for read in (made.read, made._read_plainly):
        assert (outcome(read, (text,)) == repr(m.Confirm(text))) is good
    for write in (made.write, made._write_plainly):
        assert (outcome(write, m.Confirm(text)) == repr([text])) is good
    with pytest.raises(Mismatch, match=r"^name: expected digits of 0 to 32 characters$"):
        made.read(("9" * 33,))


def test_optional() -> None:
    """None fits, and stays."""
    assert Source("len(@) < 3", "f(@)").optional() == Source(
        "@ is None or (len(@) < 3)", "None if @ is None else f(@)"
    )


def test_the_examples_are_whole() -> None:
    """Every kind of message but the empty one is read above."""
    assert {type(message) for message in EXAMPLES.values()} == set(vocabulary.NUMBERS)
    assert all(codec.decode(codec.encode(message)) == message for message in EXAMPLES.values())


def test_keys_are_remembered() -> None:
    """The key of a record is made and written once; one with more fields than we know is made each time."""
    wire = (("Application", "ns", "a-name", ""), "u", "d", "7", b"", None, "")
    assert vocabulary.RECORD.read(wire).key is vocabulary.RECORD.read(wire).key
    longer = ((*wire[0], b"later"), *wire[1:])
    assert vocabulary.RECORD.read(longer).key == vocabulary.RECORD.read(wire).key
    assert vocabulary.RECORD.read(longer).key is not vocabulary.RECORD.read(wire).key
    for bad in ("A Name", {}):
        with pytest.raises(Mismatch, match=r"^key\.name: expected"):
            vocabulary.RECORD.read((("Application", "ns", bad, ""), *wire[1:]))
    record = vocabulary.RECORD.read(wire)
    assert vocabulary.RECORD.write(record)[0] is vocabulary.RECORD.write(record)[0]
    for bad in ("A Name", {}):
        key = structs.replace(record.key, name=bad)
        with pytest.raises(Mismatch, match=r"^key\.name: expected"):
            vocabulary.RECORD.write(structs.replace(record, key=key))
