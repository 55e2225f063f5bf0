"""Section 6: each type of frame."""

from __future__ import annotations

import struct

from tests.unit.net.conformance.case import (
    ASK,
    CLOSED,
    FLOW,
    PROTOCOL,
    SIZE,
    TOKEN,
    Answer,
    Case,
    Pong,
    Sent,
    dies,
    resets,
)
from tests.unit.net.conformance.states import OPEN, WAITING
from tests.unit.net.rawpeer import REQUEST, continuation, data, frame, headers, ping, settings, window

LARGEST = 2**31 - 1
WINDOW = 65_535  # bytes that may be sent on a connection before anything is said about it
LONG = tuple((name, "/long" if name == ":path" else value) for name, value in REQUEST)


def setting(name: int, value: int) -> bytes:
    """SETTINGS with one entry, sensible or not."""
    return frame(4, 0, struct.pack(">HI", name, value))


DATA = (
    Case("6.1", "DATA on stream 0", (frame(0, 0, b"x"),), dies(PROTOCOL)),
    Case(
        "6.1",
        "DATA on a stream that is not open",
        (headers(1, WAITING, end=True), data(1, b"x")),
        resets(CLOSED),
    ),
    Case("6.1", "padding as long as the frame", (OPEN, frame(0, 1, b"\x05test", 0x08)), dies(PROTOCOL)),
    Case("6.1", "padding that is not even told", (OPEN, frame(0, 1, b"", 0x08)), dies(PROTOCOL, SIZE)),
    Case(
        "6.1",
        "padding is not part of the body",
        (headers(1), frame(0, 1, b"\x03four\0\0\0", 0x09)),
        Answer(body=b"four"),
    ),
    Case(
        "6.1",
        "empty DATA end a body",
        (headers(1), data(1, b"four"), data(1, end=True)),
        Answer(body=b"four"),
    ),
)

HEADERS = (
    Case("6.2", "HEADERS on stream 0", (frame(1, 0, headers(1)[9:], 4),), dies(PROTOCOL)),
    Case(
        "6.2",
        "PRIORITY before CONTINUATION",
        (headers(1, whole=False), frame(2, 1, bytes(5))),
        dies(PROTOCOL),
    ),
    Case("6.2", "DATA before CONTINUATION", (headers(1, whole=False), data(1)), dies(PROTOCOL)),
    Case(
        "6.2", "padding as long as the frame", (frame(1, 1, b"\xff" + headers(1)[9:], 0x0D),), dies(PROTOCOL)
    ),
    Case(
        "6.2",
        "padding is not part of the headers",
        (frame(1, 1, b"\x02" + headers(1)[9:] + b"\0\0", 0x0D),),
        Answer(),
    ),
    Case("6.2", "a priority that is cut off", (frame(1, 1, bytes(3), 0x25),), dies(PROTOCOL, SIZE)),
)

PRIORITY = (
    Case("6.3", "PRIORITY on stream 0", (frame(2, 0, bytes(5)),), dies(PROTOCOL)),
    Case("6.3", "PRIORITY of 4 bytes", (OPEN, frame(2, 1, bytes(4))), resets(SIZE)),
)

RST_STREAM = (
    Case("6.4", "RST_STREAM on stream 0", (frame(3, 0, bytes(4)),), dies(PROTOCOL)),
    Case("6.4", "RST_STREAM of 3 bytes", (OPEN, frame(3, 1, bytes(3))), dies(SIZE)),
    Case("6.4", "RST_STREAM of 5 bytes", (OPEN, frame(3, 1, bytes(5))), dies(SIZE)),
)

SETTINGS = (
    Case("6.5", "an acknowledgement with content", (frame(4, 0, struct.pack(">HI", 3, 100), 1),), dies(SIZE)),
    Case("6.5", "SETTINGS on a stream", (frame(4, 1, struct.pack(">HI", 3, 100)),), dies(PROTOCOL)),
    Case("6.5", "SETTINGS of 3 bytes", (frame(4, 0, bytes(3)),), dies(SIZE)),
    Case("6.5", "empty SETTINGS", (settings(), ASK), Pong()),
    Case("6.5.2", "ENABLE_PUSH is 2", (setting(2, 2),), dies(PROTOCOL)),
    Case("6.5.2", "ENABLE_PUSH is 0", (setting(2, 0), ASK), Pong()),
    Case("6.5.2", "INITIAL_WINDOW_SIZE beyond the largest window", (setting(4, LARGEST + 1),), dies(FLOW)),
    Case("6.5.2", "INITIAL_WINDOW_SIZE is the largest window", (setting(4, LARGEST), ASK), Pong()),
    Case("6.5.2", "MAX_FRAME_SIZE below the least", (setting(5, 16_383),), dies(PROTOCOL)),
    Case("6.5.2", "MAX_FRAME_SIZE beyond the most", (setting(5, 2**24),), dies(PROTOCOL)),
    Case("6.5.2", "HEADER_TABLE_SIZE is huge", (setting(1, 2**32 - 1), headers(1, end=True)), Answer()),
    Case("6.5.2", "HEADER_TABLE_SIZE is 0", (setting(1, 0), headers(1, end=True)), Answer()),
    Case("6.5.2", "MAX_CONCURRENT_STREAMS is 0", (setting(3, 0), headers(1, end=True)), Answer()),
    Case(
        "6.5.3",
        "of a setting that comes twice the last counts",
        (frame(4, 0, struct.pack(">HIHI", 4, 100, 4, 7)), headers(1, LONG, end=True)),
        Sent(7),
    ),
)

