"""Durations on the command line, written as Go programs do: ``90s``, ``10m``, ``1h30m``; ``0``: none."""

from __future__ import annotations

import re
from typing import Final

import click

_UNITS: Final = (3600.0, 60.0, 1.0)
_DURATION: Final = re.compile(r"(?=.)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
LONGEST: Final = 366 * 86_400.0
"""Seconds: nobody means more than a year."""


def seconds(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """An option's callback: the duration in seconds.

    Raises:
        click.BadParameter: it is none, or too long.
    """
    if text == "0":
        return 0.0
    found = _DURATION.fullmatch(text)
    if found is None:
        wrong = f"{text!r} is no duration; write, for example, 90s, 10m or 1h30m"
        raise click.BadParameter(wrong, context, parameter)
    parts = zip(found.groups(), _UNITS, strict=True)
    total = sum(float(part) * unit for part, unit in parts if part)
    if total > LONGEST:
        raise click.BadParameter(f"{text!r} is more than a year", context, parameter)
    return total
