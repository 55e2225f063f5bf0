"""What a WebSocket's peer may make us do for nothing, frame by frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.net.protocol.budgets import Budget, Rate
from trio_argoagent.stream.protocol.heads import PIECES, Heads
from trio_argoagent.stream.protocol.messaging import MESSAGE

BUDGET = Budget(glitches=Rate(5, 1), pings=Rate(3, 1))
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(kind: int, size: int = 0, *, final: bool = True, masked: bool = True) -> bytes:
    """One frame, whose payload looks like frames."""
    length = bytes([min(size, 125)])
    if size > 125:
        length = b"\x7e" + size.to_bytes(2) if size < 1 << 16 else b"\x7f" + size.to_bytes(8)
    head = bytes([kind | (0x80 if final else 0)]) + bytes([length[0] | (0x80 if masked else 0)]) + length[1:]
    return head + (b"mask" if masked else b"") + b"\x89\x80" * (size // 2) + b"\x89" * (size % 2)


def fed(data: bytes, heads: Heads | None = None, now: float = 0.0) -> str:
    """What a peer that sends this is told; empty: nothing is wrong."""
    try:
        (heads or Heads(BUDGET)).feed(data, now)
    except RemoteProtocolError as exc:
        return str(exc)
    return ""


PINGS = "WebSocket: too many PING frames: more than 3 at once and 1 a second"
NOTHINGS = "WebSocket: too many frames that do nothing: more than 5 at once and 1 a second"
TABLE: dict[str, tuple[bytes, str]] = {
    "as many pings as are allowed": (frame(PING) * 3, ""),
    "one more": (frame(PING) * 4, PINGS),
    "with payload": (frame(PING, 125) * 4, PINGS),
    "answers that nobody asked for": (frame(PONG, 3) * 6, NOTHINGS),
    "empty fragments": (frame(BINARY, final=False) + frame(CONTINUATION, final=False) * 5, NOTHINGS),
    "an empty last fragment": ((frame(BINARY, 1, final=False) + frame(CONTINUATION)) * 20, ""),
    "whole messages": (frame(BINARY, MESSAGE) * 20, ""),
    "the end of a stream, and a grant": (frame(TEXT, 6) + frame(BINARY), ""),
    "a message in pieces": (
        frame(BINARY, MESSAGE - PIECES + 1, final=False)
        + frame(CONTINUATION, 1, final=False) * (PIECES - 2)
        + frame(CONTINUATION, 1),
        "",
    ),
    "in crumbs": (
        frame(TEXT, 1, final=False) + frame(CONTINUATION, 1, final=False) * PIECES,
        f"a WebSocket message in more than {PIECES} pieces",
    ),
    "too long": (frame(BINARY, MESSAGE + 1), f"a WebSocket message of more than {MESSAGE} bytes"),
    "too long with the next piece": (
        frame(BINARY, MESSAGE, final=False) + frame(CONTINUATION, 1),
        f"a WebSocket message of more than {MESSAGE} bytes",
    ),
    "without a mask": (frame(PING, 5, masked=False) * 4, PINGS),
    "a close": (frame(CLOSE, 2) * 9, ""),
    "of no known kind": (frame(5, 200) * 9, ""),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_frames_cost(name: str) -> None:
    """Frames that bring something cost nothing, however many; what is in them is never taken for one."""
    data, text = TABLE[name]
    assert fed(data) == text


def test_time_gives_back() -> None:
    """A ping now and then is honest."""
    heads = Heads(BUDGET)
    assert not any(fed(frame(PING), heads, float(second)) for second in range(100))
    assert fed(frame(PING) * 4, heads, 100.0) == PINGS


@given(st.sampled_from(sorted(TABLE)), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_however_the_bytes_are_split(name: str, sizes: list[int]) -> None:
    """The answer is the same; a message that is split may be told of earlier."""
    data = TABLE[name][0][:3000]
    whole, heads, at, said = fed(data), Heads(BUDGET), 0, ""
    while at < len(data) and not said:
        for size in sizes:
            said = said or fed(data[at : at + size], heads)
            at += size
    assert said == whole


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    """There is one way to be wrong."""
    fed(data)
