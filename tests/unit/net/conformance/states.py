"""Section 5: the states of streams, their ids, errors, extensions."""

from __future__ import annotations

import struct

from tests.unit.net.conformance.case import (
    ASK,
    CALM,
    CLOSED,
    PROTOCOL,
    REFUSED,
    SIZE,
    Answer,
    Case,
    Pong,
    dies,
    resets,
)
from tests.unit.net.rawpeer import REQUEST, continuation, data, frame, goaway, headers, ping, reset, window

STREAMS = 256  # that our server serves at once
WAITING = tuple((name, "/wait" if name == ":path" else value) for name, value in REQUEST)
OPEN = headers(1, WAITING)
HALF_CLOSED = headers(1, WAITING, end=True)
DONE = headers(1, end=True)

IDLE = (
    Case("5.1", "idle: DATA", (data(1),), dies(PROTOCOL)),
    Case("5.1", "idle: RST_STREAM", (reset(1),), dies(PROTOCOL)),
    Case("5.1", "idle: RST_STREAM, beside an open stream", (OPEN, reset(3)), dies(PROTOCOL)),
    Case("5.1", "idle: WINDOW_UPDATE", (window(1, 100),), dies(PROTOCOL)),
    Case("5.1", "idle: WINDOW_UPDATE, beside an open stream", (OPEN, window(3, 100)), dies(PROTOCOL)),
    Case("5.1", "idle: CONTINUATION", (continuation(1, last=True),), dies(PROTOCOL)),
    Case("5.1", "idle: PRIORITY", (frame(2, 1, bytes(5)), ASK), Pong()),
)

HALF = (
    Case("5.1", "half-closed: DATA", (HALF_CLOSED, data(1)), resets(CLOSED)),
    Case("5.1", "half-closed: HEADERS", (HALF_CLOSED, headers(1, WAITING)), resets(CLOSED)),
    Case(
        "5.1",
        "half-closed: CONTINUATION",
        (HALF_CLOSED, continuation(1, last=True)),
        resets(CLOSED, PROTOCOL),
    ),
    Case("5.1", "half-closed: WINDOW_UPDATE", (HALF_CLOSED, window(1, 100), ASK), Pong()),
    Case("5.1", "half-closed: PRIORITY", (HALF_CLOSED, frame(2, 1, bytes(5)), ASK), Pong()),
    Case("5.1", "half-closed: RST_STREAM", (HALF_CLOSED, reset(1), ASK), Pong()),
)

AFTER_RESET = (
    Case("5.1", "reset by the peer: DATA", (OPEN, reset(1), data(1)), resets(CLOSED)),
    Case("5.1", "reset by the peer: HEADERS", (OPEN, reset(1), headers(1, WAITING)), resets(CLOSED)),
    Case(
        "5.1",
        "reset by the peer: CONTINUATION",
        (OPEN, reset(1), continuation(1, last=True)),
        dies(CLOSED, PROTOCOL),
    ),
    Case("5.1", "reset by the peer: PRIORITY", (OPEN, reset(1), frame(2, 1, bytes(5)), ASK), Pong()),
    Case("5.1", "reset by the peer: WINDOW_UPDATE", (OPEN, reset(1), window(1, 100), ASK), Pong()),
    Case("5.1", "reset by the peer: RST_STREAM", (OPEN, reset(1), reset(1), ASK), Pong()),
)

AFTER_END = (
    Case("5.1", "ended both ways: DATA", (DONE, b"", data(1)), resets(CLOSED)),
    Case("5.1", "ended both ways: HEADERS", (DONE, b"", headers(1)), resets(CLOSED)),
    Case(
        "5.1",
        "ended both ways: CONTINUATION",
        (DONE, b"", continuation(1, last=True)),
        dies(CLOSED, PROTOCOL),
    ),
    Case("5.1", "ended both ways: WINDOW_UPDATE", (DONE, b"", window(1, 100), ASK), Pong()),
    Case("5.1", "ended both ways: RST_STREAM", (DONE, b"", reset(1), ASK), Pong()),
    Case("5.1", "ended both ways: PRIORITY", (DONE, b"", frame(2, 1, bytes(5)), ASK), Pong()),
)

IDS = (
    Case("5.1.1", "a stream with an even id", (headers(2),), dies(PROTOCOL)),
    Case(
        "5.1.1",
        "an id below the last one",
        (headers(5, WAITING), headers(3, WAITING)),
        dies(PROTOCOL, CLOSED),
    ),
    Case("5.1.1", "ids may be left out", (headers(5, end=True),), Answer(5)),
    Case("5.1.1", "the highest id", (headers(2**31 - 1, end=True),), Answer(2**31 - 1)),
    Case(
        "5.1.2",
        "one stream too many",
        tuple(headers(each, WAITING) for each in range(1, 2 * STREAMS + 3, 2)),
        resets(PROTOCOL, REFUSED, stream_id=2 * STREAMS + 1),
    ),
)

REST = (
    Case("5.3.2", "HEADERS with a priority", (frame(1, 1, bytes(5) + headers(1)[9:], 0x25),), Answer()),
    Case("5.3.2", "PRIORITY of any stream", (frame(2, 7, struct.pack(">IB", 5, 200)), ASK), Pong()),
    Case("5.4.1", "GOAWAY is sent and the connection closed", (frame(6, 0, bytes(7)),), dies(SIZE)),
    Case("5.4.1", "no frame is answered after an error", (frame(6, 0, bytes(7)), ASK), dies(SIZE)),
    Case("5.4.2", "no RST_STREAM answers a RST_STREAM", (OPEN, reset(1, 99), ASK), Pong()),
    Case("5.5", "an unknown frame on a stream", (OPEN, frame(0x42, 1, b"x"), ASK), Pong()),
    Case(
        "5.5",
        "an unknown frame inside a header block",
        (headers(1, whole=False), frame(0x42, 1)),
        dies(PROTOCOL),
    ),
    Case("5.5", "an unknown setting", (frame(4, 0, struct.pack(">HI", 0x99, 1)), ASK), Pong()),
    Case("7", "GOAWAY with an unknown code", (goaway(0, 0xFF), ASK), Pong()),
    Case("7", "RST_STREAM with an unknown code", (OPEN, reset(1, 0xFF), ASK), Pong()),
    Case("10.5", "a flood of PINGs", (b"".join(ping() for _ in range(5000)),), dies(CALM)),
)

CASES = IDLE + HALF + AFTER_RESET + AFTER_END + IDS + REST
