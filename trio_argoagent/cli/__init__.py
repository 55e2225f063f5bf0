"""The command line: parse, build a config value, run. Each command imports what it needs when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script.

    Args:
        arguments: without the program's own name; None: the process' own.
    """
    import click

    from trio_argoagent.cli.commands import cli
    from trio_argoagent.cli.running import INTERRUPTED, USAGE, printing, usage_line

    with printing():
        try:
            # Not standalone: click would print the usage before each mistake, and the mistake would drown.
            code = cli(arguments, prog_name="trio-argoagent", standalone_mode=False)
        except click.exceptions.NoArgsIsHelpError as exc:  # A group of commands, and none was named.
            click.echo(exc.format_message(), err=True)
            code = USAGE
        except click.ClickException as exc:
            click.echo(f"error: {usage_line(exc)}", err=True)
            code = USAGE
        except click.Abort:
            code = INTERRUPTED
        sys.exit(code)
