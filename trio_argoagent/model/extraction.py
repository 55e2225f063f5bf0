"""A regular expression that finds a name in what somebody has proven, safe to try on what a stranger sends.

Administrators bring expressions that were written for Go (RE2), and Python's engine goes back and tries again
where RE2 does not. So only what both read alike is taken, nothing whose cost can grow exponentially, and only
short texts are searched. What is left can cost a power of the text's length, for an expression that repeats
several times over the same characters (``.*a.*a.*``); that is the administrator's own.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from typing import Final

import attrs

EXPRESSION: Final = 1024
"""Characters of an expression."""
TEXT: Final = 4096
"""Characters of a text that is searched; no name is found in a longer one. A SPIFFE ID has 2048 at most."""
REPEATS: Final = 16
"""Repetitions of an expression, ``?`` included: as many may be tried in every combination."""
_QUANTIFIER: Final = re.compile(r"[*+?]|\{\d*,?\d*\}")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP: Final = re.compile(r"\((?:\?:|\?P<\w+>|(?!\?))")
_LIKE_GO: Final = "and this is not among what Go (RE2) and Python read alike"


@attrs.frozen
class Extraction:
    """An expression whose first group is the name."""

    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, expression: str) -> Extraction:
        """Check it.

        Raises:
            ValueError: it is none, or could take too long; the text says why.
        """
        if len(expression) > EXPRESSION:
            raise ValueError(f"it is longer than {EXPRESSION} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # For instance of [[:alpha:]], which Python reads otherwise.
                pattern = re.compile(expression, re.ASCII)
        except (re.error, OverflowError, RecursionError, Warning) as exc:
            raise ValueError(f"{exc}") from exc
        if objection := _objection(expression):
            raise ValueError(objection)
        if not pattern.groups:
            raise ValueError("it has no group: put parentheses around the agent's name, as in CN=([^,]+)")
        return cls(pattern)

    def name(self, texts: Iterable[str]) -> str:
        """The one name that these texts say.

        Raises:
            ValueError: none, or more than one; the text says which.
        """
        found = [names for text in texts if (names := self._names(text))]
        if not found:
            raise ValueError("does not match")
        if len(found) > 1 or len(found[0]) > 1:
            raise ValueError("matches more than once")
        return found[0][0]

    def _names(self, text: str) -> list[str]:
        """What is found in one text, each once. Go's ``$`` sees no line ends: who has some says nothing."""
        if len(text) > TEXT or not text.isprintable():
            return []
        return list(dict.fromkeys(match[1] for match in self.pattern.finditer(text) if match[1]))


def _objection(expression: str) -> str:
    """Why an expression that Python reads is not taken; empty: it is."""
    place = 4 if expression.startswith("(?i)") else 0
    heavy, repeats = [False], 0  # Of each open group: does something in it repeat, or has it alternatives?
    while place < len(expression):
        closes = False
        match expression[place]:
            case "\\":
                if expression[place + 1] in "123456789Z":
                    return f"\\{expression[place + 1]}: {_LIKE_GO}"
                place += 2
            case "[":
                found = _CLASS.match(expression, place)
                assert found is not None  # Python has read it
                place = found.end()
            case "(":
                found = _GROUP.match(expression, place)
                if found is None:
                    return f"{expression[place : place + 3]}: {_LIKE_GO}"
                heavy.append(False)
                place = found.end()
            case ")":
                closes = heavy.pop()
                heavy[-1] = heavy[-1] or closes
                place += 1
            case other:
                heavy[-1] = heavy[-1] or other == "|"
                place += 1
        if found := _QUANTIFIER.match(expression, place):
            if found[0].startswith("{,"):
                return f"{found[0]}: {_LIKE_GO}"
            if closes and found[0] != "?":
                return "it repeats a group in which something repeats, or which has alternatives"
            place = found.end()
            if expression[place : place + 1] == "+":
                return f"{found[0]}+: {_LIKE_GO}"
            place += expression[place : place + 1] == "?"
            heavy[-1], repeats = True, repeats + 1
    return f"it has more than {REPEATS} repetitions" if repeats > REPEATS else ""
