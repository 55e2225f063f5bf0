"""Connections and credentials under the client, both replaced while it runs.

A token that expired costs one answer of 401, one reading of its source and a second attempt; a token file is
read again each minute before it comes to that, as client-go does. A new certificate needs new connections:
the old ones finish what they can in ``RETIRE`` seconds. However many requests are refused at once, the source
is read once.
"""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import Final, Protocol

import trio

from trio_argoagent._version import __version__
from trio_argoagent.errors import LinkBroken, UserError
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.protocol.requests import HttpRequest
from trio_argoagent.model.latency import Latencies
from trio_argoagent.net.client import Response, StreamedResponse, open_client
from trio_argoagent.net.connect import tunnel
from trio_argoagent.net.contexts import client_context
from trio_argoagent.net.http import Headers
from trio_argoagent.net.proxy import parse_proxy

REREAD: Final = 60.0
"""Seconds between two readings of credentials that rotate. Kubelets replace a token at 80 % of its life."""
EARLY: Final = 60.0
"""Seconds before their end that credentials which say when they end are read again."""
RETIRE: Final = 30.0
"""Seconds a connection of the identity before may still be used for what runs on it."""

NO_ANSWER: Final = "<error>"
"""The code that client-go counts a request under to which no answer came."""
USER_AGENT: Final = f"trio-argoagent/{__version__}"
"""Its part before the slash is also the field manager of our writes."""


