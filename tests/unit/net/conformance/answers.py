"""What a server may send to a client that has asked on stream 1, and what the client makes of it."""

from __future__ import annotations

import struct

import attrs
from h2.errors import ErrorCodes

from tests.unit.net.conformance.case import CLOSED, COMPRESSION, FLOW, PROTOCOL, SIZE
from tests.unit.net.rawpeer import continuation, data, frame, goaway, headers, ping, reset, settings, window

OK = [(":status", "200")]
CREATED = headers(1, OK)
EMPTY = headers(1, OK, end=True)
HELLO = settings()


@attrs.frozen
class Reply:
    """One thing a server may do.

    Attributes:
        section: of RFC 9113.
        what: a sentence.
        sends: after the client's preface; what a server says first included.
        body: that the client reads; None: it is told that there is none.
        codes: with which it resets the stream or ends the connection, if it does.
        retry: may the request be sent again, because it cannot have been served (8.7)?
    """

    section: str
    what: str
    sends: tuple[bytes, ...]
    body: bytes | None = None
    codes: tuple[ErrorCodes, ...] = ()
    retry: bool = False

    @property
    def name(self) -> str:
        """For pytest."""
        return f"{self.section} {self.what}"


def broken(section: str, what: str, *sends: bytes, by: tuple[ErrorCodes, ...] = (PROTOCOL,)) -> Reply:
    """The client takes offence."""
    return Reply(section, what, (HELLO, *sends), None, by)


def pushed(stream_id: int) -> bytes:
    """PUSH_PROMISE on stream 1."""
    return frame(5, 1, struct.pack(">I", stream_id) + headers(1)[9:], 4)


REPLIES = (
    Reply("8.1", "a body", (HELLO, CREATED, data(1, b"ab"), data(1, b"cd", end=True)), b"abcd"),
    Reply("8.1", "no body", (HELLO, EMPTY), b""),
    Reply("8.1", "trailers", (HELLO, CREATED, data(1, b"ab"), headers(1, [("x", "y")], end=True)), b"ab"),
    Reply(
        "8.1",
        "an interim answer before",
        (HELLO, headers(1, [(":status", "103")]), CREATED, data(1, b"x", end=True)),
        b"x",
    ),
    Reply(
        "8.1.1",
        "content-length that fits",
        (HELLO, headers(1, [*OK, ("content-length", "1")]), data(1, b"x", end=True)),
        b"x",
    ),
    Reply(
        "8.1.1",
        "304 tells a length",
        (HELLO, headers(1, [(":status", "304"), ("content-length", "9")], end=True)),
        b"",
    ),
    Reply(
        "5.1", "RST_STREAM after a whole answer", (HELLO, CREATED, data(1, b"x", end=True), reset(1, 0)), b"x"
    ),
    Reply(
        "6.8",
        "GOAWAY, and the answer all the same",
        (HELLO, goaway(1), CREATED, data(1, b"x", end=True)),
        b"x",
    ),
    Reply("6.8", "GOAWAY before the request was seen", (HELLO, goaway(0)), retry=True),
    Reply("6.8", "GOAWAY twice, the second with less", (HELLO, goaway(2**31 - 1), goaway(0)), retry=True),
    Reply("8.7", "REFUSED_STREAM", (HELLO, reset(1, 7)), retry=True),
    Reply("5.4.2", "RST_STREAM in the middle of a body", (HELLO, CREATED, data(1, b"x"), reset(1, 2))),
    Reply("5.4.2", "RST_STREAM before an answer", (HELLO, reset(1, 2))),
    Reply("5.5", "an unknown frame", (HELLO, frame(0x42, 0, b"x"), frame(0xFA, 1), EMPTY), b""),
    Reply("3.4", "something else than SETTINGS first", (ping(), HELLO), None, (PROTOCOL,), retry=True),
    Reply(
        "3.4",
        "HTTP/1.1",
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",),
        None,
        (PROTOCOL, SIZE),
        retry=True,
    ),
    broken("8.4", "PUSH_PROMISE although push is off", pushed(2)),
    broken("8.4", "PUSH_PROMISE of a stream of ours", pushed(3)),
    broken("5.1.1", "HEADERS on a stream that a server cannot open", headers(2, OK)),
    broken("5.1", "DATA on an idle stream", data(3, b"x")),
    broken("5.1", "DATA before the answer's headers", data(1, b"x")),
    broken("5.1", "DATA after the end", EMPTY, data(1, b"x"), by=(CLOSED,)),
    broken("6.5.2", "ENABLE_PUSH from a server", settings({2: 1})),
    broken("6.5.2", "a window that is too large", settings({4: 2**31}), by=(FLOW,)),
    broken("6.9.1", "a window that overflows", window(0, 2**31 - 1), window(0, 2**31 - 1), by=(FLOW,)),
    broken("6.7", "PING of 7 bytes", frame(6, 0, bytes(7)), by=(SIZE,)),
    broken("6.10", "CONTINUATION of nothing", continuation(1, last=True)),
    broken("4.3", "headers that cannot be decompressed", frame(1, 1, b"\x80", 5), by=(COMPRESSION,)),
    broken("8.3.2", "an answer without :status", headers(1, [("x", "y")], end=True)),
    broken("8.3.2", "an answer with :path", headers(1, [*OK, (":path", "/")], end=True)),
    broken("8.2.1", "a name in upper case", headers(1, [*OK, ("X", "y")], end=True)),
    broken("8.2.2", "transfer-encoding", headers(1, [*OK, ("transfer-encoding", "chunked")])),
    broken(
        "8.1.1",
        "less than content-length",
        headers(1, [*OK, ("content-length", "2")]),
        data(1, b"x", end=True),
    ),
    broken(
        "8.1.1",
        "more than content-length",
        headers(1, [*OK, ("content-length", "2")]),
        data(1, b"xyz", end=True),
    ),
    broken("8.1.1", "content-length and no body", headers(1, [*OK, ("content-length", "2")], end=True)),
    broken("8.1", "two final answers", CREATED, headers(1, OK)),
)