PUSH_PROMISE = (
    Case("6.6", "a client promises", (OPEN, frame(5, 1, bytes(4) + headers(1)[9:], 4)), dies(PROTOCOL)),
)

PING = (
    Case("6.7", "PING is answered with its bytes", (ASK,), Pong()),
    Case("6.7", "an acknowledgement is not answered", (ping(TOKEN[::-1], ack=True), ASK), Pong()),
    Case("6.7", "PING on a stream", (frame(6, 1, bytes(8)),), dies(PROTOCOL)),
    Case("6.7", "PING of 6 bytes", (frame(6, 0, bytes(6)),), dies(SIZE)),
)

GOAWAY = (
    Case("6.8", "GOAWAY on a stream", (frame(7, 1, bytes(8)),), dies(PROTOCOL)),
    Case("6.8", "GOAWAY of 7 bytes", (frame(7, 0, bytes(7)),), dies(SIZE, PROTOCOL)),
    Case(
        "6.8",
        "GOAWAY with a reason in words",
        (headers(1), frame(7, 0, bytes(8) + b"bye"), data(1, end=True)),
        Answer(),
    ),
)

WINDOW_UPDATE = (
    Case("6.9", "by 0 on the connection", (frame(8, 0, bytes(4)),), dies(PROTOCOL)),
    Case("6.9", "by 0 on a stream", (OPEN, frame(8, 1, bytes(4))), resets(PROTOCOL)),
    Case("6.9", "of 3 bytes", (frame(8, 0, bytes(3)),), dies(SIZE)),
    Case(
        "6.9.1",
        "the connection's window beyond the largest",
        (window(0, LARGEST), window(0, LARGEST)),
        dies(FLOW),
    ),
    Case(
        "6.9.1",
        "a stream's window beyond the largest",
        (OPEN, window(1, LARGEST), window(1, LARGEST)),
        resets(FLOW),
    ),
    Case("6.9.1", "no more than the stream's window", (setting(4, 1), headers(1, LONG, end=True)), Sent(1)),
    Case(
        "6.9.1",
        "no more than the connection's",
        (setting(4, 10 * WINDOW), headers(1, LONG, end=True)),
        Sent(WINDOW),
    ),
    Case(
        "6.9.1",
        "WINDOW_UPDATE lets it go on",
        (setting(4, 1), headers(1, LONG, end=True), window(1, 9)),
        Sent(10),
    ),
    Case("6.9.1", "both windows count", (headers(1, LONG, end=True), window(1, 9)), Sent(WINDOW)),
    Case("6.9.1", "END_STREAM needs no window", (setting(4, 0), headers(1, end=True)), Answer(body=b"")),
    Case(
        "6.9.2",
        "SETTINGS change the windows of open streams",
        (setting(4, 0), headers(1, LONG, end=True), setting(4, 3)),
        Sent(3),
    ),
    Case(
        "6.9.2",
        "a window may become negative",
        (setting(4, 9), headers(1, LONG, end=True), setting(4, 2), window(1, 8)),
        Sent(10),
    ),
    Case(
        "6.9.2",
        "SETTINGS do not change the connection's",
        (setting(4, 10 * WINDOW), setting(4, 20 * WINDOW), headers(1, LONG, end=True)),
        Sent(WINDOW),
    ),
    Case(
        "6.9.2",
        "SETTINGS widen an open stream too far",
        (OPEN, window(1, LARGEST - WINDOW), setting(4, WINDOW + 1)),
        dies(FLOW),
    ),
)

CONTINUATION = (
    Case(
        "6.10",
        "several in a row",
        (headers(1, end=True, whole=False), continuation(1), continuation(1, last=True)),
        Answer(),
    ),
    Case(
        "6.10",
        "another frame between them",
        (headers(1, whole=False), continuation(1), data(1)),
        dies(PROTOCOL),
    ),
    Case("6.10", "on stream 0", (headers(1, whole=False), frame(9, 0, b"", 4)), dies(PROTOCOL)),
    Case("6.10", "after the end of the headers", (OPEN, continuation(1, last=True)), dies(PROTOCOL)),
    Case(
        "6.10",
        "after its own end",
        (headers(1, whole=False), continuation(1, last=True), continuation(1, last=True)),
        dies(PROTOCOL),
    ),
    Case("6.10", "after DATA", (OPEN, data(1, b"x"), continuation(1, last=True)), dies(PROTOCOL)),
)

CASES = (
    DATA
    + HEADERS
    + PRIORITY
    + RST_STREAM
    + SETTINGS
    + PUSH_PROMISE
    + PING
    + GOAWAY
    + WINDOW_UPDATE
    + CONTINUATION
)
