"""The options of ``trio-argoagent bench``."""

from __future__ import annotations

from typing import Any

import click


class _Questions(click.Group):
    """What is no subcommand's name is a question: ``bench echo`` is ``bench run echo``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        helps = {"-h", "--help"}
        if not args or (args[0] not in self.commands and args[0] not in helps):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Questions, short_help="Measure, side by side with peers.")
def bench() -> None:
    """Measure on this machine, side by side with what others offer for the same job.

    trio-argoagent bench [QUESTION]... asks these questions, or all; see bench run --help.
    """


@bench.command(short_help="Ask questions; the default.")
@click.argument("questions", nargs=-1, metavar="[QUESTION]...")
@click.option("--quick", is_flag=True, help="One short round of smaller cases; all of it in some minutes.")
@click.option(
    "--side",
    "sides",
    multiple=True,
    metavar="NAME",
    help="Measure this side only; may be repeated. A name that does not exist gets you the list.",
)
@click.option(
    "--output",
    default="trio-argoagent-bench",
    show_default=True,
    metavar="DIR",
    help="Where a JSON file for each question and report.html go.",
)
def run(**options: Any) -> None:
    """Measure: one JSON for each question, and one HTML page with plots.

    QUESTION is the name of a question or of a family of them; without one: all. bench questions lists them.
    Peers that are not installed are left out, and named: pip install '.[bench]' in a checkout. CPU is what
    compares; rates tell of the machine, too, unless it does nothing else.
    """
    from trio_argoagent.cli.bench_run import run_questions

    run_questions(**options)


@bench.command(short_help="What is asked, with its cases and sides.")
def questions() -> None:
    """List all questions."""
    from trio_argoagent.cli.bench import list_questions

    list_questions()


@bench.command(short_help="What became better or worse.")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1000),
    default=10.0,
    show_default=True,
    metavar="PERCENT",
    help="What a median must change by to count.",
)
def compare(**options: Any) -> None:
    """Compare the figures of two runs: files of --output, or the folders.

    A figure has changed when its medians differ by more than the threshold and the 95 % confidence
    intervals of its rounds do not overlap, or the medians are far apart; counts, bytes, virtual seconds and
    the memory of a process, when they differ by more than the threshold. Exit code 1: something is worse,
    or the second of two folders lacks a figure.
    """
    from trio_argoagent.cli.bench import run_compare

    run_compare(**options)
