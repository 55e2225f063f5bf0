"""Opens the ports at which a program shows whether it works and what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from typing import Final

import trio

from trio_argoagent.cli.listening import addresses, listening
from trio_argoagent.cli.observing_options import ObservingOptions
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.observing import routes
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.runtime.observing.routes import Routes
from trio_argoagent.runtime.observing.server import serve

LOOPBACK: Final = "127.0.0.1"
"""Where what is for this machine alone is shown; ``kubectl port-forward`` leads there."""


@asynccontextmanager
async def open_observing(options: ObservingOptions, observer: Observer) -> AsyncIterator[Board]:
    """What the program is to hang what it shows on, served while the context is open.

    Metrics and health may share a port. What is for this machine alone shares none with what is for others.

    Args:
        options: which ports.
        observer: told what is where.

    Raises:
        UserError: a port cannot be had, or would show everybody what is for this machine alone.
    """
    options.check()
    # What trio.current_time asks, without the way to it: it is read twice in each turn of the loop.
    board = Board(trio.lowlevel.current_clock().current_time)
    ports = _ports(options, board)
    with _watching(board) if options.metrics_port or options.healthz_port else nullcontext():
        async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
            for port, (name, host, shown) in ports.items():
                listeners = await stack.enter_async_context(listening(host, port, name))
                paths = ", ".join(f"/{path}" for path in shown)
                await nursery.start(serve, shown, listeners, name=f"observing {paths}")
                observer(Event("observing", "", f"{addresses(listeners)} shows {paths}"))
            yield board
            nursery.cancel_scope.cancel()


@contextmanager
def _watching(board: Board) -> Iterator[None]:
    """Its event loop's lag is measured while the context is open."""
    trio.lowlevel.add_instrument(board.lag)
    try:
        yield
    finally:
        trio.lowlevel.remove_instrument(board.lag)


def _ports(options: ObservingOptions, board: Board) -> Mapping[int, tuple[str, str, Routes]]:
    """By number: the option that names it, the host, and what is there."""
    found: dict[int, tuple[str, str, Routes]] = {}
    for name, port, shown in (
        ("--metrics-port", options.metrics_port, routes.metrics(board)),
        ("--healthz-port", options.healthz_port, routes.health(board)),
    ):
        if port:
            before = found[port][2] if port in found else {}
            found[port] = name, "", {**before, **shown}
    if options.pprof_port:
        found[options.pprof_port] = "--pprof-port", LOOPBACK, routes.debug()
    return found
