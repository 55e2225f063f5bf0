"""RESP: tables, every split, random bytes, every bound."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.redis.protocol import resp
from trio_argoagent.redis.protocol.resp import MORE, Decoder, ErrorReply, Limits, Map, Push, Reply

SAMPLES: dict[bytes, Reply] = {
    b"+OK\r\n": "OK",
    b"+\r\n": "",
    b"-ERR no\r\n": ErrorReply("ERR no"),
    b"!7\r\nERR\r\nno\r\n": ErrorReply("ERR\r\nno"),
    b":-12\r\n": -12,
    b":+7\r\n": 7,
    b"(3492890328409238509324850943850943825024385\r\n": 3492890328409238509324850943850943825024385,
    b",1.5e3\r\n": 1500.0,
    b",-inf\r\n": -math.inf,
    b"#t\r\n": True,
    b"#f\r\n": False,
    b"_\r\n": None,
    b"$-1\r\n": None,
    b"*-1\r\n": None,
    b"$0\r\n\r\n": b"",
    b"$4\r\na\r\nb\r\n": b"a\r\nb",
    b"=7\r\ntxt:a\r\n\r\n": b"a\r\n",
    b"*0\r\n": (),
    b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n": (b"a", (1,)),
    b"~1\r\n+x\r\n": ("x",),
    b"%1\r\n+k\r\n*1\r\n_\r\n": Map((("k", (None,)),)),
    b"%0\r\n": Map(()),
    b">2\r\n+message\r\n$1\r\nm\r\n": Push(("message", b"m")),
    b"|1\r\n+ttl\r\n:3\r\n+OK\r\n": "OK",
    b"|0\r\n+OK\r\n": "OK",
    b"*1\r\n|1\r\n+ttl\r\n:3\r\n+OK\r\n": ("OK",),
    b"*2\r\n-ERR a\r\n+b\r\n": (ErrorReply("ERR a"), "b"),
}
NONSENSE = (
    b"hello\r\n", b"\r\n", b":\r\n", b":1.0\r\n", b":1 \r\n", b"$x\r\n", b"$-2\r\n", b"?\r\n",
    b"*-2\r\n", b"~-1\r\n", b"%-1\r\n", b"!-1\r\n", b"$1\r\nabc\r\n", b"#x\r\n", b"_x\r\n", b",1,5\r\n",
    b"$?\r\n", b"*?\r\n", b"=3\r\nabc\r\n", b"=2\r\nab\r\n", b"(\r\n", b":99999999999999999999\r\n",
)  # fmt: skip


def replies(data: bytes, *cuts: int, limits: Limits | None = None) -> list[Any]:
    """What comes out when the bytes arrive in these pieces."""
    decoder, found, edges = Decoder(limits), [], [0, *sorted(cuts), len(data)]
    for start, end in pairwise(edges):
        decoder.feed(data[start:end])
        while (reply := decoder.next()) is not MORE:
            found.append(reply)
    return found


@pytest.mark.parametrize(("data", "reply"), SAMPLES.items())
def test_each_form_at_every_split(data: bytes, reply: Reply) -> None:
    """Cut once anywhere, or into single bytes: the same reply, and only at its last byte."""
    for cut in range(len(data) + 1):
        assert replies(data, cut) == [reply]
    assert replies(data, *range(len(data))) == [reply]
    assert replies(data[:-1]) == []


def test_many_in_one_piece() -> None:
    """Replies that arrive together come out one by one, in order."""
    assert replies(b"".join(SAMPLES)) == list(SAMPLES.values())


@pytest.mark.parametrize("data", NONSENSE)
def test_nonsense_is_the_peers_error_for_good(data: bytes) -> None:
    """What is not RESP raises, and goes on raising: nothing after it can be trusted."""
    decoder = Decoder()
    decoder.feed(data)
    with pytest.raises(RemoteProtocolError, match="Redis: "):
        decoder.next()
    decoder.feed(b"+OK\r\n")
    with pytest.raises(RemoteProtocolError):
        decoder.next()


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        (b"+" + b"x" * 10 + b"\r\n", Limits(line=10)),
        (b"+" + b"x" * 12, Limits(line=10)),
        (b"$11\r\n", Limits(bulk=10)),
        (b"*11\r\n", Limits(items=10)),
        (b"%11\r\n", Limits(items=10)),
        (b"*1\r\n" * 4, Limits(depth=3)),
        (b"$10\r\n", Limits(total=10)),
        (b"*3\r\n:1\r\n:2\r\n", Limits(total=10)),
        (b"|1\r\n+k\r\n+v\r\n+OK\r\n", Limits(total=10)),
    ],
)
def test_every_bound(data: bytes, limits: Limits) -> None:
    """One more than is allowed is refused as soon as it is announced, before it has arrived."""
    with pytest.raises(RemoteProtocolError, match="Redis: "):
        replies(data, limits=limits)


def test_what_is_just_allowed() -> None:
    """The bounds themselves are allowed, and each reply has them anew."""
    assert replies(b"+" + b"x" * 9 + b"\r\n", limits=Limits(line=10)) == ["x" * 9]
    assert replies(b"$10\r\n0123456789\r\n" * 5, limits=Limits(bulk=10, total=17)) == [b"0123456789"] * 5
    assert replies(b"*1\r\n" * 3 + b":1\r\n", limits=Limits(depth=3)) == [(((1,),),)]


def test_idle() -> None:
    """Between two replies a connection may be given away; amid one it may not."""
    decoder = Decoder()
    for piece, idle in ((b"", True), (b"*1\r\n", False), (b"$1\r\n", False), (b"a\r\n", True), (b"+", False)):
        decoder.feed(piece)
        decoder.next()
        assert decoder.idle is idle


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.binary(max_size=20)
    | st.floats(allow_nan=False) | st.text("abc äß", max_size=8)
    | st.builds(ErrorReply, st.text("ER ", max_size=8)),
    lambda inner: st.lists(inner, max_size=3).map(tuple)
    | st.builds(Map, st.lists(st.tuples(inner, inner), max_size=2).map(tuple)),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(values, max_size=4), st.data())
def test_what_is_encoded_is_decoded(sent: list[Reply], data: st.DataObject) -> None:
    """RESP3 loses nothing, wherever it is cut."""
    wire = b"".join(resp.encode(each, resp3=True) for each in sent)
    cuts = data.draw(st.lists(st.integers(0, len(wire)), max_size=6))
    got = replies(wire, *cuts, limits=Limits(depth=64))
    assert repr(got) == repr(sent)


@given(values)
def test_resp2_is_decoded_without_error(sent: Reply) -> None:
    """What RESP2 has no form for goes out as something that it has."""
    assert len(replies(resp.encode(sent), limits=Limits(depth=64))) == 1


SIGNS = (b"+", b"-", b":", b"$", b"*", b"%", b"|", b"~", b"_", b"1", b"2", b"-1", b"\r\n", b"a")
alphabet = st.sampled_from(SIGNS)


@given(st.lists(alphabet | st.binary(max_size=6), max_size=30).map(b"".join), st.data())
def test_random_bytes_raise_only_typed_errors(wire: bytes, data: st.DataObject) -> None:
    """Whatever comes: replies, or a protocol error; and the same whichever way it is cut."""

    def outcome(*cuts: int) -> tuple[list[Any], str]:
        decoder, found, edges = Decoder(), [], [0, *sorted(cuts), len(wire)]
        try:
            for start, end in pairwise(edges):
                decoder.feed(wire[start:end])
                while (reply := decoder.next()) is not MORE:
                    found.append(reply)
        except RemoteProtocolError as exc:
            return found, str(exc)
        return found, ""

    assert repr(outcome(*data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))) == repr(outcome())


def test_commands() -> None:
    """A command is an array of bulk strings, in bytes, UTF-8 or decimal."""
    assert resp.command("SET", b"k\r\n", 12) == b"*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$2\r\n12\r\n"
    assert replies(resp.command("GET", "ä")) == [(b"GET", "ä".encode())]
    with pytest.raises(LocalProtocolError):
        resp.command()
    with pytest.raises(LocalProtocolError):
        resp.encode("two\r\nlines")
