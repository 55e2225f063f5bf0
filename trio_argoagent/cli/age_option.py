"""How old a connection of an agent may become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from trio_argoagent.cli import duration

F = TypeVar("F", bound=Callable[..., Any])
YOUNGEST: Final = 3600.0
OLDEST: Final = 12 * 3600.0
"""Seconds: in less than an hour they cost more than they are worth, after half a day few are replaced."""


def _age(context: click.Context, parameter: click.Parameter, text: str) -> float:
    age = duration.seconds(context, parameter, text)
    if age and not YOUNGEST <= age <= OLDEST:
        raise click.BadParameter(f"{text!r} must be 1h to 12h, or 0 for any age", context, parameter)
    return age


def age_option(command: F) -> F:
    """After which time connections are replaced."""
    return click.option(
        "--max-link-age",
        envvar="ARGOCD_PRINCIPAL_MAX_LINK_AGE",
        default="12h",
        show_default=True,
        callback=_age,
        metavar="DURATION",
        help="An agent is asked for another connection by then, 1h to 12h; 0: never.",
    )(command)
