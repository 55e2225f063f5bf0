"""An HTTP client whose answers a test has written down."""

from __future__ import annotations

import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from trio_argoagent.kube.client import HttpCluster
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.session import Session, open_session
from trio_argoagent.net.client import Response
from trio_argoagent.net.http import Headers

Answer = tuple[int, Any] | Exception | Callable[[], Awaitable[tuple[int, Any]]]
"""A status and a JSON body (or its bytes); or what is raised; or what decides when the request comes."""


@attrs.frozen
class Asked:
    """One request, as it arrived."""

    at: float
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Streamed:
    """An answer that comes in pieces; an exception among them is raised, and after the last one it ends."""

    def __init__(self, status: int, pieces: list[bytes | Exception]) -> None:
        self.status, self.headers = status, ()
        self._pieces = deque(pieces)

    async def receive(self) -> bytes:
        """The next piece."""
        await trio.lowlevel.checkpoint()
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if isinstance(piece, Exception):
            raise piece
        return piece


class FakeHttp:
    """Answers in the order they were given; when there is none left it hangs."""

    def __init__(self, *answers: Answer) -> None:
        self.answers: deque[Answer] = deque(answers)
        self.asked: list[Asked] = []
        self.headers: Headers = ()
        self.pieces: list[bytes | Exception] = []

    async def _answer(self, method: str, target: str, headers: Headers, body: bytes) -> tuple[int, bytes]:
        await trio.lowlevel.checkpoint()
        self.asked.append(Asked(trio.current_time(), method, target, dict(headers), body))
        if not self.answers:
            await trio.sleep_forever()
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        status, content = answer if isinstance(answer, tuple) else await answer()
        return status, content if isinstance(content, bytes) else json.dumps(content).encode()

    async def request(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Response:
        """A whole answer."""
        status, content = await self._answer(method, target, headers, body)
        return Response(status, self.headers, content)

    @asynccontextmanager
    async def stream(
        self, method: str, target: str, headers: Headers = (), body: bytes = b""
    ) -> AsyncIterator[Any]:
        """The body that was given, then ``pieces``."""
        status, content = await self._answer(method, target, headers, body)
        yield Streamed(status, [content] if status != 200 else self.pieces)

    @asynccontextmanager
    async def dial(self, credentials: Credentials, context: ssl.SSLContext | None) -> AsyncIterator[FakeHttp]:
        """A session's way to get this client, whoever it is."""
        yield self


@asynccontextmanager
async def session_over(http: FakeHttp, credentials: Credentials | None = None) -> AsyncIterator[Session]:
    """A session whose only client is this one."""
    async with open_session(credentials or Credentials("h", tls=False), http.dial) as session:
        yield session


@asynccontextmanager
async def cluster_over(http: FakeHttp, credentials: Credentials | None = None) -> AsyncIterator[HttpCluster]:
    """A cluster whose only client is this one."""
    async with session_over(http, credentials) as session:
        yield HttpCluster(session)


def app(name: str = "a", version: int = 1) -> dict[str, Any]:
    """An Application, as a server answers it."""
    metadata = {"name": name, "namespace": "n", "uid": f"u-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata}


def refusal(code: int, reason: str, seconds: int = 0) -> tuple[int, dict[str, Any]]:
    """A Status."""
    details = {"retryAfterSeconds": seconds} if seconds else None
    return code, {"kind": "Status", "code": code, "reason": reason, "message": "no", "details": details}
