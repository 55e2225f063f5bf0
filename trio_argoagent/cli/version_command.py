"""The command ``trio-argoagent version``."""

from __future__ import annotations

import platform

import click

from trio_argoagent._version import __version__
from trio_argoagent.cli.output import fields, output_option, rendered


@click.command()
@output_option()
def version(output: str) -> None:
    """Print what this is, runs on and speaks."""
    from trio_argoagent.stream.protocol.negotiation import OURS

    oldest, newest = OURS.protocols
    found = {
        "version": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }
    spoken = str(newest) if oldest == newest else f"{oldest} to {newest}"
    text = fields((*found.items(), ("protocol", spoken)))
    click.echo(rendered(output, text, found | {"protocol": {"oldest": oldest, "newest": newest}}))
