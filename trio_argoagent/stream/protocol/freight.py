"""The bodies of records on one link: what one end loads, the other unloads.

A record travels as one message, or, if both ends know of ``parts`` and its data is longer than one, as a
message with the first part and further ones with the rest. Between them goes whatever else there is to say,
so that a large record keeps nobody waiting; of two large ones the second begins when the first is through.
One that has begun comes to its end, so that an object which keeps changing gets across a slow link; only what
is small enough to be through at once takes its place. The other end sees that by what comes instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Final

import attrs
from msgspec import structs

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Record
from trio_argoagent.ports.transport import MAX_FRAME
from trio_argoagent.stream.protocol.bases import BUDGET, Bases, Pool
from trio_argoagent.stream.protocol.messages import MAX_PART, Part, RecordMessage
from trio_argoagent.stream.protocol.negotiation import Capability, Terms
from trio_argoagent.stream.protocol.payload import MAX_BODY, Encoding, Packed, pack, pack_against, unpack

MAX_WHOLE: Final = MAX_FRAME - 4 * 1024
"""Bytes of data that one message carries to an end that knows of no parts: more than an API server stores."""
MAX_LOADED: Final = 4
"""Records that have been taken and are not through: while there are so many, no more are taken."""
_NEEDS: Final[Mapping[Encoding, Capability]] = {
    Encoding.ZSTD: Capability.ZSTD,
    Encoding.PREFIX: Capability.PREFIX,
}


@attrs.define
class FreightStatistics:
    """Counters of one feed's bodies, over all its links."""

    whole: int = 0
    """Bodies that have travelled by themselves."""
    referring: int = 0
    """Bodies that have travelled as what they differ by from an earlier one."""
    in_parts: int = 0
    """Those of both that have travelled in parts."""
    abandoned: int = 0
    """Bodies that were left in the middle for a newer one."""
    evicted: int = 0
    """Bodies that cannot be referred to any more, because others took their place."""
    plain_bytes: int = 0
    """Of the bodies that have travelled."""
    packed_bytes: int = 0
    """The same as they have travelled, compressed or as what they differ by."""


@attrs.define(eq=False)
class _Load:
    """A record that goes in parts, and its plain body."""

    message: RecordMessage
    body: bytes = attrs.field(repr=False)
    sent: int = 0


class Loader:
    """The sending end. Its caller has said what is called sent here: once returned, it must travel.

    Args:
        terms: of the link.
        alone: the kinds whose bodies refer to no other.
        budget: bytes of packed bodies that are kept to refer to.
        counts: counters that outlive the link.
        pool: what its bodies share with those of other links.
    """

    def __init__(
        self,
        terms: Terms,
        alone: Collection[Kind] = (),
        *,
        budget: int = BUDGET,
        counts: FreightStatistics | None = None,
        pool: Pool | None = None,
    ) -> None:
        self._terms, self._alone = terms, alone
        self._bases = Bases(budget if terms.has(Capability.PREFIX) else 0, pool)
        self._loads: deque[_Load] = deque()
        self._counts = counts if counts is not None else FreightStatistics()
        self._turn = False

    @property
    def takes(self) -> bool:
        """Is it a record's turn? Else a part's."""
        return not self._loads or (not self._turn and len(self._loads) < MAX_LOADED)

    def load(self, number: int, record: Record) -> RecordMessage | None:
        """The message of a record with its plain body; None: it goes in parts.

        Raises:
            LocalProtocolError: its body is too large to travel.
        """
        self._turn = True
        if record.body is None:
            self._bases.drop(record.key)
            self._forsake(record.key, begun=True)
            return RecordMessage(number, record)
        packed, base = self._pack(record.key, record.body)
        message = RecordMessage(number, structs.replace(record, body=packed.data), packed.encoding, base)
        parted = len(packed.data) > MAX_PART and self._terms.has(Capability.PARTS)
        if not parted and len(packed.data) > MAX_WHOLE:
            raise LocalProtocolError(
                f"a body of {len(packed.data)} bytes; the other side takes {MAX_WHOLE} in one piece"
            )
        self._forsake(record.key, begun=not parted)
        load = _Load(message, record.body)
        if parted:
            self._loads.append(load)
            return None
        self._gone(load)
        return message

    def _pack(self, key: Key, body: bytes) -> tuple[Packed, int]:
        base = self._bases.find(key)
        if base is not None and len(body) <= MAX_BODY:
            packed = pack_against(body, base.body)
            if len(packed.data) < len(base.packed.data):
                return packed, base.number
        return pack(body, compress=self._terms.has(Capability.ZSTD)), 0

    def part(self) -> RecordMessage | Part | None:
        """The next part of what has been loaded; None: nothing has."""
        self._turn = False
        if not self._loads:
            return None
        load = self._loads[0]
        data = load.message.record.body or b""
        begin, load.sent = load.sent, load.sent + MAX_PART
        if load.sent >= len(data):
            self._loads.popleft()
            self._gone(load)
            self._counts.in_parts += 1
        if begin:
            return Part(load.message.number, data[begin : load.sent])
        first = structs.replace(load.message.record, body=data[:MAX_PART])
        return structs.replace(load.message, record=first, length=len(data))

    def _gone(self, load: _Load) -> None:
        """The last of it travels now."""
        message, key = load.message, load.message.record.key
        self._counts.referring += message.encoding is Encoding.PREFIX
        self._counts.whole += message.encoding is not Encoding.PREFIX
        self._counts.plain_bytes += len(load.body)
        self._counts.packed_bytes += len(message.record.body or b"")
        if key.kind not in self._alone:
            packed = Packed(message.encoding, message.record.body or b"")
            self._counts.evicted += self._bases.travelled(key, message.number, packed, load.body)

    def _forsake(self, key: Key, *, begun: bool) -> None:
        """What is still loaded of this key is out of date; ``begun``: also what has left in part."""
        for load in [load for load in self._loads if load.message.record.key == key]:
            if begun or not load.sent:
                self._loads.remove(load)
                self._counts.abandoned += load.sent > 0

    def end(self) -> None:
        """The link has ended: nothing is kept."""
        self._bases.clear()

    def unreadable(self, key: Key) -> None:
        """The other end has not got what a record of this key referred to."""
        self._bases.drop(key)


