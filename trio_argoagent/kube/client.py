"""The Cluster port over HTTP.

What may be tried again is decided by what the server can have done:

- 429, and a connection that broke before the request was handed over: nothing. Any verb is tried again.
- A read: nothing that matters. It is tried again once.
- A write whose answer was lost: nobody knows, so the caller hears ``OutcomeUnknown`` and reads first. A
  second attempt here could undo what somebody else did in between.

Every attempt, wait and answer of one call together end within ``DEADLINE``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import trio

from trio_argoagent.errors import (
    ApiError,
    LinkBroken,
    OutcomeUnknown,
    RemoteProtocolError,
    Throttled,
    Unavailable,
)
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.protocol import requests as verbs
from trio_argoagent.kube.protocol.answers import parse_object, parse_page
from trio_argoagent.kube.protocol.requests import HttpRequest
from trio_argoagent.kube.protocol.status import outcome_unknown, status_error
from trio_argoagent.kube.protocol.watchlines import LineSplitter, parse_event
from trio_argoagent.kube.session import Session, open_session
from trio_argoagent.kube.snapshot import BATCH
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.net.client import Response, StreamedResponse
from trio_argoagent.net.errors import ConnectionBroken, TlsFailed
from trio_argoagent.ports.cluster import JsonPatch, MergePatch, ObjectList, WatchEvent

DEADLINE: Final = 30.0
"""Seconds for one call, with all its attempts. A page of a list is one call."""
ATTEMPTS: Final = 4
"""Times one call is sent at most when the server asks to come back later."""
RETRY_AFTER: Final = 1.0
"""Seconds before the next attempt when the server does not say how long."""
REFUSAL: Final = 64 * 1024
"""Bytes of a refused watch's body that are read for its reason."""


