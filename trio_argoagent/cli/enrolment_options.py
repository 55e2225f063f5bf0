"""The principal's options for certificates that it issues itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from trio_argoagent.cli.duration import seconds
from trio_argoagent.runtime.enrolment import DAY, LIFETIMES, Rules

F = TypeVar("F", bound=Callable[..., Any])


def enrolment_options(command: F) -> F:
    """The three of them; the command gets them as one argument, ``enrolment``: ``Rules``."""

    @functools.wraps(command)
    def packed(*, enroll: bool, certificate_lifetime: float, rejoin_window: float, **given: Any) -> Any:
        rules = Rules(lifetime=certificate_lifetime, window=rejoin_window, issues=enroll)
        return command(enrolment=rules, **given)

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
            callback=_lifetime,
            metavar="DURATION",
            help="How long they are valid, 1h to 2160h; agents renew them at two thirds of it.",
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
    result: Any = packed
    for option in reversed(options):
        result = option(result)
    return result  # type: ignore[no-any-return]


def _lifetime(context: click.Context, parameter: click.Parameter, text: str) -> float:
    lifetime = seconds(context, parameter, text)
    least, most = LIFETIMES
    if not least <= lifetime <= most:
        raise click.BadParameter(
            f"must be 1h to {most / 3600:.0f}h ({most / DAY:.0f} days): agents renew by themselves, so short"
            " ones cost nobody anything",
            context,
            parameter,
        )
    return lifetime
