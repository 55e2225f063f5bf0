"""Durations on the command line."""

from __future__ import annotations

import click
import pytest

from trio_argoagent.cli import duration
from trio_argoagent.runtime.options.kinds import LONGEST


def convert(text: str) -> float:
    """As an option would."""
    option = click.Option(["--expiry"], callback=duration.seconds)
    return duration.seconds(click.Context(click.Command("any")), option, text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("90s", 90.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("2h0m5s", 7205.0),
        ("8784h", LONGEST),
        ("1.5h", 5400.0),
        ("5m1h", 3900.0),
        ("250ms", 0.25),
        (".5s", 0.5),
        ("5.s", 5.0),
        ("1m0.5s", 60.5),
        ("3µs", 3e-6),
    ],
)
def test_what_a_duration_is(text: str, seconds: float) -> None:
    """Hours, minutes and seconds, in that order."""
    assert convert(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "1d", "-5s", "9000h", "٣s", "5 m", ".s", "1.2.3s", "1h5", "m"])
def test_what_is_none(text: str) -> None:
    """The message says how to write one."""
    with pytest.raises(click.BadParameter, match=r"duration|more than a year"):
        convert(text)
