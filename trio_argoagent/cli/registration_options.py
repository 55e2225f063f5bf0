"""The principal's options for agents that the hub does not know yet; argocd-agent's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trio_argoagent.errors import UserError
from trio_argoagent.net.address import parse_address
from trio_argoagent.runtime.config import PROXY, SelfRegistration

F = TypeVar("F", bound=Callable[..., Any])


def registration_options(command: F) -> F:
    """The three of them."""
    options = (
        click.option(
            "--enable-self-cluster-registration",
            envvar="ARGOCD_PRINCIPAL_ENABLE_SELF_CLUSTER_REGISTRATION",
            is_flag=True,
            help="Make an Argo CD cluster secret for an agent that has none, instead of refusing it.",
        ),
        click.option(
            "--self-registration-client-cert-secret",
            envvar="ARGOCD_PRINCIPAL_SELF_REGISTRATION_CLIENT_CERT_SECRET",
            default="",
            metavar="NAME",
            help="Secret with tls.crt, tls.key and ca.crt that goes into such a cluster secret.",
        ),
        click.option(
            "--resource-proxy-address",
            envvar="ARGOCD_PRINCIPAL_RESOURCE_PROXY_ADDRESS",
            default=PROXY,
            show_default=True,
            metavar="HOST:PORT",
            help="The server that such a cluster secret names.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_registration(*, enabled: bool, secret: str, address: str) -> SelfRegistration | None:
    """What the three options say together; None: agents register nothing.

    Raises:
        UserError: they contradict each other, or the address is none.
    """
    if secret and not enabled:
        raise UserError(
            "--self-registration-client-cert-secret: give --enable-self-cluster-registration, too"
        )
    try:
        parse_address(address)
    except UserError as exc:
        raise UserError(f"--resource-proxy-address: {exc}") from exc
    return SelfRegistration(address, secret) if enabled else None