class HttpCluster:
    """``ports.cluster.Cluster`` over HTTP; made by ``open_cluster``. Any number of tasks may use it."""

    def __init__(self, session: Session) -> None:
        self.session: Final = session

    @property
    def streams(self) -> bool:
        """See ``ports.cluster.Cluster.streams``."""
        return True

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Read one object, as it is now."""
        return await self._object(resource, verbs.get(resource, namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> ObjectList:
        """Read a collection, or a page of it."""
        request = verbs.list_page(
            resource,
            namespace,
            selector=selector,
            name=name,
            resource_version=resource_version,
            limit=limit,
            continue_token=continue_token,
        )
        page = parse_page((await self._call(request)).body)
        items = []
        for start in range(0, len(page.items), BATCH):
            items += [parse_object(raw, resource) for raw in page.items[start : start + BATCH]]
            await trio.lowlevel.checkpoint()
        return ObjectList(items, page.resource_version, page.continue_token)

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        selector: str = "",
        name: str = "",
        resource_version: str,
        timeout: float = 300.0,
        initial: bool = False,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """Follow a collection from just after ``resource_version``, with bookmarks."""
        request = verbs.watch(
            resource,
            namespace,
            selector=selector,
            name=name,
            resource_version=resource_version,
            timeout=timeout,
            initial=initial,
        )
        async with AsyncExitStack() as stack:
            yield _Events(await self._open(stack, request), resource)

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """Create an object; its namespace is that of its metadata."""
        return await self._object(resource, verbs.create(resource, value))

    async def replace(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """PUT an object; ``metadata.resourceVersion`` is the precondition."""
        return await self._object(resource, verbs.replace(resource, value))

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        """Change one object."""
        return await self._object(resource, verbs.patch(resource, namespace, name, patch))

    async def delete(
        self, resource: Resource, namespace: str, name: str, *, uid: str = "", resource_version: str = ""
    ) -> None:
        """Delete one object; with finalizers it only gets its deletionTimestamp."""
        await self._call(
            verbs.delete(resource, namespace, name, uid=uid, resource_version=resource_version)
        )

    async def _object(self, resource: Resource, request: HttpRequest) -> Object:
        response = await self._call(request)
        try:
            return parse_object(response.body, resource)
        except RemoteProtocolError as exc:
            if not request.writes:
                raise
            # The server has said yes, so something is done; what it stored could not be read.
            raise OutcomeUnknown(str(exc)) from exc

    async def _call(self, request: HttpRequest) -> Response:
        with trio.move_on_after(DEADLINE) as scope:
            return await self._attempts(request, scope)
        raise _lost(request, f"no answer within {DEADLINE:.0f} s")

    async def _attempts(self, request: HttpRequest, scope: trio.CancelScope) -> Response:
        broken = 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = await self.session.request(request)
            except LinkBroken as exc:
                broken += 1
                await self._survive(request, exc, broken)
                continue
            if 200 <= response.status < 300:
                return response
            error = status_error(response.status, response.headers, response.body)
            if not self._comes_back(request, error):
                raise OutcomeUnknown(str(error)) if request.writes and outcome_unknown(error) else error
            pause = error.retry_after or RETRY_AFTER
            if attempt == ATTEMPTS or trio.current_time() + pause >= scope.deadline:
                raise error
            await trio.sleep(pause)
        raise Unavailable("the connection broke again and again")

    async def _survive(self, request: HttpRequest, exc: LinkBroken, times: int) -> None:
        """Return if the request may be sent again at once."""
        untouched = isinstance(exc, ConnectionBroken) and not exc.sent
        if request.writes and not untouched:
            raise _lost(request, str(exc)) from exc
        if times > 1:
            raise Unavailable(str(exc)) from exc
        if isinstance(exc, TlsFailed) and exc.reason:
            # The handshake is where an expired certificate of ours is refused.
            await self.session.renew(self.session.credentials)

    @staticmethod
    def _comes_back(request: HttpRequest, error: ApiError) -> bool:
        """Is it right to send it again after a while?"""
        if isinstance(error, Throttled):
            return True
        return isinstance(error, Unavailable) and error.retry_after > 0 and not request.writes

    async def _open(self, stack: AsyncExitStack, request: HttpRequest) -> StreamedResponse:
        with trio.move_on_after(DEADLINE):
            try:
                response = await stack.enter_async_context(self.session.stream(request))
                if response.status == 200:
                    return response
                body = b""
                while len(body) < REFUSAL and (piece := await response.receive()):
                    body += piece
            except LinkBroken as exc:
                raise Unavailable(str(exc)) from exc
            raise status_error(response.status, response.headers, body)
        raise Unavailable(f"no answer to a watch within {DEADLINE:.0f} s")


class _Events:
    """The events of one watch. It waits only when there is none: a consumer of many rests by itself."""

    def __init__(self, response: StreamedResponse, resource: Resource) -> None:
        self._response, self._resource = response, resource
        self._splitter = LineSplitter()
        self._lines: list[bytes] = []  # the next one last

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> WatchEvent:
        while True:
            while self._lines:
                event = parse_event(self._lines.pop(), self._resource)
                if event is not None:
                    return event
            self._lines = self._splitter.feed(await self._receive())
            self._lines.reverse()

    async def _receive(self) -> bytes:
        try:
            data = await self._response.receive()
        except LinkBroken as exc:
            raise Unavailable(str(exc)) from exc
        if data:
            return data
        if self._splitter.pending:
            raise Unavailable("the watch ended in the middle of an event")
        raise StopAsyncIteration


def _lost(request: HttpRequest, why: str) -> OutcomeUnknown | Unavailable:
    text = f"{request.method} {request.target}: {why}"
    return OutcomeUnknown(text) if request.writes else Unavailable(text)


@asynccontextmanager
async def open_cluster(credentials: Credentials) -> AsyncIterator[HttpCluster]:
    """The API server that these credentials are for. Nothing is dialled before the first call.

    Raises:
        UserError: the credentials' certificates are not usable.
    """
    async with open_session(credentials) as session:
        yield HttpCluster(session)
