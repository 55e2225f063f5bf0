"""The events of a watch, out of a byte stream that may be cut anywhere.

An API server writes one JSON value per line: ``{"type": ..., "object": ...}``. How lines meet the borders of
TLS records and HTTP/2 frames is chance; a character of several bytes may be split too, so lines are found in
bytes and decoded whole.
"""

from __future__ import annotations

from typing import Final

import msgspec

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.kube.protocol.answers import UNREADABLE, detached, parse_object
from trio_argoagent.kube.protocol.status import event_error, parse_status
from trio_argoagent.model import nesting
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import EventType, WatchEvent

EVENT: Final = 4 * 1024 * 1024
"""Bytes of one event. etcd takes objects of 1.5 MiB; JSON, old and new, may double that, no more."""

_TYPES: Final = {kind.value: kind for kind in EventType}


class LineSplitter:
    """Bytes in, whole lines out."""

    def __init__(self, limit: int = EVENT) -> None:
        self._limit = limit
        # Pieces of the line that has not ended; joined once, or a long line would cost its square.
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def pending(self) -> int:
        """Bytes of a line that has begun and not ended."""
        return self._size

    def feed(self, data: bytes) -> list[bytes]:
        """Take what has arrived.

        Returns:
            The lines that are complete now, without their ends; blank ones are left out.

        Raises:
            RemoteProtocolError: a line is longer than the limit.
        """
        first, *rest = data.split(b"\n")
        self._add(first)
        lines = []
        for piece in rest:
            lines.append(b"".join(self._pieces))
            self._pieces, self._size = [], 0
            self._add(piece)
        return [line for line in lines if line.strip()]

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise RemoteProtocolError(f"an event of a watch is longer than {self._limit} bytes")
        if piece:
            self._pieces.append(piece)


class _Envelope(msgspec.Struct):
    type: str
    object: msgspec.Raw


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def parse_event(line: bytes, resource: Resource) -> WatchEvent | None:
    """The event of one line; None if its type is one that we do not know.

    Raises:
        ApiError: it is an ERROR event; ``Expired`` when the version is too old.
        RemoteProtocolError: it is no event of a watch of that resource.
    """
    try:
        envelope = nesting.decode(_ENVELOPE, line)
    except UNREADABLE as exc:
        raise RemoteProtocolError(f"not an event of a watch: {exc}") from exc
    if envelope.type == "ERROR":
        status = parse_status(envelope.object)
        if status is None:
            raise RemoteProtocolError("an ERROR event without a Status")
        raise event_error(status)
    kind = _TYPES.get(envelope.type)
    if kind is None:
        return None
    if kind is EventType.BOOKMARK:
        return WatchEvent(kind, detached(Object.parse(envelope.object)))
    found = parse_object(envelope.object, resource)
    if not (found.meta.name and found.meta.uid and found.meta.resource_version):
        raise RemoteProtocolError(f"an event about {found!r}, which has no name, uid or resourceVersion")
    return WatchEvent(kind, found)
