"""What toxics do to bytes, without any."""

from __future__ import annotations

import math
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.testing.processes.toxics import Toxic, join


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 50), st.integers(0, 1000))
def test_pieces_are_the_whole(data: bytes, piece: int, seed: int) -> None:
    """Whatever the size of the pieces: nothing is lost, doubled or empty."""
    toxic, chance, got = Toxic(piece=piece), Random(seed), b""
    while len(got) < len(data):
        size = toxic.size(len(data) - len(got), chance)
        assert 1 <= size <= len(data) - len(got)
        assert not piece or size <= 2 * piece
        got += data[len(got) : len(got) + size]
    assert got == data


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 1000))
def test_a_corrupt_piece_differs_in_one_bit(data: bytes, seed: int) -> None:
    """Exactly one bit, and the length stays."""
    spoilt = Toxic(flips=1.0).spoil(data, Random(seed))
    assert len(spoilt) == len(data)
    assert sum((a ^ b).bit_count() for a, b in zip(data, spoilt, strict=True)) == 1


def test_a_healthy_wire_does_nothing() -> None:
    """Bytes stay together, at once, as they are."""
    toxic, chance = Toxic(), Random(1)
    assert toxic.size(5000, chance) == 5000
    assert toxic.delay(chance) == toxic.pause(5000) == 0.0
    assert toxic.spoil(b"data", chance) == b"data"
    assert not toxic.mutes(True)
    assert not toxic.mutes(False)


def test_a_share_of_the_pieces_is_corrupt() -> None:
    """About as many as was asked for."""
    chance, toxic = Random(1), Toxic(flips=0.1)
    spoilt = sum(toxic.spoil(b"12345678", chance) != b"12345678" for _ in range(2000))
    assert 150 < spoilt < 250


def test_latency_varies_about_its_mean() -> None:
    """From half to one and a half of it."""
    chance, toxic = Random(1), Toxic(latency=2.0)
    drawn = [toxic.delay(chance) for _ in range(1000)]
    assert 1.0 <= min(drawn) < 1.1
    assert 2.9 < max(drawn) <= 3.0


def test_a_slow_wire_takes_its_time() -> None:
    """A tick's bytes at once at most, and the time that they take."""
    toxic = Toxic(rate=1000.0)
    assert toxic.size(5000, Random(1)) == 100
    assert toxic.pause(100) == 0.1
    assert Toxic(rate=1.0).size(5000, Random(1)) == 1


def test_together_they_are_the_worst_of_each() -> None:
    """Latencies add up, the slowest rate and the smallest piece count, and silence is silence."""
    toxics = [Toxic(latency=1.0, rate=100.0, piece=5), Toxic(latency=0.5, rate=50.0, mute_up=True)]
    joined = join([*toxics, Toxic(piece=9)])
    assert joined == Toxic(latency=1.5, rate=50.0, piece=5, mute_up=True)
    assert join([]) == Toxic()
    assert join([]).rate == math.inf
