"""Answers, as a client sees them."""

from __future__ import annotations

import attrs

from trio_argoagent.net.http import Headers
from trio_argoagent.net.lanes import Answer


@attrs.frozen
class Response:
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name (lower case)."""
        return next((value for key, value in self.headers if key == name), default)


@attrs.frozen
class StreamedResponse:
    """An answer whose body is still coming."""

    status: int
    headers: Headers
    _answer: Answer

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name (lower case)."""
        return next((value for key, value in self.headers if key == name), default)

    async def receive(self) -> bytes:
        """All of the body that has arrived; empty at its clean end.

        Raises:
            ConnectionBroken: it was cut off.
        """
        return await self._answer.receive()
