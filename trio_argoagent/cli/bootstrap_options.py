"""How an agent comes by its certificate, and whether it renews it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import click

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class Bootstrap:
    """What the options say.

    Attributes:
        token: a one-time token; empty: none was given.
        token_file: where one is; empty: nowhere.
        renews: is the certificate renewed?
    """

    token: str = attrs.field(default="", repr=False)
    token_file: str = ""
    renews: bool = True


def bootstrap_options(command: F) -> F:
    """All of them; the command gets them as one argument, ``bootstrap``."""

    @functools.wraps(command)
    def packed(*, bootstrap_token: str, bootstrap_token_file: str, renew: bool, **given: Any) -> Any:
        return command(bootstrap=Bootstrap(bootstrap_token, bootstrap_token_file, renew), **given)

    options = (
        click.option(
            "--bootstrap-token",
            envvar="ARGOCD_AGENT_BOOTSTRAP_TOKEN",
            default="",
            metavar="TOKEN",
            help="One-time token of ctl agent token, while there is no certificate. Others can see command"
            " lines: use the variable.",
        ),
        click.option(
            "--bootstrap-token-file",
            envvar="ARGOCD_AGENT_BOOTSTRAP_TOKEN_FILE",
            default="",
            metavar="FILE",
            help="File with that token.",
        ),
        click.option(
            "--renew/--no-renew",
            "renew",
            envvar="ARGOCD_AGENT_RENEW",
            default=True,
            show_default=True,
            help="Have the certificate renewed by the principal, at two thirds of its life.",
        ),
    )
    result: Any = packed
    for option in reversed(options):
        result = option(result)
    return result  # type: ignore[no-any-return]
