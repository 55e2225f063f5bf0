"""The options of ``trio-argoagent bench``."""

from __future__ import annotations

from typing import Any

import click


@click.group(short_help="Measure, side by side with peers.")
def bench() -> None:
    """Measure on this machine, side by side with what others offer for the same job."""


@bench.command(short_help="The link: throughput, latency, connections.")
@click.argument("questions", nargs=-1, metavar="[QUESTION]...")
@click.option("--quick", is_flag=True, help="One short round of smaller cases, in less than a minute.")
@click.option(
    "--side",
    "sides",
    multiple=True,
    metavar="NAME",
    help="Measure this side only; may be repeated. A name that does not exist gets you the list.",
)
@click.option("--json", "path", default="", metavar="FILE", help="Write all figures to this file, too.")
def stream(**options: Any) -> None:
    """Measure the link between agents and principal, and grpc.aio, grpclib and raw TLS beside it.

    Each side runs in two processes over loopback, TLS 1.3 with certificates on both ends. CPU is of the
    process it speaks of, a message; compare that, and rates only on a machine that does nothing else. Peers
    that are not installed are left out, and named: pip install 'trio-argoagent[bench]'.

    QUESTION is any of one-way, echo, ping-pong, many, idle, connect; without one: all.
    """
    from trio_argoagent.cli.bench import run_stream

    run_stream(**options)
