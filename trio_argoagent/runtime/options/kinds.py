"""What the values of options are: each kind reads a text, and says what is wrong with it."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Any, Final

import attrs

_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART: Final = r"(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})(h|ms|m|s|us|µs|ns)"
_DURATION: Final = re.compile(rf"(?:{_PART})+", re.ASCII)
LONGEST: Final = 366 * 86_400.0
"""Seconds: nobody means more than a year."""
_TRUE: Final = ("true", "t", "1", "yes", "y", "on")
_FALSE: Final = ("false", "f", "0", "no", "n", "off")
MAX_PORT: Final = 65_535


@attrs.frozen
class Kind:
    """One kind of value.

    Attributes:
        parse: the value of a text; raises ValueError or UserError with what is wrong, and what to do.
        metavar: what stands for a value in the help.
        is_switch: is the option alone as good as ``true``?
        is_list: are there commas between several, and may the option be given several times?
        words: all that a value may be; empty: it may be anything else.
        listed: what the value ``list`` prints instead of a start; empty: it is no such value.
    """

    parse: Callable[[str], Any]
    metavar: str
    is_switch: bool = False
    is_list: bool = False
    words: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()


def parse_switch(text: str) -> bool:
    """True or false, in the words of Go's strconv.ParseBool and of YAML.

    Raises:
        ValueError: it is neither.
    """
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def parse_duration(text: str) -> float:
    """Seconds of a duration as Go's time.ParseDuration reads it: ``90s``, ``1h30m``, ``1.5h``; ``0``: none.

    Raises:
        ValueError: it is none, or longer than a year.
    """
    if text == "0":
        return 0.0
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration; write, for example, 90s, 10m or 1h30m")
    total = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text, re.ASCII))
    if total > LONGEST:
        raise ValueError(f"{text!r} is more than a year")
    return total


def duration(least: float = 0.0, most: float = LONGEST, *, or_none: bool = False, advice: str = "") -> Kind:
    """Durations within bounds, in seconds.

    Args:
        least: that it may be.
        most: likewise.
        or_none: may it be 0 as well?
        advice: what is said of one that is out of bounds.
    """

    def parse(text: str) -> float:
        value = parse_duration(text)
        if not least <= value <= most and not (or_none and not value):
            raise ValueError(f"{text!r} {advice}")
        return value

    return Kind(parse, "DURATION")


def whole(least: int, most: int | None = None, metavar: str = "N") -> Kind:
    """Whole numbers within bounds."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a valid integer") from None
        _within(value, least, most)
        return value

    return Kind(parse, metavar)


def number(least: float, most: float, metavar: str) -> Kind:
    """Numbers within bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        _within(value, least, most)
        return value

    return Kind(parse, metavar)


def _within(value: float, least: float, most: float | None) -> None:
    if most is None and value < least:
        raise ValueError(f"{value} is too small: {least} is the least")
    if most is not None and not least <= value <= most:
        raise ValueError(f"{value} must be {least} to {most}")


def words(*known: str) -> Kind:
    """One of these words."""

    def parse(text: str) -> str:
        if text in known:
            return text
        raise ValueError(f"{text!r} is not one of {', '.join(map(repr, known))}")

    return Kind(parse, f"[{'|'.join(known)}]", words=known)


def one_of(members: type[enum.Enum]) -> Kind:
    """A member of an Enum, by its value."""
    by_word = words(*(each.value for each in members))
    return attrs.evolve(by_word, parse=lambda text: members(by_word.parse(text)))


def refused(why: str) -> Kind:
    """A switch that may only be off.

    Args:
        why: it may not be on, and what to do.
    """

    def parse(text: str) -> bool:
        if parse_switch(text):
            raise ValueError(why)
        return False

    return attrs.evolve(SWITCH, parse=parse)


def text(metavar: str) -> Kind:
    """Any text."""
    return Kind(str, metavar)


def file(metavar: str = "FILE") -> Kind:
    """A path; whether something is there is seen when it is read."""
    return Kind(str, metavar)


SWITCH: Final = Kind(parse_switch, "[true|false]", is_switch=True, words=("true", "false"))
NAME: Final = text("NAME")
FILE: Final = file()
DURATION: Final = duration()
PORT: Final = whole(0, MAX_PORT, "PORT")
"""To listen on; 0: a free one, or none."""
PORT_OF: Final = whole(1, MAX_PORT, "PORT")
"""Of somebody else."""
PORTS: Final = (PORT, PORT_OF)
