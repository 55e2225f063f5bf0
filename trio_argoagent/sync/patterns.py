"""Names by pattern: globs, and regular expressions between slashes, as Argo CD reads them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from typing import Final

import attrs


def glob(pattern: str, text: str) -> bool:
    """Does the whole text match this glob?"""
    return fnmatch.fnmatchcase(text, pattern)


def glob_or_regex(pattern: str, text: str) -> bool:
    """Does the text match? ``/expression/`` need be found only somewhere in it."""
    expression = _expression(pattern)
    if expression is None:
        return glob(pattern, text)
    try:
        return re.search(expression, text) is not None
    except (re.error, OverflowError, RecursionError):
        return False  # Like Argo CD: a user's mistake in one project must not end the principal.


def _expression(pattern: str) -> str | None:
    is_one = len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/")
    return pattern[1:-1] if is_one else None


@attrs.frozen
class Patterns:
    """Names of which one pattern at least must match; no pattern: none does."""

    patterns: tuple[str, ...] = ()

    @classmethod
    def parse(cls, patterns: Iterable[str]) -> Patterns:
        """These patterns; white space around one, and empty ones, do not count.

        Raises:
            ValueError: an expression is none; the text names it.
        """
        found = tuple(filter(None, map(str.strip, patterns)))
        for pattern in found:
            expression = _expression(pattern)
            try:
                re.compile(expression or "")
            except (re.error, OverflowError, RecursionError) as exc:
                raise ValueError(f"{pattern} is no regular expression: {exc}") from exc
        return cls(found)

    def match(self, text: str) -> bool:
        """Does one of them match?"""
        return any(glob_or_regex(pattern, text) for pattern in self.patterns)

    def __str__(self) -> str:
        return ",".join(self.patterns)


ALL: Final = Patterns(("*",))
"""Every name."""
NONE: Final = Patterns()
