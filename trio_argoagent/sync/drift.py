"""Where a copy differs from what it should hold: the paths of its fields, never what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

MAX_PATHS: Final = 5
"""Paths that are named; of more of them only the number is told."""
MAX_PATH: Final = 120
"""Characters of a path; a longer one is cut in its middle: both of its ends say what it is."""
MAX_FOUND: Final = 1000
"""Paths that are looked for."""
WHOLE: Final = ("the whole object",)
"""What differs where there is no copy at all."""
_ABSENT: Final = object()
_METADATA: Final = frozenset(("annotations", "finalizers", "labels"))


def differing(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths at which two projections of one object differ, in order, at most ``MAX_FOUND``.

    A list is one field: who has changed which of its items cannot be told.
    """
    return tuple(islice(_differing(wanted, found, ()), MAX_FOUND))


def _differing(wanted: Any, found: Any, path: tuple[str, ...]) -> Iterator[str]:
    if wanted == found:
        return
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in sorted({*wanted, *found}):
            yield from _differing(wanted.get(name, _ABSENT), found.get(name, _ABSENT), (*path, name))
    else:
        yield ".".join(("metadata", *path) if path[:1] and path[0] in _METADATA else path)


def told(paths: Sequence[str]) -> str:
    """The paths for people, in a few words; empty where there are none."""
    shown = ", ".join(map(_short, paths[:MAX_PATHS]))
    more = len(paths) - MAX_PATHS
    return f"{shown} and {more} more" if more > 0 else shown


def _short(path: str) -> str:
    if len(path) <= MAX_PATH:
        return path
    half = (MAX_PATH - 3) // 2
    return f"{path[:half]}...{path[-half:]}"
