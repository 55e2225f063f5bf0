"""Durations as options of ctl."""

from __future__ import annotations

import click

from trio_argoagent.runtime.options.kinds import parse_duration


def seconds(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """An option's callback: the duration in seconds.

    Raises:
        click.BadParameter: it is none, or too long.
    """
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc), context, parameter) from exc
