"""The option that says where the principal may open tunnels to."""

from __future__ import annotations

import click

from trio_argoagent.errors import UserError
from trio_argoagent.net.address import format_address, parse_address


def _addresses(context: click.Context, parameter: click.Parameter, given: str) -> tuple[str, ...]:
    try:
        named = [each.strip() for each in given.split(",") if each.strip()]
        return tuple(format_address(*parse_address(each)) for each in named)
    except UserError as exc:
        raise click.BadParameter(str(exc), context, parameter) from exc


tunnel_option = click.option(
    "--tunnel-addresses",
    envvar="ARGOCD_AGENT_TUNNEL_ADDRESSES",
    default="",
    callback=_addresses,
    metavar="HOST:PORT,...",
    help="TCP addresses that the principal may open tunnels to from here; none by default.",
)
