"""What a stream still has to send."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.net.protocol.outbox import Outbox
from trio_argoagent.net.protocol.turns import Lane


@settings(deadline=None, max_examples=300)
@given(st.lists(st.binary(max_size=40), max_size=20), st.lists(st.integers(1, 50), min_size=1))
def test_bytes_come_out_as_they_went_in(messages: list[bytes], sizes: list[int]) -> None:
    """However messages are joined and cut, order and bytes stay, and no piece is too large."""
    outbox = Outbox(Lane())
    taken: list[bytes] = []
    for number, message in enumerate(messages):
        outbox.put(message)
        if number % 3 == 2 and outbox.size:
            taken.append(bytes(outbox.take(sizes[0])))
    turn = 0
    while outbox.size:
        most = sizes[turn % len(sizes)]
        before = outbox.size
        piece = bytes(outbox.take(most))
        assert len(piece) == min(most, before) == before - outbox.size
        taken.append(piece)
        turn += 1
    assert b"".join(taken) == b"".join(messages)


def test_single_message_is_not_copied() -> None:
    """A message that fits as a whole leaves as the object that was put."""
    outbox = Outbox(Lane())
    message = bytes(1000)
    outbox.put(message)
    assert outbox.take(1000) is message


def test_clear() -> None:
    """Nothing is left after a reset."""
    outbox = Outbox(Lane())
    outbox.put(b"abc")
    outbox.clear()
    assert outbox.size == 0
