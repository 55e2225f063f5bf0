"""Options that are policies: which metadata stays local, how long a sync may wait, how copies are made.

Names, words and environment variables of the policies are argocd-agent's.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from trio_argoagent.cli import duration
from trio_argoagent.sync.policy import DEFAULTS, Adoption, Mismatch, Recreation

F = TypeVar("F", bound=Callable[..., Any])
_PATTERN: Final = re.compile(r"[A-Za-z0-9*?\[\]!._/-]+")
_POLICIES: Final = (
    (
        "adoption-policy",
        Adoption,
        DEFAULTS.adoption,
        "An Application that the spoke has already when the hub's of that name comes: adopt it?",
    ),
    (
        "source-uid-mismatch-policy",
        Mismatch,
        DEFAULTS.mismatch,
        "The copy of another object of that name: delete it first, or take it over?",
    ),
    (
        "on-application-recreate",
        Recreation,
        DEFAULTS.recreation,
        "An Application that was deleted on the spoke comes back: sync it?",
    ),
)


def local_options(prefix: str) -> Callable[[F], F]:
    """What of the metadata belongs to the cluster that a program runs on: both programs have these."""

    def decorate(command: F) -> F:
        for what in ("labels", "annotations"):
            command = click.option(
                f"--local-{what}",
                envvar=f"{prefix}_LOCAL_{what.upper()}",
                default="",
                callback=_patterns,
                metavar="GLOB,...",
                help=f"{what.capitalize()} that neither leave this cluster nor are changed on its copies.",
            )(command)
        return command

    return decorate


def _patterns(context: click.Context, parameter: click.Parameter, text: str) -> tuple[str, ...]:
    found = tuple(each.strip() for each in text.split(",") if each.strip())
    for each in found:
        if _PATTERN.fullmatch(each) is None:
            wrong = f"{each!r} is no glob of keys; write, for example, argocd-image-updater.*"
            raise click.BadParameter(wrong, context, parameter)
    return found


def expiry_option(command: F) -> F:
    """How long a sync that is asked for on the hub may wait for its spoke."""
    return click.option(
        "--intent-expiry",
        envvar="ARGOCD_PRINCIPAL_INTENT_EXPIRY",
        default="0",
        show_default=True,
        callback=duration.seconds,
        metavar="DURATION",
        help="A sync that has not started on its spoke by then fails, and never starts; 0: it may wait.",
    )(command)


def policy_options(command: F) -> F:
    """What becomes of a spoke's objects that are not, or no longer, the copies that the hub wants."""
    for name, words, default, text in reversed(_POLICIES):
        command = _choice(name, words, default.value, text)(command)
    return command


def _choice(name: str, words: type[enum.Enum], default: str, text: str) -> Callable[[F], F]:
    return click.option(
        f"--{name}",
        envvar=f"ARGOCD_AGENT_{name.upper().replace('-', '_')}",
        default=default,
        show_default=True,
        type=click.Choice([each.value for each in words]),
        help=text,
    )
