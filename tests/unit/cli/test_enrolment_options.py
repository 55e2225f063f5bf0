"""The principal's options for certificates that it issues."""

from __future__ import annotations

import pytest

from trio_argoagent.cli.principal_settings import enrolment_rules
from trio_argoagent.runtime.enrolment import DAY, Rules
from trio_argoagent.runtime.options.programs import PRINCIPAL

from .parsing import reading_of, values_of


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        ((), Rules(7 * DAY, 30 * DAY)),
        (("--no-enroll",), Rules(issues=False)),
        (("--enroll=false",), Rules(issues=False)),
        (("--certificate-lifetime", "1h", "--rejoin-window", "0"), Rules(3600.0, 0.0)),
        (("--certificate-lifetime", "2160h"), Rules(90 * DAY)),
        (("--enable-self-cluster-registration",), Rules(registers=True)),
    ],
)
def test_what_they_mean(arguments: tuple[str, ...], rules: Rules) -> None:
    """Each is one value of the rules."""
    assert enrolment_rules(values_of(PRINCIPAL, *arguments)) == rules


@pytest.mark.parametrize("text", ["59m", "2161h", "soon"])
def test_lifetimes_that_there_are_none_of(text: str) -> None:
    """The line names the option, and what it may be."""
    (mistake,) = reading_of(PRINCIPAL, "--certificate-lifetime", text).mistakes
    assert mistake.startswith(f"--certificate-lifetime: {text!r} ")
