"""A message, or a part of one: an attrs class as the list of its fields."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from trio_argoagent.stream.protocol.compiled import Writer
from trio_argoagent.stream.protocol.shapes import Mismatch, Shape, reading, writing

T = TypeVar("T")


class Fields(Generic[T]):
    """An attrs class as a list of its fields, in their order. More fields than we know are ignored.

    Args:
        made: what to call with the values read.
        check: what the fields must fulfil together; raises ``Mismatch``.
        fields: the shape of each attribute, in the order of the wire.
    """

    def __init__(
        self, made: Callable[..., T], check: Callable[[T], None] | None = None, /, **fields: Shape[Any]
    ) -> None:
        self._made = made
        self._check = check
        self.names = tuple(fields)
        self._readers = tuple(shape.read for shape in fields.values())
        self._writers = tuple(shape.write for shape in fields.values())
        self._values = tuple(operator.attrgetter(name) for name in fields)
        self.read: Callable[[object], T] = self._read_plainly
        """See ``Shape``."""
        self.write: Callable[[T], list[object]] = self._write_plainly
        """See ``Shape``."""
        if fields:
            writer = Writer(Mismatch, check)
            sources = [reading(shape, writer.bind) for shape in fields.values()]
            self.read = writer.reader(sources, made, self._read_plainly)
            sources = [writing(shape, writer.bind) for shape in fields.values()]
            self.write = writer.writer(sources, self.names, self._write_plainly)

    def _read_plainly(self, value: object) -> T:
        if type(value) is not tuple or len(value) < len(self.names):
            raise Mismatch(f"a list of {len(self.names)} fields")
        done: list[Any] = []
        try:
            done.extend(map(operator.call, self._readers, value))
        except Mismatch as exc:
            exc.path.append(self.names[len(done)])
            raise
        made = self._made(*done)
        if self._check is not None:
            self._check(made)
        return made

    def _write_plainly(self, value: T) -> list[object]:
        if self._check is not None:
            self._check(value)
        done: list[object] = []
        try:
            done.extend(map(operator.call, self._writers, [get(value) for get in self._values]))
        except Mismatch as exc:
            exc.path.append(self.names[len(done)])
            raise
        return done
