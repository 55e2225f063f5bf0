"""From a byte stream to a WebSocket, on either side, with trio-websocket.

The library tells nobody when a connection ends before its upgrade, and raises a refusal in the task that it
has been given a nursery for; ``Reading`` stands between the two and notices both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar, cast

import attrs
import trio
from trio_websocket import WebSocketConnection, WebSocketRequest, wrap_client_stream, wrap_server_stream

from trio_argoagent.net.apart import kept_apart
from trio_argoagent.net.http import Headers
from trio_argoagent.net.protocol.budgets import Budget
from trio_argoagent.stream.protocol.messaging import MESSAGE
from trio_argoagent.stream.webstream import Line, WebSocketStream

SUBPROTOCOL: Final = "v1.trio-argoagent"
"""What both sides mean by their messages (``protocol.messaging``)."""
QUEUE: Final = 16
"""Messages between the library's reader and ours, who is never long in taking them."""
_OPTIONS: Final[dict[str, Any]] = {
    "message_queue_size": QUEUE,
    "max_message_size": MESSAGE,
    "receive_buffer_size": 64 * 1024,
}
_T = TypeVar("_T")


@attrs.define
class Reading:
    """The library's reader, which is the one task that it starts.

    Attributes:
        line: what is read.
        nursery: where.
        over: set when the reader has ended.
        failure: what it has raised.
    """

    line: Line
    nursery: trio.Nursery
    over: trio.Event = attrs.field(factory=trio.Event)
    failure: Exception | None = None

    async def ask(self, host: str, path: str, headers: Headers = ()) -> WebSocketConnection | None:
        """Ask for an upgrade; None if there is none: see the attributes, and those of ``line``."""
        options = _OPTIONS | {
            "subprotocols": (SUBPROTOCOL,),
            "extra_headers": [(name.encode(), value.encode()) for name, value in headers],
        }
        return await self._before_the_end(
            lambda us: wrap_client_stream(us, cast(Any, self.line), host, path, **options)
        )

    async def request(self) -> WebSocketRequest | None:
        """The peer's request for an upgrade; None if there is none."""
        return await self._before_the_end(lambda us: wrap_server_stream(us, self.line, **_OPTIONS))

    def start_soon(self, task: Callable[[], Awaitable[None]]) -> None:
        """What the library wants a nursery for."""
        self.nursery.start_soon(self._run, task)

    async def _run(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except Exception as exc:
            # The peer's bytes have led to it, whatever it is: for whoever waits for the upgrade.
            self.failure = exc
        finally:
            self.over.set()

    async def _before_the_end(self, upgrade: Callable[[trio.Nursery], Awaitable[_T]]) -> _T | None:
        result = None
        async with trio.open_nursery() as race:

            async def watch() -> None:
                await self.over.wait()
                race.cancel_scope.cancel()

            race.start_soon(watch)
            result = await upgrade(cast(trio.Nursery, self))
            race.cancel_scope.cancel()
        return result


async def carry(
    stream: trio.abc.Stream,
    budget: Budget,
    upgrade: Callable[[Reading], Awaitable[WebSocketConnection | None]],
    *,
    task_status: trio.TaskStatus[WebSocketStream | None],
) -> None:
    """Run a WebSocket until it is over; started with what it carries.

    Args:
        stream: connected, and after its TLS handshake; owned from now on.
        budget: what the peer's frames may cost.
        upgrade: makes the WebSocket. None: there is none, and that is no error.
        task_status: started with None where there is none.
    """
    line = Line(stream, budget)
    try:
        async with alone() as nursery:
            socket = await upgrade(Reading(line, nursery))
            if socket is None:
                task_status.started(None)
                return
            carrier = WebSocketStream(socket, line)
            task_status.started(carrier)
            await carrier.run()
    finally:
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def alone() -> AsyncIterator[trio.Nursery]:
    """A nursery for helpers of the body: they end with it, and what it raises leaves it as it is."""
    with kept_apart() as kept:
        async with trio.open_nursery() as nursery:
            with kept.body():
                yield nursery
            nursery.cancel_scope.cancel()
