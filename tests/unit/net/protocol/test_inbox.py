"""What has arrived and waits."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.net.protocol.inbox import JOINED, Inbox

PIECES = st.lists(st.integers(1, 2 * JOINED).map(lambda size: bytes([size % 256]) * size), max_size=8)


@given(st.lists(PIECES, max_size=4))
def test_all_of_it_in_order(turns: list[list[bytes]]) -> None:
    """Whatever the pieces; and what was taken does not come again."""
    inbox = Inbox()
    for pieces in turns:
        for piece in pieces:
            inbox.add(piece)
        assert bool(inbox) == bool(pieces)
        assert inbox.take() == b"".join(pieces)
        assert not inbox


def test_what_nobody_takes() -> None:
    """It is gone when it is cleared."""
    inbox = Inbox()
    inbox.add(b"x")
    inbox.clear()
    assert not inbox and inbox.take() == b""


def test_small_pieces_cost_their_size() -> None:
    """And not the fifty bytes that each would cost by itself."""
    inbox, size = Inbox(), 50_000
    tracemalloc.start()
    for n in range(size):
        inbox.add(n.to_bytes(2))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2 * 2 * size
    assert len(inbox.take()) == 2 * size
