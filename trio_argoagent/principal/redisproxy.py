"""The port at which the hub's Argo CD finds Redis (``redis.server: argocd-agent-redis-proxy:6379``).

Every byte goes through to the hub's Redis and back, unread: passwords, RESP versions and subscriptions are
the two ends' own business. argocd-agent answers some keys from the spokes there; that its port is served at
all is what keeps Argo CD's server working when an installation is switched over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import trio

from trio_argoagent.net.contexts import Context, newest
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.linger import LINGER, close_gently
from trio_argoagent.net.sockets import hold_to_timeout, notice_silence
from trio_argoagent.net.tls import TlsStream
from trio_argoagent.redis.client import CONNECT_TIMEOUT
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.events import Observer
from trio_argoagent.runtime.rarely import Rarely

MAX_CONNECTIONS: Final = 1024
"""Connections at once: Redis takes 10,000 by default, and Argo CD's programs open some ten each."""
CHUNK: Final = 64 * 1024
"""Bytes read at once, and so kept per direction while the other side does not take them."""
_GONE: Final = (ConnectionBroken, trio.BrokenResourceError, trio.ClosedResourceError)


class RedisProxy:
    """See the module.

    Args:
        redis: where everything goes. User and password are not used.
        context: of the listening side, or the newest one; None: plain.
        observer: told when Redis cannot be reached, or too many come; not oftener than once a minute.
    """

    def __init__(self, redis: RedisServer, context: Context | None, observer: Observer) -> None:
        self._redis, self._context = redis, context
        self._line = Rarely(observer, "redis-proxy-failed")
        self.connections = 0
        """Now."""
        self.accepted = 0
        """So far, those included that were too many."""

    async def run(
        self,
        listeners: Sequence[trio.SocketListener],
        *,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled.

        Args:
            listeners: bound sockets, closed at the end.
            task_status: started with the listeners.
        """
        await trio.serve_listeners(self.serve, list(listeners), task_status=task_status)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """One connection, from its first byte to its last. Nothing but cancellation leaves it."""
        self.accepted += 1
        if self.connections >= MAX_CONNECTIONS:
            self._line.tell(f"more than {MAX_CONNECTIONS} connections to the Redis proxy: one was refused")
            await trio.aclose_forcefully(stream)
            return
        self.connections += 1
        try:
            await self._pass(stream)
        except _GONE:
            pass  # Either of them has gone: that is how connections to Redis end.
        except trio.TooSlowError:
            self._line.tell(f"{self._redis.where} or a client of the Redis proxy does not answer")
        finally:
            self.connections -= 1
            await trio.aclose_forcefully(stream)

    async def _pass(self, stream: trio.abc.Stream) -> None:
        hold_to_timeout(stream)
        notice_silence(stream)
        near = stream
        with trio.fail_after(CONNECT_TIMEOUT):
            if self._context is not None:
                near = TlsStream(stream, newest(self._context), server_side=True)
                await near.do_handshake()
            far = await self._reach()
        if far is None:
            await close_gently(near)
            return
        notice_silence(far.transport if isinstance(far, TlsStream) else far)
        try:
            await pump(near, far)
            await close_gently(near)
        finally:
            await trio.aclose_forcefully(far)

    async def _reach(self) -> trio.abc.Stream | None:
        try:
            return await self._redis.connect()
        except (OSError, ConnectionBroken) as exc:
            self._line.tell(f"Redis at {self._redis.where} cannot be reached for Argo CD: {exc}")
            return None


async def pump(near: trio.abc.Stream, far: trio.abc.Stream) -> None:
    """Carry bytes both ways until both ends have ended, or one has gone.

    Who reads slowly is waited for: no more than a chunk is kept each way. A client that has said all may
    still get answers: its end is handed on, and Redis ends the rest. Where it cannot be (TLS ends both
    directions at once), or where Redis itself has ended, the other direction goes on for a second.

    Args:
        near: the client.
        far: Redis.
    """
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_copy, near, far, nursery.cancel_scope, True)
        nursery.start_soon(_copy, far, near, nursery.cancel_scope, False)


async def _copy(
    source: trio.abc.Stream, sink: trio.abc.Stream, scope: trio.CancelScope, answered: bool
) -> None:
    """One direction; ``answered``: what follows its end comes from the other one."""
    try:
        while data := await source.receive_some(CHUNK):
            await sink.send_all(data)
        if isinstance(sink, trio.abc.HalfCloseableStream):
            await sink.send_eof()
        if not (answered and isinstance(sink, trio.abc.HalfCloseableStream)):
            scope.deadline = min(scope.deadline, trio.current_time() + LINGER)
    except _GONE:
        scope.cancel()
