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
