"""Header lists: what may be sent and taken, held against the library's own rules."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from h2.events import RequestReceived
from h2.exceptions import ProtocolError
from h2.utilities import HeaderValidationFlags, validate_headers
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.net.protocol.headers import SHORT, Part, check, outbound

from .test_connection import REQUEST, pair

GET = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/"), (b":authority", b"x")]


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        (Part.REQUEST, [*GET, (b"te", b"Trailers"), (b"host", b"x"), (b"accept", b"")]),
        (Part.REQUEST, [*GET[:3], (b"host", b"x")]),
        (Part.REQUEST, [(b":method", b"CONNECT"), (b":authority", b"x:1")]),
        (Part.RESPONSE, [(b":status", b"200"), (b"x", b"a b\tc \xff")]),
        (Part.TRAILERS, [(b"x", b"y")]),
        (Part.TRAILERS, []),
    ],
)
def test_good_lists(part: Part, fields: list[tuple[bytes, bytes]]) -> None:
    """They pass."""
    check(fields, part)


@pytest.mark.parametrize(
    ("part", "fields", "why"),
    [
        (Part.REQUEST, [*GET, (b"Upper", b"x")], "illegal header name"),
        (Part.REQUEST, [*GET, (b"", b"x")], "illegal header name"),
        (Part.REQUEST, [*GET, (b":", b"x")], "illegal header name"),
        (Part.REQUEST, [*GET, (b"a:b", b"x")], "illegal header name"),
        (Part.REQUEST, [*GET, (b"a b", b"x")], "illegal header name"),
        (Part.REQUEST, [*GET, (b"a\xe4", b"x")], "illegal header name"),
        (Part.REQUEST, [*GET, (b"a", b"x\r\nb: y")], "illegal value"),
        (Part.REQUEST, [*GET, (b"a", b"x\n")], "illegal value"),
        (Part.REQUEST, [*GET, (b"a", b"\0")], "illegal value"),
        (Part.REQUEST, [*GET, (b"a", b" x")], "illegal value"),
        (Part.REQUEST, [*GET, (b"a", b"x\t")], "illegal value"),
        (Part.REQUEST, [*GET, (b"a", b"x"), (b":late", b"x")], "too late or twice"),
        (Part.REQUEST, [*GET, (b":path", b"/")], "too late or twice"),
        (Part.REQUEST, [*GET, (b":other", b"/")], "with b':other'"),
        (Part.REQUEST, [*GET, (b":status", b"200")], "with b':status'"),
        (Part.REQUEST, [*GET, (b":protocol", b"websocket")], "with b':protocol'"),
        (Part.REQUEST, [*GET, (b"connection", b"close")], "not for HTTP/2"),
        (Part.REQUEST, [*GET, (b"transfer-encoding", b"chunked")], "not for HTTP/2"),
        (Part.REQUEST, [*GET, (b"te", b"gzip")], "not for HTTP/2"),
        (Part.REQUEST, [*GET, (b"host", b"y")], "two hosts"),
        (Part.REQUEST, [*GET[:3], (b"host", b"x"), (b"host", b"x")], "two hosts"),
        (Part.REQUEST, GET[:3], "for which host"),
        (Part.REQUEST, [GET[0], GET[1], (b":path", b""), GET[3]], "without b':path'"),
        (Part.REQUEST, GET[1:], "without b':method'"),
        (Part.REQUEST, [(b":method", b"CONNECT"), *GET[1:]], "with b':scheme'"),
        (Part.REQUEST, [(b":method", b"CONNECT")], "without b':authority'"),
        (Part.RESPONSE, [(b"x", b"y")], "without b':status'"),
        (Part.RESPONSE, [(b":status", b"200"), (b":path", b"/")], "with b':path'"),
        (Part.TRAILERS, [(b":status", b"200")], "with b':status'"),
    ],
)
def test_bad_lists(part: Part, fields: list[tuple[bytes, bytes]], why: str) -> None:
    """Each rule, broken once."""
    with pytest.raises(ProtocolError, match=why):
        check(fields, part)


NAMES = st.sampled_from(
    [*(name for name, _ in GET), b":status", b":x", b"te", b"host", b"connection", b"a", b"A", b"a:b"]
) | st.binary(max_size=3)
VALUES = st.sampled_from([b"x", b"/", b"200", b"trailers", b"GET", b"", b" x"]) | st.binary(max_size=3)
FLAGS = {Part.REQUEST: (False, False), Part.RESPONSE: (False, True), Part.TRAILERS: (True, False)}


@settings(deadline=None, max_examples=400)
@given(
    st.sampled_from(list(FLAGS)),
    st.sampled_from([GET, [(b":status", b"200")], []]),
    st.lists(st.tuples(NAMES, VALUES), max_size=3),
)
def test_the_librarys_rules_hold(
    part: Part, first: list[tuple[bytes, bytes]], more: list[tuple[bytes, bytes]]
) -> None:
    """What h2 refuses is refused; what is refused beyond that is a pseudo-header without a value."""
    fields = [*first, *more]
    trailer, response = FLAGS[part]
    flags = HeaderValidationFlags(
        is_client=False, is_trailer=trailer, is_response_header=response, is_push_promise=False
    )
    refused = _refused(lambda: list(validate_headers(fields, flags)))
    ours = _refused(lambda: check(fields, part))
    empty = any(name.startswith(b":") and not value for name, value in fields)
    assert ours >= refused
    assert ours == refused or empty


def _refused(judge: object) -> bool:
    assert callable(judge)
    try:
        judge()
    except (ProtocolError, IndexError):  # h2 looks at the first character of a name that has none
        return True
    return False


def test_what_goes_out_is_held_to_the_same_rules() -> None:
    """A handler's mistake, a header cut in two by a line break for example, never leaves."""
    client, _ = pair()
    with pytest.raises(LocalProtocolError, match="illegal value of header b'warning'"):
        client.put_headers(1, [*REQUEST, ("warning", "a\r\nset-cookie: b")], end=True)
    assert client.data_to_send() == b""


