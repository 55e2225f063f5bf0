"""Applications of 4 KB that an informer reads, out of the bytes of a watch's initial events."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import trio

from trio_argoagent.bench.objects import status
from trio_argoagent.kube.client import HttpCluster
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.packing import packed
from trio_argoagent.kube.session import open_session
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.net.http import Headers
from trio_argoagent.net.responses import Response, StreamedResponse
from trio_argoagent.ports.cluster import INITIAL_EVENTS_END
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.scheduling import make_env, simulate

PREPARED: Final = 2000
"""Events that are made, however many are read: making them is not what is counted."""
DIFFERENT: Final = 25
"""Applications that they are about, each under many names."""
RESOURCES: Final = 17
"""Entries of a status: a whole Application is about 4 KB."""
PIECE: Final = 16 * 1024
"""Bytes that arrive at once: a TLS record."""
_NUMBER: Final = "99999"
"""Stands where an event's own number will."""


def _event(kind: str, thing: Mapping[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": thing}, separators=(",", ":")).encode() + b"\n"


def _events() -> Sequence[bytes]:
    """All that are made: each about an Application that is new."""
    identity = {"uid": f"uid-{_NUMBER}", "resourceVersion": f"1{_NUMBER}"}
    app = application(f"app-{_NUMBER}", metadata=identity)
    forms = [_event("ADDED", app | {"status": status(number, RESOURCES)}) for number in range(DIFFERENT)]
    return [
        forms[number % DIFFERENT].replace(_NUMBER.encode(), b"%05d" % number) for number in range(PREPARED)
    ]


@attrs.define
class _Answer:
    """What a watch is answered, as it arrives; then nothing more happens."""

    body: bytes
    taken: int = 0

    async def receive(self) -> bytes:
        if self.taken >= len(self.body):
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        piece = self.body[self.taken : self.taken + PIECE]
        self.taken += PIECE
        return piece

    async def response(self) -> tuple[int, Headers]:
        await trio.lowlevel.checkpoint()
        return 200, ()

    def reset(self) -> None:
        """Nobody hears of it."""


@attrs.frozen
class _Server:
    """See ``kube.session.Http``: whatever is asked for, the answer is the same."""

    body: bytes

    async def request(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Response:
        await trio.lowlevel.checkpoint()
        return Response(404, (), b"")

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Headers = (), body: bytes = b""
    ) -> AsyncIterator[StreamedResponse]:
        yield StreamedResponse(200, (), _Answer(self.body))

    @asynccontextmanager
    async def dial(self, credentials: Credentials, context: ssl.SSLContext | None) -> AsyncIterator[_Server]:
        yield self


async def _read(count: int) -> None:
    end = {"metadata": {"resourceVersion": "200000", "annotations": {INITIAL_EVENTS_END: "true"}}}
    body = b"".join([*_events()[:count], _event("BOOKMARK", end)])
    async with (
        open_session(Credentials("server", tls=False), _Server(body).dial) as session,
        trio.open_nursery() as nursery,
    ):
        env = make_env(1, "informer")
        informer = Informer(HttpCluster(session), APPLICATIONS, env=env, transform=packed)
        await nursery.start(informer.run)
        assert len(informer.objects) == count
        nursery.cancel_scope.cancel()


def objects(count: int) -> None:
    """Read so many."""
    simulate(_read, count, seed=1)


WORK: Final[Mapping[str, Callable[[int], None]]] = {"object": objects}
"""By case: does so many of it."""
