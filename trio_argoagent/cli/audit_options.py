"""Where security decisions are written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def audit_option(prefix: str) -> Callable[[F], F]:
    """The file of the audit log.

    Args:
        prefix: of the environment variable.
    """
    return click.option(
        "--audit-log",
        envvar=f"{prefix}_AUDIT_LOG",
        default="",
        metavar="FILE",
        help="Append security decisions to it, as lines of JSON; without it they go to standard error.",
    )


def bans_option(command: F) -> F:
    """Whether misbehaviour leads to a ban. Not from the environment: it is for one run."""
    return click.option(
        "--bans/--no-bans",
        default=True,
        show_default=True,
        help="Keep out for a while who breaks the protocol again and again.",
    )(command)
