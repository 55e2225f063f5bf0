"""A message and one frame: ``encode`` and ``decode``.

A frame comes from a peer that may be hostile, and msgpack allocates from headers: 3 KB of nested array
headers that claim 65,535 items each take 82 MB before the first item is missed. So everything is bounded
before it is unpacked: the frame itself, each array, text and blob by the unpacker's limits, and in a large
frame the number of arrays by a budget. Maps and extension types, which the vocabulary does not use, are
refused: within a few KiB by the shape of the field, else where they begin.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import msgpack  # type: ignore[import-untyped]
import msgspec

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.ports.transport import MAX_FRAME
from trio_argoagent.stream.protocol.messages import MAX_ENTRIES, MAX_LINE, Message
from trio_argoagent.stream.protocol.shapes import Mismatch
from trio_argoagent.stream.protocol.vocabulary import IGNORED_FROM, NUMBERS, TYPES

LARGE: Final = 32 * 1024
"""Bytes; what a shorter frame can make us allocate, some 28 times its size, is harmless."""
MAX_ARRAYS: Final = 16 * MAX_ENTRIES
"""Arrays in one frame, nested ones included; an entry of ours has at most four."""

_LIMITS: Final[dict[str, Any]] = {
    "max_array_len": 2 * MAX_ENTRIES,
    "max_str_len": 4 * MAX_LINE,
    "max_bin_len": MAX_FRAME,
    "max_map_len": 0,
    "max_ext_len": 0,
}
"""Of one value each; UTF-8 takes up to four bytes for a character."""
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """One frame (without its length) of a message.

    A text for people that is too long is cut.

    Raises:
        LocalProtocolError: a value is out of bounds, so the peer would refuse it; the text names the path.
    """
    number = NUMBERS[type(message)]
    fields = TYPES[number][1]
    try:
        frame = _ENCODER.encode((number, *fields.write(message)))
    except (Mismatch, ValueError) as exc:
        # ValueError: text that is no UTF-8 (a lone surrogate).
        raise LocalProtocolError(f"{type(message).__name__}: {exc}") from exc
    return frame


def decode(frame: bytes) -> Message | None:
    """The message of one frame (without its length); None for one that may be ignored.

    Raises:
        RemoteProtocolError: it is not a frame of ours; the text names the path, never the value.
    """
    number = _number(frame)
    known = TYPES.get(number)
    if known is None:
        if number >= IGNORED_FROM:
            return None
        raise RemoteProtocolError(f"unknown message type {number}")
    made, fields = known
    if len(frame) > MAX_FRAME:
        raise RemoteProtocolError(f"{made.__name__}: {len(frame)} bytes are too many")
    try:
        message: Message = fields.read(_unpack(frame)[1:])
    except Mismatch as exc:
        raise RemoteProtocolError(f"{made.__name__}: {exc}") from exc
    return message


def _number(frame: bytes) -> int:
    """The message's number, read without unpacking: an unknown message may hold what we do not unpack."""
    if len(frame) > 1 and 0x91 <= frame[0] <= 0x9F and frame[1] < 0x80:
        return frame[1]  # What every frame of ours looks like.
    head = frame[:6]
    if head and 0x91 <= head[0] <= 0x9F:
        head = head[1:]
    elif head[:1] == b"\xdc" and head[1:3] > b"\0\0":
        head = head[3:]
    else:
        raise RemoteProtocolError("not a frame: expected a list")
    if head and head[0] < 0x80:
        return head[0]
    for mark, size in ((0xCC, 1), (0xCD, 2)):
        if head and head[0] == mark and len(head) > size:
            return int.from_bytes(head[1 : 1 + size])
    raise RemoteProtocolError("not a frame: expected the number of a message")


class _Budget:
    """Counts the arrays of one frame: the unpacker bounds each, not all of them together."""

    def __init__(self) -> None:
        self.left = MAX_ARRAYS

    def spend(self, array: tuple[object, ...]) -> tuple[object, ...]:
        self.left -= 1
        if self.left < 0:
            raise ValueError("too many lists")
        return array


class _SmallFrames:
    """Unpacks frames shorter than ``LARGE``, always with the same unpacker: to make one costs as much."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._unpacker: Any = msgpack.Unpacker(None, use_list=False, max_buffer_size=2 * LARGE, **_LIMITS)

    def unpack(self, frame: bytes) -> tuple[object, ...]:
        unpacker = self._unpacker
        try:
            unpacker.feed(frame)
            value: tuple[object, ...] = unpacker.unpack()
            if unpacker.read_bytes(1):
                raise ValueError("there is something behind it")
        except BaseException:
            self._renew()  # Whatever is left of this frame belongs to no other.
            raise
        return value


_small_frames: Final = _SmallFrames()


def _unpack(frame: bytes) -> tuple[object, ...]:
    """The plain value, unpacked within bounds."""
    try:
        if len(frame) < LARGE:
            return _small_frames.unpack(frame)
        # Hooks cost a call per array.
        value: tuple[object, ...] = msgpack.unpackb(
            frame, use_list=False, list_hook=_Budget().spend, object_hook=_no_maps, **_LIMITS
        )
    except (ValueError, msgpack.UnpackException) as exc:
        raise RemoteProtocolError(f"not a frame: {exc}") from exc
    return value


def _no_maps(_: object) -> NoReturn:
    raise ValueError("a map")
