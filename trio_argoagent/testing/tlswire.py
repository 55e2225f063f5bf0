"""The network of level 2 with the product's own TLS on every connection, and material that a test rotates.

Keys and handshakes draw randomness that no seed reaches, and OpenSSL judges by the system's clock: a fleet on
this network runs in virtual time, but its bytes do not replay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import attrs
import trio

from trio_argoagent.errors import LinkBroken
from trio_argoagent.net.contexts import Current
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.http import Handler
from trio_argoagent.net.refusals import Ours
from trio_argoagent.net.server import serve_http2
from trio_argoagent.net.tls import TlsStream
from trio_argoagent.pki.names import agent_name
from trio_argoagent.ports.env import Random
from trio_argoagent.ports.transport import Dialer, Link, Listener
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.stream.admission import Admission, by_certificate
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.listen import LINK_LIMITS, accept_links
from trio_argoagent.testing.wire import ByteEnd, WireNetwork

PRINCIPAL = "127.0.0.1"
"""What the principal's certificate is for."""


@attrs.frozen
class Side:
    """The TLS of one program.

    Attributes:
        context: the newest.
        freshness: of what it is made from.
        ours: for the words about a handshake that has failed.
    """

    context: Current
    freshness: Freshness
    ours: Ours


class TlsNetwork(WireNetwork):
    """See the module.

    Args:
        chance: as for ``WireNetwork``.
        sides: the programs' TLS, by their names; to be filled before they start.
        refused: told of each handshake that has failed at the principal.
    """

    def __init__(
        self, chance: Random, sides: Mapping[str, Side], refused: Callable[[Exception], None]
    ) -> None:
        super().__init__(chance)
        self.sides, self.refused = sides, refused

    def freshness(self, program: str) -> Freshness | None:
        """See ``Conditions``."""
        return self.sides[program].freshness

    def dialer(self, name: str) -> Dialer:
        """See ``Conditions``."""

        async def connect(host: str, port: int) -> trio.abc.Stream:
            return await self.reach(name, None)

        side = self.sides[name]
        return Http2Dialer(PRINCIPAL, 8443, side.context, connect=connect, ours=side.ours)

    def listener(self) -> Listener:
        """See ``Conditions``."""
        return _Listener(self, self.sides[self.principal].context)


@attrs.frozen
class _Listener:
    network: TlsNetwork
    context: Current

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        until: trio.Event | None = None,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See ``ports.transport.Listener``."""
        accept = accept_links(handler, Admission(by_certificate(agent_name)))
        async with trio.open_nursery() as nursery:
            serve = partial(self._serve, accept)
            await self.network.accept_each(nursery, serve, until, task_status)

    async def _serve(self, accept: Handler, end: ByteEnd) -> None:
        with self.network.holding(end):
            tls = TlsStream(end, self.context(), server_side=True)
            try:
                await tls.do_handshake()
                await serve_http2(accept, tls, limits=LINK_LIMITS, on_error=self._judge)
            except (TlsFailed, trio.BrokenResourceError) as exc:
                self.network.refused(exc)

    def _judge(self, exc: Exception) -> None:
        if isinstance(exc, TlsFailed):
            self.network.refused(exc)
        elif not isinstance(exc, LinkBroken):
            self.network.failures.append(exc)
