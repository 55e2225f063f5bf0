"""A stream of bytes in WebSocket messages: what either side may say, and what comes of it."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.stream.protocol.messaging import GRANT, MESSAGE, WINDOW, Messages


def drained(side: Messages) -> list[bytes | str]:
    """All it has to say now."""
    said = []
    while (message := side.next_message()) is not None:
        said.append(message)
    return said


def test_bytes_are_joined_and_cut() -> None:
    """Small pieces share a message, a large one is cut; where pieces ended is forgotten."""
    side = Messages()
    for piece in (b"a", b"b" * 10, bytes(MESSAGE)):
        side.put(piece)
    first, second = drained(side)
    assert (len(first), len(second)) == (MESSAGE, 11)
    assert side.queued == 0 and side.next_message() is None


def test_nothing_goes_beyond_the_window() -> None:
    """Without a grant exactly the window is sent; a grant lets exactly as much more pass."""
    side = Messages()
    side.put(bytes(2 * WINDOW))
    assert sum(map(len, drained(side))) == WINDOW
    assert side.receive(str(GRANT)) == b""
    assert sum(map(len, drained(side))) == GRANT
    assert side.queued == WINDOW - GRANT


def test_the_end_follows_the_last_byte() -> None:
    """Once, after everything queued, and also while the window is shut it waits for the bytes before it."""
    side = Messages()
    side.put(bytes(WINDOW + 1))
    side.end()
    assert b"" not in drained(side)
    side.receive(str(GRANT))
    assert drained(side) == [b"\0", b""]
    side.end()
    assert drained(side) == []
    with pytest.raises(LocalProtocolError):
        side.put(b"late")


def test_a_grant_is_said_when_half_a_window_was_taken() -> None:
    """Not for each byte, and before anything else; after the peer's end nobody needs it."""
    side = Messages()
    for _ in range(WINDOW // MESSAGE):
        side.receive(bytes(MESSAGE))
    side.put(b"x")
    side.taken(GRANT - 1)
    assert drained(side) == [b"x"]
    side.taken(1)
    side.put(b"y")
    assert drained(side) == [str(GRANT), b"y"]
    side.receive(b"")
    side.taken(WINDOW - GRANT)
    assert side.ended and drained(side) == []


@pytest.mark.parametrize(
    "messages",
    [
        [b"", b"x"],
        [b"", b""],
        [bytes(MESSAGE)] * (WINDOW // MESSAGE) + [b"x"],
        [str(GRANT)],
        ["0"],
        ["-1"],
        ["much"],
        ["\u0661\u0662"],
        ["9" * 30],
        [""],
    ],
    ids=[
        "after the end",
        "two ends",
        "beyond the window",
        "for nothing",
        "0",
        "-1",
        "much",
        "Arabic",
        "huge",
        "no",
    ],
)
def test_what_a_peer_may_not_say(messages: list[bytes | str]) -> None:
    """One line, and nothing of it counts."""
    side = Messages()
    with pytest.raises(RemoteProtocolError, match="WebSocket"):
        for message in messages:
            side.receive(message)


def test_a_small_grant_is_none() -> None:
    """A peer that grants what it owes in crumbs would keep us busy."""
    side = Messages()
    side.put(bytes(WINDOW))
    drained(side)
    with pytest.raises(RemoteProtocolError):
        side.receive(str(GRANT - 1))


@settings(deadline=None, max_examples=40)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(("put", "move", "take")), st.integers(1, 3 * MESSAGE)), max_size=60
    )
)
def test_all_that_is_put_arrives(steps: list[tuple[str, int]]) -> None:
    """In order, under any schedule of both sides, with never more than the window on its way."""
    sender, receiver = Messages(), Messages()
    wire: deque[bytes | str] = deque()
    back: deque[bytes | str] = deque()
    put, arrived, unread = 0, 0, 0

    def move() -> None:
        nonlocal arrived, unread
        while back:
            sender.receive(back.popleft())
        if (message := sender.next_message()) is not None:
            wire.append(message)
        if wire:
            size = len(receiver.receive(wire.popleft()))
            arrived, unread = arrived + size, unread + size
        assert unread + sum(map(len, wire)) <= WINDOW

    def take(size: int) -> None:
        nonlocal unread
        size = min(size, unread)
        receiver.taken(size)
        unread -= size
        while (grant := receiver.next_message()) is not None:
            back.append(grant)

    for what, size in steps:
        if what == "put":
            sender.put(bytes(size))
            put += size
        elif what == "move":
            move()
        else:
            take(size)
    sender.end()
    while not receiver.ended:
        move()
        take(WINDOW)
    assert arrived == put


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(st.binary(max_size=20), st.text(max_size=8), st.integers(0, 2 * WINDOW).map(str)),
        max_size=20,
    )
)
def test_nonsense_is_told_as_such(messages: list[bytes | str]) -> None:
    """Whatever a peer says: bytes, or the one typed error."""
    side = Messages()
    side.put(bytes(WINDOW))
    drained(side)
    try:
        for message in messages:
            side.receive(message)
    except RemoteProtocolError as exc:
        assert "\n" not in str(exc)
