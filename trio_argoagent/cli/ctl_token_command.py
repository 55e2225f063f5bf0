"""``trio-argoagent ctl agent token``: its commands and their options."""

from __future__ import annotations

from typing import Any

import click

from trio_argoagent.cli.contexts import hub_options
from trio_argoagent.cli.duration import seconds


class _Named(click.Group):
    """``token NAME`` is ``token create NAME``: who is called as a command says the long form."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["create", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Named)
def token() -> None:
    """One-time tokens, with which an agent gets its certificate.

    ``token NAME`` makes one. Nobody has to carry a key anywhere: the agent makes its own.
    """


@token.command(name="create")
@click.argument("name")
@click.option(
    "--ttl",
    default="1h",
    show_default=True,
    callback=seconds,
    metavar="DURATION",
    help="How long it can be used.",
)
@click.option("--replace", is_flag=True, help="Though the name has a certificate; that counts no more here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@hub_options
def create_command(**options: Any) -> None:
    """Make a token for the agent NAME; it is shown once, and can be used once."""
    from trio_argoagent.cli.ctl_token import run_create

    run_create(**options)


@token.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@hub_options
def list_command(**options: Any) -> None:
    """Print the tokens that there are: for whom, until when, used or not."""
    from trio_argoagent.cli.ctl_token import run_list

    run_list(**options)


@token.command(name="revoke")
@click.argument("token", metavar="ID")
@hub_options
def revoke_command(**options: Any) -> None:
    """Take a token back, by its id (what stands before the first dot)."""
    from trio_argoagent.cli.ctl_token import run_revoke

    run_revoke(**options)
