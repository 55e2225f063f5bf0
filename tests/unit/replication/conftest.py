"""Two ends of a link, for the tests of sessions."""

from __future__ import annotations

import pytest
import trio

from .links import End


@pytest.fixture
def agent(nursery: trio.Nursery) -> End:
    """The agent's end, working."""
    end = End()
    nursery.start_soon(end.workers.run)
    return end


@pytest.fixture
def principal(nursery: trio.Nursery) -> End:
    """The principal's end, working."""
    end = End()
    nursery.start_soon(end.workers.run)
    return end
