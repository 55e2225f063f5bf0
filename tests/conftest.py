"""Properties draw the same examples on every run: a red run is a change's doing, never the draw's.

To look for more, draw freely: ``pytest --hypothesis-profile=default``.

Tests of real processes come first: they are the longest, and a worker of pytest-xdist that had them last
would work on alone. ``make test`` splits with ``--dist worksteal``: whoever has nothing left steals from the
end of the longest queue, so that what is short fills up the time beside the long ones. The default, ``load``,
hands the first tests to one worker and never takes any back.
"""

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The marker alone decides, and what it does not tell apart keeps its order: workers must agree."""
    items.sort(key=lambda item: item.get_closest_marker("processes") is None)
