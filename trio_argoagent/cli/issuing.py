"""A principal that issues certificates: its desk at work, and the routes to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from trio_argoagent.net.http import Handler
from trio_argoagent.principal.enrolment import Desk
from trio_argoagent.stream.enrolling import enrolment_routes


@asynccontextmanager
async def open_desk(desk: Desk) -> AsyncIterator[Mapping[tuple[str, str], Handler]]:
    """What ``Http2Listener`` takes as ``routes``; old tokens are taken away while the context is open."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.run)
        yield enrolment_routes(desk.answer, desk.roots)
        nursery.cancel_scope.cancel()
