"""Requests for certificates, as they may come from anybody."""

from __future__ import annotations

from contextlib import suppress

import attrs
import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.stream.protocol import enrolment as e
from trio_argoagent.stream.protocol.framing import PREFIX, prefix

BYTES = st.binary(min_size=1, max_size=64)
HEX = st.text("0123456789abcdef", min_size=1, max_size=64)
TOKENS = st.builds(e.Shown, HEX, HEX)
PROOFS = st.builds(e.Proof, BYTES, BYTES)
NAMES = st.sampled_from(["", "east", "a-1"])
ENROLS = (
    st.builds(e.Enrol, BYTES, NAMES)
    | st.builds(e.Enrol, BYTES, NAMES, TOKENS)
    | st.builds(e.Enrol, BYTES, NAMES, proof=PROOFS)
)
ANSWERS = st.builds(e.Issued, BYTES, BYTES) | st.builds(
    e.Denied, st.sampled_from(e.Denial), st.text("abc é", max_size=64), st.floats(0, e.MAX_RETRY)
)


def frame(*value: object) -> bytes:
    """A body of one frame."""
    packed = msgpack.packb(value)
    return prefix(packed) + bytes(packed)


@given(ENROLS)
def test_a_request_there_and_back(message: e.Enrol) -> None:
    """It arrives as it was said."""
    assert e.decode_request(e.encode(message)) == message


@given(ANSWERS)
def test_an_answer_there_and_back(message: e.Answer) -> None:
    """Likewise."""
    assert e.decode_answer(e.encode(message)) == message


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes(data: bytes) -> None:
    """Whatever comes, it is a request or a protocol error."""
    for body in (data, prefix(data or b"\0") + data):
        with suppress(RemoteProtocolError):
            assert isinstance(e.decode_request(body), e.Enrol)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not one frame"),
        (b"\0\0\0\5abc", "not one frame"),
        (frame(1, b"r", "", None, None) + b"x", "not one frame"),
        (prefix(b"x" * (e.MAX_REQUEST + 1)) + b"x" * (e.MAX_REQUEST + 1), "not one frame"),
        (frame(), "expected the number of a message"),
        (frame(9, b"r"), "expected the number of a message"),
        (frame(True, b"r"), "expected the number of a message"),
        (prefix(b"\xdd\xff\xff\xff\xff") + b"\xdd\xff\xff\xff\xff", "not a frame"),
        (prefix(b"\x91" * 5000) + b"\x91" * 5000, "not a frame"),
        (frame(1, {"a": 1}, "", None, None), "not a frame"),
        (frame(1, b"", "", None, None), "Enrol: request: expected 1 to 8192 bytes"),
        (frame(1, b"r", "Not A Name", None, None), "Enrol: name: expected a namespace"),
        (frame(1, b"r", "", ("a",), None), "Enrol: token: expected a list of 2 fields"),
        (frame(1, b"r", "", ("a", "s" * 129), None), "Enrol: token.secret: expected hexadecimal digits of 1"),
        (frame(1, b"r", "", ("a/../b", "b"), None), "Enrol: token.id: expected hexadecimal digits"),
        (frame(1, b"r", "", ("a", "b"), (b"c", b"s")), "Enrol: proof: expected a token or a proof"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_request(body: bytes, said: str) -> None:
    """Each is named by what is wrong with it, without the value."""
    with pytest.raises(RemoteProtocolError) as caught:
        e.decode_request(body)
    assert said in str(caught.value) and "sss" not in str(caught.value)


def test_later_versions() -> None:
    """More fields are ignored, and a reason that we do not know is one."""
    assert e.decode_request(frame(1, b"r", "", None, None, "later")) == e.Enrol(b"r")
    assert e.decode_answer(frame(3, "because", "it is so", 1)) == e.Denied(e.Denial.OTHER, "it is so", 1.0)


def test_what_we_must_not_say() -> None:
    """A bug here is found here; a text for people is cut instead."""
    with pytest.raises(LocalProtocolError, match="Denied: retry_after"):
        e.encode(e.Denied(e.Denial.BUSY, "", -1.0))
    cut = e.decode_answer(e.encode(e.Denied(e.Denial.BUSY, "x" * 2000)))
    assert isinstance(cut, e.Denied) and len(cut.detail) == 512


def test_secrets_are_not_shown() -> None:
    """Not even where a whole message is put into a line."""
    message = e.Enrol(b"r", token=e.Shown("1234", "f00f"))
    assert "f00f" not in repr(message) + str(attrs.asdict(message, filter=lambda a, _: bool(a.repr)))
    assert len(e.encode(message)) > PREFIX
