"""Large fields of an object that is kept, compressed until somebody reads them.

A thousand Applications of 40 KB are 40 MB as JSON and 5 MB compressed, most of it statuses that are read once
for each of their changes. zstd at its fastest takes 40 us to pack 32 KB and 25 us to unpack it; to keep a
digest and fetch the rest from the API server when it is needed would take a request instead.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import msgspec

from trio_argoagent.model.objects import Object

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGE: Final = 8 * 1024
"""Bytes of a field from which on it is kept compressed: an Application of 4 KB costs no time."""
_LEVEL: Final = 1


class PackedFields(Mapping[str, msgspec.Raw]):
    """The fields of an object; those that are large are unpacked anew each time."""

    __slots__ = ("_packed", "_plain")

    def __init__(self, fields: Mapping[str, msgspec.Raw]) -> None:
        plain, packed = dict[str, msgspec.Raw](), dict[str, bytes]()
        for name, raw in fields.items():
            data = bytes(raw)
            if len(data) < LARGE:
                plain[name] = raw
            else:
                packed[name] = zstd.compress(data, _LEVEL)
        self._plain, self._packed = plain, packed

    def __getitem__(self, name: str) -> msgspec.Raw:
        if name in self._packed:
            return msgspec.Raw(zstd.decompress(self._packed[name]))
        return self._plain[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._plain
        yield from self._packed

    def __len__(self) -> int:
        return len(self._plain) + len(self._packed)


def packed(thing: Object) -> Object:
    """The same object in less memory: an informer's transform."""
    if all(len(bytes(raw)) < LARGE for raw in thing.fields.values()):
        return thing
    return attrs.evolve(thing, fields=PackedFields(thing.fields))
