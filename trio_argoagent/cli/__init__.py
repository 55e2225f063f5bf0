"""The command line: parse, build a config value, run. Each command imports what it needs when it runs."""

from __future__ import annotations


def main() -> None:
    """The console script."""
    from trio_argoagent.cli.commands import cli

    cli(prog_name="trio-argoagent")