@attrs.frozen
class Unreadable:
    """A record whose body refers to one that is not here."""

    number: int
    key: Key


Unloaded = tuple[int, Record] | Unreadable | None
"""A record with its number and its plain body; None: there is more of it to come."""


class Unloader:
    """The receiving end.

    Args:
        terms: of the link.
        alone: the kinds whose bodies refer to no other.
        budget: bytes of packed bodies that are kept for later ones to refer to.
        pool: what they share with those of other links.
    """

    def __init__(
        self,
        terms: Terms,
        alone: Collection[Kind] = (),
        *,
        budget: int = BUDGET,
        pool: Pool | None = None,
    ) -> None:
        self._terms, self._alone = terms, alone
        self._bases = Bases(budget if terms.has(Capability.PREFIX) else 0, pool)
        self._begun: RecordMessage | None = None
        self._data = bytearray()

    def message(self, message: RecordMessage) -> Unloaded:
        """A record has come, or the beginning of one.

        Raises:
            RemoteProtocolError: its body is not what was agreed on.
        """
        needed = _NEEDS.get(message.encoding)
        if needed is not None and not self._terms.has(needed):
            raise RemoteProtocolError(f"a body in the encoding {needed}, which was not agreed on")
        if message.length:
            self._begin(message)
            return None
        if self._begun is not None and self._begun.record.key == message.record.key:
            self._forget()
        return self._whole(message)

    def _begin(self, message: RecordMessage) -> None:
        if not self._terms.has(Capability.PARTS):
            raise RemoteProtocolError("a body in parts, which were not agreed on")
        self._forget()
        self._begun = message
        self._data += message.record.body or b""

    def part(self, part: Part) -> Unloaded:
        """A part has come.

        Raises:
            RemoteProtocolError: it belongs to nothing that has begun, or is longer than what that lacks.
        """
        message = self._begun
        if message is None or part.number != message.number:
            raise RemoteProtocolError(f"a part of record {part.number}, which has not begun")
        self._data += part.data
        if len(self._data) > message.length:
            raise RemoteProtocolError(f"a part of record {part.number} that is longer than what it lacks")
        if len(self._data) < message.length:
            return None
        data = bytes(self._data)
        self._forget()
        return self._whole(structs.replace(message, record=structs.replace(message.record, body=data)))

    def end(self) -> None:
        """The link has ended: nothing is kept."""
        self._bases.clear()

    def _forget(self) -> None:
        self._begun = None
        self._data = bytearray()

    def _whole(self, message: RecordMessage) -> Unloaded:
        record, number = message.record, message.number
        if record.body is None:
            self._bases.drop(record.key)
            return number, record
        packed, referred = Packed(message.encoding, record.body), b""
        if message.encoding is Encoding.PREFIX:
            base = self._bases.find(record.key)
            if base is None or base.number != message.base:
                return Unreadable(number, record.key)
            referred = base.body
        body = unpack(packed, referred)
        if record.key.kind not in self._alone:
            self._bases.travelled(record.key, number, packed, body)
        return number, structs.replace(record, body=body)
