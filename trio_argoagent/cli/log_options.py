"""The options that say what is logged, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trio_argoagent.errors import UserError
from trio_argoagent.runtime.loglevels import Levels, parse

F = TypeVar("F", bound=Callable[..., Any])


def _levels(context: click.Context, parameter: click.Parameter, text: str) -> Levels:
    try:
        return parse(text)
    except UserError as exc:
        raise click.BadParameter(str(exc), context, parameter)


def log_options(prefix: str) -> Callable[[F], F]:
    """``--log-level`` and ``--log-format``."""

    def decorate(command: F) -> F:
        options = (
            click.option(
                "--log-level",
                envvar=f"{prefix}_LOG_LEVEL",
                default="info",
                show_default=True,
                callback=_levels,
                metavar="LEVEL[,PART=LEVEL]...",
                help="The least that is logged, of all and of parts, as info,redis-proxy=debug.",
            ),
            click.option(
                "--log-format",
                envvar=f"{prefix}_LOG_FORMAT",
                default="text",
                show_default=True,
                type=click.Choice(("text", "json")),
                help="One line per event, for people or for programs.",
            ),
        )
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
