"""The real clock and randomness, and what follows from a seed."""

from __future__ import annotations

import pytest

from trio_argoagent.runtime.events import Event, ignore
from trio_argoagent.runtime.world import real_env, seeded_env


def test_the_real_world() -> None:
    """The clock goes forward, ids differ, entropy is as long as asked for."""
    env = real_env()
    assert 1.7e9 < env.now() <= env.now()
    assert len({env.new_id() for _ in range(100)}) == 100
    assert [len(env.entropy(size)) for size in (1, 20)] == [1, 20]


def test_jitter_is_not_shared() -> None:
    """Two real worlds do not draw in step."""
    assert [real_env().random.random() for _ in range(4)] != [real_env().random.random() for _ in range(4)]


def test_a_seed_replays() -> None:
    """The same seed draws the same jitter and ids; another seed others. The clock is the real one."""

    def drawn(seed: str) -> tuple[float, bytes, str]:
        env = seeded_env(seed)
        return env.random.uniform(0, 1), env.entropy(16), env.new_id()

    assert drawn("demo 1") == drawn("demo 1") != drawn("demo 2")
    assert seeded_env("x").now() > 1.7e9


def test_events_are_values() -> None:
    """Nobody changes one that has been told; looking away does nothing."""
    event = Event("link-up", "east", "connected")
    assert event == Event("link-up", "east", "connected", "info")
    with pytest.raises(AttributeError):
        event.level = "error"  # type: ignore[misc]
    ignore(event)
