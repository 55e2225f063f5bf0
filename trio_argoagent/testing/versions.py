"""A program of another version at one end of a link: says what this version does not know.

The next version names one more protocol and a capability, adds fields to each message, and sends messages
that may be ignored. The last one can do nothing beyond the protocol, and neither says nor hears those of
today's messages that may be ignored. The rest of either is this version.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import attrs
import msgpack  # type: ignore[import-untyped]
import trio
from msgspec import structs

from trio_argoagent.model.identity import Peer
from trio_argoagent.ports.transport import Dialer, Link, LinkStatistics, Listener, Tunnel
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.stream.protocol.vocabulary import IGNORED_FROM, NUMBERS

UNKNOWN: Final[bytes] = msgpack.packb([255, "of a later version"])


class Version(enum.Enum):
    """Which other version."""

    LAST = "last"
    NEXT = "next"


class _Disguised:
    def __init__(self, link: Link, version: Version) -> None:
        self._link, self._version = link, version

    @property
    def peer(self) -> Peer:
        """See ``Link``."""
        return self._link.peer

    async def wait_room(self) -> None:
        """See ``Link``."""
        await self._link.wait_room()

    def send_nowait(self, frame: bytes) -> None:
        """See ``Link``."""
        said = codec.decode(frame)
        if self._version is Version.LAST:
            if not _may_be_ignored(said):
                self._link.send_nowait(_of_the_last(frame, said))
            return
        if isinstance(said, messages.Hello):
            can = (*said.capabilities, "of a later version")
            frame = codec.encode(structs.replace(said, protocols=(1, 2), capabilities=can))
        fields: list[Any] = msgpack.unpackb(frame)
        self._link.send_nowait(msgpack.packb([*fields, "a later field", [1, 2]]))
        if not isinstance(said, messages.Hello | messages.Refuse | messages.Goodbye):
            self._link.send_nowait(UNKNOWN)

    async def receive(self) -> Sequence[bytes]:
        """See ``Link``."""
        while (frames := await self._link.receive()) and self._version is Version.LAST:
            heard = [(frame, codec.decode(frame)) for frame in frames]
            known = [_of_the_last(frame, said) for frame, said in heard if not _may_be_ignored(said)]
            if known:
                return known
        return frames

    def retire(self) -> None:
        """See ``Link``."""
        self._link.retire()

    def cut(self, why: str) -> None:
        """See ``Link``."""
        self._link.cut(why)

    async def close(self) -> None:
        """See ``Link``."""
        await self._link.close()

    async def open_tunnel(self, tunnel_id: str) -> Tunnel:
        """See ``Link``."""
        return await self._link.open_tunnel(tunnel_id)

    async def accept_tunnel(self, tunnel_id: str, within: float) -> Tunnel:
        """See ``Link``."""
        return await self._link.accept_tunnel(tunnel_id, within)

    def statistics(self) -> LinkStatistics:
        """See ``Link``."""
        return self._link.statistics()


def _may_be_ignored(said: messages.Message | None) -> bool:
    return said is None or NUMBERS[type(said)] >= IGNORED_FROM


def _of_the_last(frame: bytes, said: messages.Message | None) -> bytes:
    """What the last version makes of it: of a capability it has never heard."""
    if isinstance(said, messages.Hello | messages.Welcome):
        return codec.encode(structs.replace(said, capabilities=()))
    return frame


@attrs.frozen
class DisguisedDialer:
    """A dialer of an agent of another version."""

    dialer: Dialer
    version: Version

    def dial(self) -> AbstractAsyncContextManager[Link]:
        """See ``Dialer``."""
        return self._dial()

    @asynccontextmanager
    async def _dial(self) -> AsyncIterator[Link]:
        async with self.dialer.dial() as link:
            yield _Disguised(link, self.version)


@attrs.frozen
class DisguisedListener:
    """A listener of a principal of another version."""

    listener: Listener
    version: Version

    async def serve(
        self,
        handler: Callable[[Link], Awaitable[None]],
        *,
        until: trio.Event | None = None,
        task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See ``Listener``."""
        await self.listener.serve(
            lambda link: handler(_Disguised(link, self.version)), until=until, task_status=task_status
        )


def dialing_as(version: Version | None, dialer: Dialer) -> Dialer:
    """A dialer of an agent of that version; None: of this one."""
    return dialer if version is None else DisguisedDialer(dialer, version)


def listening_as(version: Version | None, listener: Listener) -> Listener:
    """A listener of a principal of that version; None: of this one."""
    return listener if version is None else DisguisedListener(listener, version)
