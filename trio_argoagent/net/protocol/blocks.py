"""Header blocks, written and read without the library where that is plain (RFC 7541).

On a connection that stands, most fields are in the table already, and the others are not to enter it. A block
of such fields changes no state of either side, and what stands in it is found without a search. Whatever is
not so plain is left to the library: a field that enters the table, a table that changes its size, Huffman
coding, and every block that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from h2.errors import ErrorCodes
from h2.exceptions import DenialOfServiceError, ProtocolError
from hpack import Decoder, Encoder, HPACKError, NeverIndexedHeaderTuple, OversizedHeaderListError
from hpack.hpack import encode_integer
from hpack.table import HeaderTable, table_entry_size

_INDEXED: Final = 0x80
"""The bit of a field that stands in the table, or of a text that is Huffman coded."""
_TABLE: Final = 0x20
"""From here on a field enters the table, or the table changes its size."""
_NEVER: Final = 0x10
"""The bit of a literal that must enter no table, anywhere."""
_NAME: Final = 0x0F
"""The bits of the index of a literal's name; all of them: bytes follow."""
_SHORT: Final = 0x7F
"""All bits of a length, or of an index in the table: bytes follow."""


class CompressionError(ProtocolError):
    """A header block that cannot be decompressed (RFC 9113 section 4.3)."""

    error_code = ErrorCodes.COMPRESSION_ERROR


class PlainEncoder(Encoder):
    """Without Huffman coding: in Python it costs more than the bytes it saves."""

    def __init__(self) -> None:
        super().__init__()
        # What stands in the table, as it is written; good as long as the table stays as it is.
        self._written: dict[Any, bytes] = {}

    @property
    def header_table_size(self) -> int:
        """See ``Encoder``."""
        return self.header_table.maxsize

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        self._written.clear()
        self.header_table.maxsize = value
        if self.header_table.resized:
            self.table_size_changes.append(value)

    def encode(self, headers: Iterable[Any], huffman: bool = False) -> bytes:
        """See ``Encoder``."""
        if self.header_table.resized:
            self._written.clear()
            return super().encode(headers, huffman)
        written = self._written
        return b"".join([written.get(field) or self._write(field) for field in headers])

    def _write(self, field: tuple[bytes, bytes]) -> bytes:
        never = type(field) is NeverIndexedHeaderTuple
        if never and (known := HeaderTable.STATIC_TABLE_MAPPING.get(field[0])) and field[1] not in known[1]:
            return _literal(known[0], field[1])
        block = self.add((field[0], field[1]), never)
        if block[0] & _INDEXED:
            self._written[field] = block
        elif not never:
            self._written.clear()  # It has entered the table, and the others have moved on.
        return block


def _literal(index: int, value: bytes) -> bytes:
    """A field that enters no table; its name stands in the static one."""
    name = bytes((_NEVER | index,)) if index < _NAME else bytes((_NEVER | _NAME, index - _NAME))
    length = bytes((len(value),)) if len(value) < _SHORT else bytes(encode_integer(len(value), 7))
    return b"".join((name, length, value))


class _NotPlain(Exception):
    """The library knows what it means."""


class PlainDecoder(Decoder):
    """Its errors are those of HTTP/2."""

    def decode(self, data: bytes, raw: bool = False) -> Iterable[Any]:
        """See ``Decoder``; always raw.

        Raises:
            CompressionError: it is no header block.
            DenialOfServiceError: the list is too long.
        """
        try:
            try:
                return self._read(data)
            except (_NotPlain, IndexError):
                return super().decode(data, raw=True)
        except OversizedHeaderListError as exc:
            raise DenialOfServiceError(f"Oversized header block: {exc}") from exc
        except (HPACKError, IndexError, TypeError, UnicodeDecodeError) as exc:
            # The library's text has an address of this process in it, and the peer is told ours.
            raise CompressionError("a header block that cannot be decompressed") from exc

    def _read(self, data: bytes) -> list[tuple[bytes, bytes]]:
        fields: list[tuple[bytes, bytes]] = []
        known = self.header_table.get_by_index
        at, left = 0, self.max_header_list_size
        while at < len(data):
            first = data[at]
            at += 1
            if first >= _INDEXED:
                field = known(_small(first - _INDEXED, _SHORT))
            elif first >= _TABLE:
                raise _NotPlain
            else:
                index = first & _NAME
                if index == _NAME:
                    index += _small(data[at], _INDEXED)
                    at += 1
                name, at = (known(index)[0], at) if index else _text(data, at)
                value, at = _text(data, at)
                field = name, value
            left -= table_entry_size(*field)
            if left < 0:
                raise _NotPlain
            fields.append(field)
        return fields


def _small(number: int, bound: int) -> int:
    if number >= bound:
        raise _NotPlain
    return number


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    """A name or a value, and where the next thing begins."""
    length = _small(data[at], _INDEXED)
    at += 1
    if length == _SHORT:
        length, at = length + data[at], at + 1
        if length >= _SHORT + _INDEXED:
            length, at = length - _INDEXED + (_small(data[at], _INDEXED) << 7), at + 1
    end = at + length
    if end > len(data):
        raise _NotPlain
    return data[at:end], end
