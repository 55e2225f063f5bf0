"""``trio-argoagent ctl support-bundle``: its options."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.contexts import both_options


@click.command(name="support-bundle")
@click.option(
    "-f",
    "--file",
    default="",
    show_default="trio-argoagent-support-TIME.tar.gz",
    metavar="FILE",
    help="Where to write it; it must not be there yet.",
)
@both_options
def support_bundle(**options: Any) -> None:
    """Collect what somebody needs in order to help: a file without secrets.

    Of the hub, and of one spoke if it is named: the findings of validate, the state of the fleet, our
    ConfigMaps and Events, names and certificates of Secrets, numbers of Applications.
    """
    from trio_argoagent.cli.ctl_bundle import run_bundle

    run_bundle(**options)