class Http(Protocol):
    """What is needed of ``net.client.HttpClient``."""

    async def request(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Response:
        """Send a request and read the whole answer."""

    def stream(
        self, method: str, target: str, headers: Headers = (), body: bytes = b""
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """Send a request and read the answer as it comes."""


Dial = Callable[[Credentials, ssl.SSLContext | None], AbstractAsyncContextManager[Http]]


class Session:
    """Sends requests as whoever the credentials say we are at that moment.

    Args:
        credentials: to begin with.
        dial: opens a client; nothing may be dialled before its first request.
    """

    def __init__(self, credentials: Credentials, dial: Dial) -> None:
        self._credentials = credentials
        self._dial = dial
        self._context = make_context(credentials)
        self._client: Http | None = None
        self._outdated = trio.Event()
        self._renewed = trio.Event()
        self._reading = trio.Lock()
        self._due = trio.current_time() + _fresh_for(credentials)
        self.requests: Counter[tuple[str, str]] = Counter()
        """Requests by method, and code of the answer or ``NO_ANSWER``."""
        self.durations: dict[str, Latencies] = {}
        """By method: until the answer, or of what is streamed the beginning of it."""
        self.date = ""
        """By the server's clock, as the header of its last whole answer has it; empty: it has not said."""
        self.reloads = 0
        """Times the credentials were read again."""
        self.last_error = ""
        """Why the last reading failed; empty if it did not. What was read before it stays in use."""

    @property
    def credentials(self) -> Credentials:
        """The newest."""
        return self._credentials

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep a client open for the newest identity until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                outdated, renewed = self._outdated, self._renewed
                self._client = await nursery.start(self._keep, outdated)
                renewed.set()
                task_status.started()
                task_status = trio.TASK_STATUS_IGNORED
                await outdated.wait()

    async def _keep(self, outdated: trio.Event, *, task_status: trio.TaskStatus[Http]) -> None:
        async with self._dial(self._credentials, self._context) as client:
            task_status.started(client)
            await outdated.wait()
            await trio.sleep(RETIRE)

    async def request(self, request: HttpRequest) -> Response:
        """Send it and read the whole answer, whatever its status.

        Raises:
            ConnectionBroken: ``sent`` tells whether it may have been acted upon.
        """
        credentials = await self._fresh()
        response = await self._send(request, credentials)
        if response.status == 401 and await self.renew(credentials):
            response = await self._send(request, self._credentials)
        return response

    @asynccontextmanager
    async def stream(self, request: HttpRequest) -> AsyncIterator[StreamedResponse]:
        """Send it and read the answer as it comes.

        Raises:
            ConnectionBroken: likewise.
        """
        credentials = await self._fresh()
        async with self._open(request, credentials) as response:
            if response.status != 401 or not await self.renew(credentials):
                yield response
                return
        async with self._open(request, self._credentials) as response:
            yield response

    async def renew(self, used: Credentials) -> bool:
        """Read the credentials again, unless somebody has since ``used``; True if they are others now."""
        async with self._reading:
            if used is not self._credentials:
                return True
            if used.reload is None:
                return False
            # Whatever comes of it, not again for each request.
            self._due = trio.current_time() + REREAD
            self.reloads += 1
            try:
                found = await used.reload()
                context = make_context(found) if used.needs_new_connection(found) else None
            except UserError as exc:
                # Perhaps it is just being replaced. What we hold may be good still; the next 401 tells.
                self.last_error = str(exc)
                return False
            self.last_error = ""
            self._due = trio.current_time() + _fresh_for(found)
            if found == used:
                return False
            self._credentials = found
            if used.needs_new_connection(found):
                await self._replace(context)
            return True

    async def _replace(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        outdated, self._outdated, self._renewed = self._outdated, trio.Event(), trio.Event()
        outdated.set()
        await self._renewed.wait()

    async def _fresh(self) -> Credentials:
        if trio.current_time() >= self._due:
            # Before waiting: one reading is enough for all who come meanwhile.
            self._due = trio.current_time() + REREAD
            await self.renew(self._credentials)
        return self._credentials

    async def _send(self, request: HttpRequest, credentials: Credentials) -> Response:
        assert self._client is not None  # made by open_session, which waits for run
        target, headers = credentials.prefix + request.target, _headers(request, credentials)
        with self._counting(request):
            response = await self._client.request(request.method, target, headers, request.body)
        self._answered(request, response.status)
        self.date = response.header("date") or self.date
        return response

    @asynccontextmanager
    async def _open(self, request: HttpRequest, credentials: Credentials) -> AsyncIterator[StreamedResponse]:
        assert self._client is not None
        target, headers = credentials.prefix + request.target, _headers(request, credentials)
        stream = self._client.stream(request.method, target, headers, request.body)
        async with AsyncExitStack() as stack:
            with self._counting(request):
                response = await stack.enter_async_context(stream)
            self._answered(request, response.status)
            yield response

    def _answered(self, request: HttpRequest, status: int) -> None:
        code = str(status) if 100 <= status <= 599 else NO_ANSWER  # What is no status is no answer.
        self.requests[request.method, code] += 1

    @contextmanager
    def _counting(self, request: HttpRequest) -> Iterator[None]:
        began = trio.current_time()
        try:
            yield
            self.durations.setdefault(request.method, Latencies()).note(trio.current_time() - began)
        except LinkBroken:
            self.requests[request.method, NO_ANSWER] += 1
            raise


def _fresh_for(credentials: Credentials) -> float:
    """Seconds from reading them until they are to be read again, unless they are refused earlier.

    Counted from the reading, so a clock that is set meanwhile changes nothing. However short they claim to
    live (or the clock of who made them is wrong), a plugin is not run for each request.
    """
    if credentials.lifetime is not None:
        return max(REREAD, credentials.lifetime - EARLY)
    return REREAD if credentials.rotates else float("inf")


def make_context(credentials: Credentials) -> ssl.SSLContext | None:
    """The TLS settings for these credentials; None without TLS.

    Raises:
        UserError: their PEM is not usable.
    """
    if not credentials.tls:
        return None
    return client_context(
        ca=credentials.ca,
        certificate=credentials.certificate,
        key=credentials.key,
        alpn=("h2", "http/1.1"),
        verify=credentials.verify,
    )


def dial_http(credentials: Credentials, context: ssl.SSLContext | None) -> AbstractAsyncContextManager[Http]:
    """A client for the server of these credentials: on HTTP/2 where the server can, through their proxy.

    Raises:
        UserError: the proxy's URL is not usable.
    """
    return open_client(
        host=credentials.host,
        port=credentials.port,
        context=context,
        server_hostname=credentials.server_name or None,
        connect=tunnel(parse_proxy(credentials.proxy)) if credentials.proxy else None,
        # What is spoken to without TLS is a local proxy such as kubectl's, and those know HTTP/1.1 only.
        http1=True,
    )


@asynccontextmanager
async def open_session(credentials: Credentials, dial: Dial = dial_http) -> AsyncIterator[Session]:
    """A session that lives as long as the block.

    Raises:
        UserError: the credentials' PEM is not usable.
    """
    session = Session(credentials, dial)
    async with trio.open_nursery() as nursery:
        await nursery.start(session.run)
        yield session
        nursery.cancel_scope.cancel()


def _headers(request: HttpRequest, credentials: Credentials) -> Headers:
    return (*request.headers, ("user-agent", USER_AGENT), *credentials.headers)
