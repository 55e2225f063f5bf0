"""A link that a task of its own dials and holds open, so that one can be had before another is left."""

from __future__ import annotations

import attrs
import trio

from trio_argoagent.errors import LinkError, ProtocolError, leaves
from trio_argoagent.ports.transport import Dialer, Link
from trio_argoagent.runtime.freshness import Mark


@attrs.define(eq=False)
class Mooring:
    """See the module. ``hold`` it in a task.

    Attributes:
        mark: the TLS material that it is dialled with; None: there is none to follow.
    """

    mark: Mark | None = None
    _link: Link | None = None
    _failure: BaseException | None = None
    _dialled: trio.Event = attrs.field(factory=trio.Event)
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    async def hold(self, dialer: Dialer) -> None:
        """Dial, and keep the link until ``let_go``."""
        try:
            with self._scope:
                async with dialer.dial() as self._link:
                    self._dialled.set()
                    await trio.sleep_forever()
        except* (LinkError, ProtocolError) as group:
            self._failure = next(leaves(group))
        finally:
            self._dialled.set()

    async def link(self) -> Link:
        """The link, once it is there.

        Raises:
            LinkError: it is not to be had; see ``Dialer.dial``.
            ProtocolError: whoever was there spoke nonsense.
        """
        await self._dialled.wait()
        if self._failure is not None:
            raise self._failure
        assert self._link is not None
        return self._link

    def let_go(self) -> None:
        """End it; nothing is awaited, the task does what a clean end takes."""
        self._scope.cancel()