def sizes(requests: Iterable[list[tuple[str, str]]]) -> list[int]:
    """Bytes of each of some requests on one connection; the server has understood them."""
    client, server = pair()
    found = []
    for number, request in enumerate(requests):
        client.put_headers(2 * number + 1, request, end=True)
        data = client.data_to_send()
        events, error = server.receive(data, 0)
        assert error is None
        (received,) = (event for event in events if isinstance(event, RequestReceived))
        assert [(name.decode(), value.decode()) for name, value in received.headers] == request
        found.append(len(data))
    return found


def test_what_stays_the_same_is_sent_once() -> None:
    """The second time it is a byte a header; paths and secrets are not remembered by either side."""
    again, secret, path = ("user-agent", "u" * 100), ("authorization", "s" * 100), "/" + "p" * 100
    plain = sizes([[*REQUEST, again]] * 2)
    assert plain[0] - plain[1] > 100
    kept = sizes([[*REQUEST, secret]] * 2)
    assert kept[0] - kept[1] < 10
    ways = sizes([[(n, path if n == ":path" else v) for n, v in REQUEST]] * 2)
    assert ways[0] - ways[1] < 10


def test_nothing_is_huffman_coded() -> None:
    """Values stand on the wire as they are: either side has less to do."""
    client, _ = pair()
    client.put_headers(1, [*REQUEST, ("x-plain", "as it is")], end=True)
    assert b"as it is" in client.data_to_send()
    fields = outbound([("cookie", "a"), ("x", "a")], Part.TRAILERS)
    assert [field.indexable for field in fields] == [False, True]


@pytest.mark.parametrize(
    ("name", "value", "remembered"),
    [
        ("x-usual", "u", True),
        ("x-usual", "u" * SHORT, True),
        ("x-usual", "u" * (SHORT + 1), False),
        ("authorization", "a secret", False),
    ],
)
def test_what_is_remembered(name: str, value: str, remembered: bool) -> None:
    """What is good, short and no secret is looked at once; what is not good, each time."""
    first, second = (outbound([(name, value)], Part.TRAILERS)[0] for _ in range(2))
    assert first == second and (first is second) == remembered
    for _ in range(2):
        with pytest.raises(ProtocolError):
            outbound([(name, value), ("x-wrong", " ")], Part.TRAILERS)


def test_open_streams_are_counted() -> None:
    """Up to the limit, also when streams end in the same read in which others are opened."""
    client, server = pair()
    limit = client.remote_settings.max_concurrent_streams
    for number in range(limit):
        client.put_headers(2 * number + 1, REQUEST, end=False)
    assert client.open_outbound_streams == limit
    for number in range(limit):
        client.reset_stream(2 * number + 1)
    for number in range(limit, 2 * limit):
        client.put_headers(2 * number + 1, REQUEST, end=False)
    _, error = server.receive(client.data_to_send(), 0)
    assert error is None and server.open_inbound_streams == limit
    with pytest.raises(LocalProtocolError, match="Max outbound streams"):
        client.put_headers(4 * limit + 1, REQUEST, end=False)


def test_what_is_forgotten_is_not_counted() -> None:
    """A stream that is over leaves at once; one that is not stays."""
    client, server = pair()
    client.put_headers(1, REQUEST, end=True)
    client.put_headers(3, REQUEST, end=True)
    server.receive(client.data_to_send(), 0)
    server.put_headers(1, [(":status", "200")], end=True)
    server.forget(1)
    server.forget(3)
    server.forget(5)
    assert [*server.streams] == [3]
