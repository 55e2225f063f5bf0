"""The principal's options for certificates that it issues itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trio_argoagent.cli.duration import seconds
from trio_argoagent.errors import UserError
from trio_argoagent.runtime.enrolment import DAY, LIFETIMES, Rules

F = TypeVar("F", bound=Callable[..., Any])


def enrolment_options(command: F) -> F:
    """The three of them."""
    options = (
        click.option(
            "--enroll/--no-enroll",
            "enroll",
            envvar="ARGOCD_PRINCIPAL_ENROLL",
            default=True,
            show_default=True,
            help="Issue and renew the agents' certificates, by the CA in the Secret argocd-agent-ca.",
        ),
        click.option(
            "--certificate-lifetime",
            envvar="ARGOCD_PRINCIPAL_CERTIFICATE_LIFETIME",
            default="168h",
            show_default=True,
            callback=seconds,
            metavar="DURATION",
            help="How long they are valid, 1h to 2160h; they are renewed at two thirds of it.",
        ),
        click.option(
            "--rejoin-window",
            envvar="ARGOCD_PRINCIPAL_REJOIN_WINDOW",
            default="720h",
            show_default=True,
            callback=seconds,
            metavar="DURATION",
            help="How long after the expiry an agent that was off gets a new one by its last key; 0: never.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_rules(*, enroll: bool, lifetime: float, window: float, registers: bool) -> Rules:
    """What the options say together.

    Raises:
        UserError: a certificate cannot last that long, or that short.
    """
    least, most = LIFETIMES
    if not least <= lifetime <= most:
        raise UserError(
            f"--certificate-lifetime: must be 1h to {most / 3600:.0f}h ({most / DAY:.0f} days): agents renew"
            " by themselves, so short ones cost nobody anything"
        )
    return Rules(lifetime, window, registers, enroll)
