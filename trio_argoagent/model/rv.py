"""The one place that orders resourceVersions.

Kubernetes promises an order within one resource only since 1.35 (KEP-5504), and only for decimal ones.
What is not decimal has no order here: callers then fall back to equality.
"""

from __future__ import annotations


def parse(version: str) -> int | None:
    """The version as a number, or None if this server's versions have no order."""
    return int(version) if version.isascii() and version.isdigit() else None


def is_newer(version: str, than: str) -> bool:
    """Is ``version`` known to be later than ``than``? False where either has no order."""
    a, b = parse(version), parse(than)
    return a is not None and b is not None and a > b


def at_least(version: str, floor: str) -> bool:
    """Is ``version`` known to be ``floor`` or later? False where either has no order."""
    a, b = parse(version), parse(floor)
    return a is not None and b is not None and a >= b


def latest(a: str, b: str) -> str:
    """The later of the two; ``b`` where there is no order, or where it is not older."""
    return a if is_newer(a, b) else b
