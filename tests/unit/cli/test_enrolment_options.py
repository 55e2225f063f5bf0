"""The principal's options for certificates that it issues."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from trio_argoagent.cli.enrolment_options import enrolment_options
from trio_argoagent.runtime.enrolment import DAY, Rules

SAID: list[Rules] = []


@click.command()
@enrolment_options
def command(enrolment: Rules, **_: Any) -> None:
    """What a principal would be given."""
    SAID.append(enrolment)


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        ((), Rules(7 * DAY, 30 * DAY)),
        (("--no-enroll",), Rules(issues=False)),
        (("--certificate-lifetime", "1h", "--rejoin-window", "0"), Rules(3600.0, 0.0)),
        (("--certificate-lifetime", "2160h"), Rules(90 * DAY)),
    ],
)
def test_what_they_mean(arguments: tuple[str, ...], rules: Rules) -> None:
    """Each is one value of the rules."""
    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert SAID[-1] == rules


@pytest.mark.parametrize("text", ["59m", "2161h", "soon"])
def test_lifetimes_that_there_are_none_of(text: str) -> None:
    """The line names the option, and what it may be."""
    said = CliRunner().invoke(command, ["--certificate-lifetime", text])
    assert said.exit_code == 2 and "--certificate-lifetime" in said.output
