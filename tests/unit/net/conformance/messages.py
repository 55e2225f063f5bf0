"""Sections 8.1 to 8.5: requests, their headers and their bodies."""

from __future__ import annotations

from tests.unit.net.conformance.case import PROTOCOL, Answer, Case, Outcome, resets
from tests.unit.net.rawpeer import REQUEST, data, headers

MALFORMED = resets(PROTOCOL)


def ask(*more: tuple[str, str], but: str = "") -> bytes:
    """A whole request with these fields after the usual ones, one of which may be left out."""
    return headers(1, [field for field in REQUEST if field[0] != but] + list(more), end=True)


def field(what: str, name: str, value: str, outcome: Outcome = MALFORMED, section: str = "8.2.1") -> Case:
    """A request with one more field."""
    return Case(section, what, (ask((name, value)),), outcome)


FRAMING = (
    Case("8.1", "headers in the middle of a body", (headers(1), headers(1, [("x", "y")])), MALFORMED),
    Case(
        "8.1",
        "trailers",
        (headers(1), data(1, b"x"), headers(1, [("x-sum", "1")], end=True)),
        Answer(body=b"x"),
    ),
    Case(
        "8.1",
        "trailers without a body",
        (headers(1), headers(1, [("x-sum", "1")], end=True)),
        Answer(body=b""),
    ),
    Case(
        "8.1",
        "a pseudo-header among trailers",
        (headers(1), headers(1, [(":path", "/")], end=True)),
        MALFORMED,
    ),
    Case(
        "8.1",
        "two requests at once",
        (headers(1) + headers(3, end=True) + data(1, b"x", end=True),),
        Answer(body=b"x"),
    ),
    Case("8.1.1", "content-length 1 and no body", (ask(("content-length", "1")),), MALFORMED),
    Case(
        "8.1.1",
        "content-length 1 and 4 bytes",
        (headers(1, [*REQUEST, ("content-length", "1")]), data(1, b"four", end=True)),
        MALFORMED,
    ),
    Case(
        "8.1.1",
        "content-length 10 and 8 bytes in two frames",
        (headers(1, [*REQUEST, ("content-length", "10")]), data(1, b"four"), data(1, b"four", end=True)),
        MALFORMED,
    ),
    Case(
        "8.1.1",
        "content-length 10, 4 bytes and trailers",
        (
            headers(1, [*REQUEST, ("content-length", "10")]),
            data(1, b"four"),
            headers(1, [("x", "y")], end=True),
        ),
        MALFORMED,
    ),
    Case(
        "8.1.1",
        "content-length 4, 4 bytes and trailers",
        (
            headers(1, [*REQUEST, ("content-length", "4")]),
            data(1, b"four"),
            headers(1, [("x", "y")], end=True),
        ),
        Answer(body=b"four"),
    ),
    Case(
        "8.1.1",
        "content-length that is no number",
        (headers(1, [*REQUEST, ("content-length", "four")]), data(1, b"four", end=True)),
        MALFORMED,
    ),
    Case(
        "8.1.1",
        "content-length that fits",
        (headers(1, [*REQUEST, ("content-length", "4")]), data(1, b"four", end=True)),
        Answer(body=b"four"),
    ),
)

FIELDS = (
    field("a name in upper case", "X-Up", "1"),
    field("a name with a space", "x y", "1"),
    field("a name with a control character", "x\x01", "1"),
    field("a name with DEL", "x\x7f", "1"),
    field("a name with a colon", "x:y", "1"),
    field("an empty name", "", "1"),
    field("a value with NUL", "x", "a\0b"),
    field("a value with CR", "x", "a\rb"),
    field("a value with LF", "x", "a\nb"),
    field("a value that begins with a space", "x", " a"),
    field("a value that ends with a tab", "x", "a\t"),
    field("an empty value", "x", "", Answer()),
    field("a value with spaces inside", "x", "a b", Answer()),
    field("two cookies", "cookie", "a=1", Answer(), "8.2.3"),
)

CONNECTION = (
    field("connection", "connection", "keep-alive", section="8.2.2"),
    field("keep-alive", "keep-alive", "timeout=5", section="8.2.2"),
    field("proxy-connection", "proxy-connection", "keep-alive", section="8.2.2"),
    field("transfer-encoding", "transfer-encoding", "chunked", section="8.2.2"),
    field("upgrade", "upgrade", "h2c", section="8.2.2"),
    field("te with anything else than trailers", "te", "trailers, deflate", section="8.2.2"),
    field("te with trailers", "te", "trailers", Answer(), "8.2.2"),
)

PSEUDO = (
    field("an unknown pseudo-header", ":test", "ok", section="8.3"),
    field("one of an answer", ":status", "200", section="8.3"),
    Case(
        "8.3",
        "a pseudo-header after a field",
        (headers(1, [*REQUEST[:2], ("x", "y"), *REQUEST[2:]], end=True),),
        MALFORMED,
    ),
    Case("8.3.1", "an empty :path", (ask((":path", ""), but=":path"),), MALFORMED),
    *(Case("8.3.1", f"no {name}", (ask(but=name),), MALFORMED) for name in (":method", ":scheme", ":path")),
    *(
        Case("8.3.1", f"{name} twice", (headers(1, [(name, value), *REQUEST], end=True),), MALFORMED)
        for name, value in REQUEST[:3]
    ),
    Case("8.3.1", "host instead of :authority", (ask(("host", "x"), but=":authority"),), Answer()),
    Case(
        "8.5",
        "CONNECT with a :path",
        (headers(1, [(":method", "CONNECT"), *REQUEST[1:]], end=True),),
        MALFORMED,
    ),
)

CASES = FRAMING + FIELDS + CONNECTION + PSEUDO
