"""Frames over a link whose bytes go through memory: HTTP/2 without TLS, and no kernel in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import trio
import trio.testing

from trio_argoagent.bench.loads import payload
from trio_argoagent.bench.ours import FrameChannel
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.server import serve_http2
from trio_argoagent.ports.transport import Link
from trio_argoagent.stream.admission import Admission, by_certificate
from trio_argoagent.stream.dial import open_link
from trio_argoagent.stream.listen import LINK_LIMITS, accept_links
from trio_argoagent.testing.scheduling import simulate

SMALL: Final = 200
LARGE: Final = 20 * 1024
"""Bytes of a frame."""


async def _carry(size: int, count: int) -> None:
    """So many frames from one end, as fast as it goes, to the hands of whoever receives at the other."""
    ours, theirs = trio.testing.memory_stream_pair()
    theirs.peer_certificate = b""  # type: ignore[attr-defined]  # What TLS would have.
    message, arrived = payload(size), trio.Event()

    async def receive(link: Link) -> None:
        left = count
        while left:
            left -= len(await link.receive())
        arrived.set()

    accept = accept_links(receive, Admission(by_certificate(lambda certificate: "agent")))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve_http2, accept, theirs, limits=LINK_LIMITS))
        async with open_link(ours, Peer("principal", address="principal:0")) as link:
            await FrameChannel(link).send([message] * count)
            await arrived.wait()
        nursery.cancel_scope.cancel()


def frames(size: int, count: int) -> None:
    """Carry so many frames of so many bytes."""
    simulate(_carry, size, count, seed=1)


WORK: Final[Mapping[str, Callable[[int], None]]] = {
    "frame of 200 B": partial(frames, SMALL),
    "frame of 20 KiB": partial(frames, LARGE),
}
"""By case: does so many of it."""
