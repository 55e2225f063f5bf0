"""A principal that issues certificates: its desk at work, and the routes to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from trio_argoagent.cli.auth_options import Authentication
from trio_argoagent.net.http import Handler
from trio_argoagent.principal.enrolment import Desk
from trio_argoagent.stream.enrolling import enrolment_routes
from trio_argoagent.stream.listen import NO_ROUTES


@asynccontextmanager
async def open_desk(desk: Desk, asked: Authentication) -> AsyncIterator[Mapping[tuple[str, str], Handler]]:
    """What ``Http2Listener`` takes as ``routes``; old tokens are taken away while the context is open.

    Without TLS there are none: nobody has a use for a certificate, and tokens would travel unencrypted.
    """
    if asked.neighbours is not None:
        yield NO_ROUTES
        return
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.run)
        yield enrolment_routes(desk.answer, desk.roots)
        nursery.cancel_scope.cancel()
