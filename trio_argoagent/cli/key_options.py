"""The options for keys and certificates that are made; argocd-agentctl's names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import attrs
import click

F = TypeVar("F", bound=Callable[..., Any])
DAYS: Final = 180
"""For which a certificate is made, unless the user says otherwise."""
_MOST_DAYS: Final = 36_500


@attrs.frozen
class Order:
    """What is to be made.

    Attributes:
        days: for which the certificate is valid.
        key_algorithm: see ``pki.keys.Algorithm``.
        key_size: bits of an RSA key; 0: as many as are usual.
    """

    days: int = DAYS
    key_algorithm: str = "ecdsa-p256"
    key_size: int = 0


def ordering(days: int, help_text: str) -> Callable[[F], F]:
    """All of them; the command gets them as one argument, ``order``.

    Args:
        days: the default.
        help_text: what they are the days of.
    """
    options = (
        click.option(
            "--days",
            default=days,
            show_default=True,
            type=click.IntRange(1, _MOST_DAYS),
            metavar="N",
            help=help_text,
        ),
        click.option(
            "--key-algorithm",
            default=Order().key_algorithm,
            show_default=True,
            metavar="KIND",
            help="rsa, ecdsa-p256, ecdsa-p384 or ecdsa-p521.",
        ),
        click.option(
            "--key-size", default=0, show_default="4096", metavar="BITS", help="Of an RSA key: 3072 or 4096."
        ),
    )

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def packed(**given: Any) -> Any:
            ours = {field.name: given.pop(field.name) for field in attrs.fields(Order)}
            return command(order=Order(**ours), **given)

        result: Any = packed
        for option in reversed(options):
            result = option(result)
        return cast(F, result)

    return decorate


key_options: Final = ordering(DAYS, "How long the certificate is valid; never longer than its CA.")
