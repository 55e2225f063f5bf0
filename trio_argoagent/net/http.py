"""The seam of a server. One request and its answer, the same for HTTP/1.1 and HTTP/2.

A handler is ``async def handler(exchange)``. It reads the request, answers with ``respond``, or with
``start``, ``send`` and ``end`` when the answer is a stream, and returns. When the peer goes away the handler
is cancelled. It runs in a task of its own, unless it says of a request that it answers without a wait
(``Prompt``): a task costs as much as a small answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable
from urllib.parse import parse_qs

import attrs

from trio_argoagent.net.certificates import Standing, unbound

if TYPE_CHECKING:
    from trio_argoagent.net.http2 import Http2Stream

Headers = tuple[tuple[str, str], ...]

BODY: Final = 4 * 1024 * 1024
"""Bytes of a request body, unless the handler says otherwise."""


@attrs.frozen(eq=False)
class Request:
    """What the peer asks for.

    Attributes:
        method: upper case.
        target: path and query as they were sent.
        headers: names in lower case.
        authority: host and port the peer believes to talk to.
        version: ``1.1`` or ``2``.
        peer_certificate: DER, verified; None without mutual TLS.
        peer_address: ``host:port`` that the connection comes from; empty where there is none.
        peer_standing: how long that certificate counts.
    """

    method: str
    target: str
    headers: Headers
    authority: str = ""
    version: str = "2"
    peer_certificate: bytes | None = None
    peer_address: str = ""
    peer_standing: Callable[[], Standing] = unbound

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The query's values by name, blank ones included; not to be changed."""
        query = self.target.partition("?")[2]
        return parse_qs(query, keep_blank_values=True) if query else {}

    @cached_property
    def _first(self) -> dict[str, str]:
        return dict(reversed(self.headers))

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name (lower case)."""
        return self._first.get(name, default)


class Exchange(Protocol):
    """One request and its answer. One task uses it.

    Every method that reads or sends raises ``LinkBroken`` once the peer is gone.
    """

    @property
    def request(self) -> Request:
        """What is asked for."""

    @property
    def stream(self) -> Http2Stream | None:
        """The stream itself, for what is no plain answer; None with HTTP/1.1."""

    @property
    def started(self) -> bool:
        """Whether the answer's headers have been sent."""

    async def body(self, limit: int = BODY) -> bytes:
        """The whole request body.

        Raises:
            BodyTooLarge: it is longer than ``limit`` bytes.
        """

    async def receive(self) -> bytes:
        """The next part of the request body; empty at its end."""

    async def respond(self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        """Answer in one go; ``content-length`` is added."""

    async def start(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Begin an answer of unknown length."""

    async def send(self, data: bytes) -> None:
        """Send a part of it; waits while too much is on its way."""

    async def end(self) -> None:
        """It is complete."""


Handler = Callable[[Exchange], Awaitable[None]]


@runtime_checkable
class Prompt(Protocol):
    """A ``Handler`` that answers some requests without a wait."""

    def is_prompt(self, request: Request) -> bool:
        """Does it answer that one, once the body is here, and wait for nothing but its exchange?"""


def never(request: Request) -> bool:
    """The ``is_prompt`` of all other handlers."""
    return False
