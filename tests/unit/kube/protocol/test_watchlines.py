"""The events of a watch, wherever its bytes are cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import ApiError, Expired, RemoteProtocolError, Throttled
from trio_argoagent.kube.protocol.watchlines import LineSplitter, parse_event
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import EventType


def line(kind: str, **meta: object) -> bytes:
    """One event about a ConfigMap."""
    found = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": meta, "data": {"text": "Grüße"}}
    return json.dumps({"type": kind, "object": found}, ensure_ascii=False).encode()


@settings(deadline=None, max_examples=80)
@given(st.lists(st.text(max_size=20), max_size=8), st.data())
def test_any_split_gives_the_same_lines(texts: list[str], data: st.DataObject) -> None:
    """Pieces of any length, also within a character: the lines are those that were sent."""
    lines = [json.dumps({"t": text}, ensure_ascii=False).encode() for text in texts]
    rest = b"".join(one + b"\n" for one in lines)
    splitter, found = LineSplitter(), []
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += splitter.feed(rest[:size])
        rest = rest[size:]
    assert found == lines
    assert splitter.pending == 0


def test_blank_lines_are_left_out() -> None:
    """Some proxies send them to keep the connection busy."""
    assert LineSplitter().feed(b"\n\r\n  \n{}\n\n") == [b"{}"]


def test_a_line_that_has_not_ended_is_pending() -> None:
    """It is neither given out nor lost."""
    splitter = LineSplitter()
    assert splitter.feed(b"abc") == []
    assert splitter.pending == 3
    assert splitter.feed(b"d\n") == [b"abcd"]


@pytest.mark.parametrize("pieces", [[b"12345"], [b"123", b"45"], [b"1\n2345678", b"9"], [b"12345\n"]])
def test_a_line_is_bounded(pieces: list[bytes]) -> None:
    """However it arrives, no more than the limit is kept of one event."""
    splitter = LineSplitter(limit=4)
    with pytest.raises(RemoteProtocolError, match="4 bytes"):
        for piece in pieces:
            splitter.feed(piece)


def test_the_limit_is_for_one_line() -> None:
    """Many lines that together are longer are fine."""
    assert len(LineSplitter(limit=4).feed(b"1234\n" * 100)) == 100


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
def test_an_event(kind: str) -> None:
    """Its type and its object."""
    event = parse_event(line(kind, name="a", namespace="n", uid="u", resourceVersion="7"), CONFIG_MAPS)
    assert event is not None
    assert event.type is EventType(kind)
    assert event.object.meta.resource_version == "7"
    assert event.object.get("data") == {"text": "Grüße"}


def test_a_bookmark() -> None:
    """It has a version and hardly anything else."""
    event = parse_event(line("BOOKMARK", resourceVersion="9"), CONFIG_MAPS)
    assert event is not None
    assert (event.type, event.object.meta.resource_version) == (EventType.BOOKMARK, "9")


def test_unknown_types_are_ignored() -> None:
    """A later API may have more."""
    assert parse_event(line("PONDERED", name="a"), CONFIG_MAPS) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"code": 410, "reason": "Expired", "message": "too old"}, Expired),
        ({"code": 410, "reason": "Gone"}, Expired),
        ({"code": 429, "details": {"retryAfterSeconds": 4}}, Throttled),
        ({"message": "what?"}, ApiError),
    ],
)
def test_an_error_event_is_raised(status: dict[str, object], kind: type[ApiError]) -> None:
    """As the exception that its Status is."""
    with pytest.raises(kind):
        parse_event(json.dumps({"type": "ERROR", "object": status}).encode(), CONFIG_MAPS)


@pytest.mark.parametrize(
    "text",
    [
        b"not JSON",
        b'{"type":"ADDED"}',
        b'{"type":7,"object":{}}',
        b'{"type":"ADDED","object":[]}',
        b'{"type":"ERROR","object":"no"}',
        b'{"type":"ADDED","object":{"kind":"Secret","metadata":{"name":"a"}}}',
        line("ADDED", name="a", uid="u"),
        line("ADDED", uid="u", resourceVersion="7"),
        line("ADDED", name="a", resourceVersion="7"),
    ],
)
def test_nonsense_is_the_servers_fault(text: bytes) -> None:
    """What cannot be an event of this watch is refused, not guessed at."""
    with pytest.raises(RemoteProtocolError):
        parse_event(text, CONFIG_MAPS)
