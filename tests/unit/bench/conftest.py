"""What tests of answers share: questions that nobody asks."""

from __future__ import annotations

from trio_argoagent.bench.figures import Found
from trio_argoagent.bench.questions import Asked


async def unasked(asked: Asked) -> Found:
    """For a question whose answer is written down."""
    raise AssertionError(f"nobody asks {asked}")
