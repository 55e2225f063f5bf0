"""What a run says of these tests where there are no real clusters."""

import pytest

from .conftest import VARIABLE, is_given


@pytest.mark.skipif(is_given(), reason="there are real clusters")
def test_real_clusters_are_missing() -> None:
    """One line for all of them, instead of a hundred."""
    pytest.skip(f"no real clusters: `make interop` builds and starts some, or set {VARIABLE}")
