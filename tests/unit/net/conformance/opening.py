"""Sections 3.4 to 4.3: the preface, frames, their size, their headers."""

from __future__ import annotations

from tests.unit.net.conformance.case import (
    ASK,
    COMPRESSION,
    PROTOCOL,
    SIZE,
    TOKEN,
    Acknowledged,
    Answer,
    Case,
    Pong,
    dies,
)
from tests.unit.net.rawpeer import PREFACE, continuation, data, frame, goaway, headers, settings, window

ANNOUNCED = 64 * 1024  # bytes of a frame that our side takes

CASES = (
    Case(
        "3.4",
        "the preface comes byte by byte",
        (*(bytes([each]) for each in PREFACE + settings()), settings(ack=True), ASK),
        Pong(),
        raw=True,
    ),
    Case("3.4", "the preface is wrong", (b"INVALID CONNECTION PREFACE\r\n\r\n",), dies(PROTOCOL), raw=True),
    Case("3.4", "it is HTTP/1.1", (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",), dies(PROTOCOL), raw=True),
    Case("3.4", "no SETTINGS follow the preface", (PREFACE, headers(1)), dies(PROTOCOL), raw=True),
    Case(
        "3.4",
        "a request comes with the preface",
        (PREFACE + settings() + headers(1, end=True),),
        Answer(),
        raw=True,
    ),
    Case("4.1", "a frame of an unknown type", (frame(0x16, 0, bytes(8)), ASK), Pong()),
    Case("4.1", "undefined flags", (frame(6, 0, TOKEN, flags=0x16),), Pong()),
    Case("4.1", "the reserved bit of a stream's id is set", (frame(6, 1 << 31, TOKEN),), Pong()),
    Case(
        "4.2",
        "DATA as long as they may be",
        (window(0, ANNOUNCED), headers(1) + window(1, ANNOUNCED) + data(1, bytes(ANNOUNCED), end=True)),
        Answer(),
    ),
    Case("4.2", "DATA longer than announced", (headers(1), frame(0, 1, bytes(ANNOUNCED + 1))), dies(SIZE)),
    Case("4.2", "HEADERS longer than announced", (frame(1, 1, bytes(ANNOUNCED + 1), 4),), dies(SIZE)),
    Case("4.2", "SETTINGS longer than announced", (frame(4, 0, bytes(6 * 10_923)),), dies(SIZE)),
    Case(
        "4.2", "the start of a frame that is too long", (b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",), dies(SIZE)
    ),
    Case("4.3", "HEADERS that cannot be decompressed", (frame(1, 1, b"\x80", 5),), dies(COMPRESSION)),
    Case(
        "4.3",
        "PRIORITY inside a header block",
        (headers(1, whole=False), frame(2, 1, bytes(5)), continuation(1, last=True)),
        dies(PROTOCOL),
    ),
    Case(
        "4.3",
        "HEADERS of another stream inside a header block",
        (headers(1, whole=False), headers(3), continuation(1, last=True)),
        dies(PROTOCOL),
    ),
    Case(
        "4.3",
        "a header block in two frames",
        (headers(1, end=True, whole=False), continuation(1, last=True)),
        Answer(),
    ),
    Case("4.3", "a PING inside a header block", (headers(1, whole=False), ASK), dies(PROTOCOL)),
    Case(
        "3.4",
        "GOAWAY in the middle leaves streams alone",
        (headers(1), goaway(), data(1, end=True)),
        Answer(),
    ),
    Case(
        "6.5.3", "each SETTINGS is acknowledged", (settings({3: 100}), settings({4: 70_000})), Acknowledged(3)
    ),
)
