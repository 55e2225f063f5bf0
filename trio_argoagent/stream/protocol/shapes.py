"""Strict reading and writing of plain msgpack values.

A shape says what one value may be: its type, range and length. ``read`` turns what came off the wire into
our value, ``write`` does the reverse and checks the same bounds, so that a bug here is found here and not
by the peer. Both raise ``Mismatch``, which collects the path while it passes outwards: the way in costs
nothing for it. Lists are converted by ``done.extend(map(...))``: what was converted before a mismatch stays
in ``done``, so its length is the index of the culprit.

Simple shapes also say how they look as source (``reading``, ``writing``): see ``compiled``.
"""

from __future__ import annotations

import enum
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

import attrs

from trio_argoagent.stream.protocol.compiled import Bind, Source

T = TypeVar("T")
E = TypeVar("E", bound=enum.StrEnum)
C = TypeVar("C", bound=enum.IntEnum)


class Mismatch(Exception):
    """A value does not fit its shape. ``str()`` is ``path: expected what``, without the value itself.

    The value may be a secret, or a megabyte.
    """

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.path: list[str] = []

    def __str__(self) -> str:
        path = "".join(f".{part}" if not part.startswith("[") else part for part in reversed(self.path))
        return f"{path.lstrip('.')}: expected {self.expected}"


class Shape(Protocol[T]):
    """What one value may be."""

    def read(self, value: object) -> T:
        """Our value of what came off the wire.

        Raises:
            Mismatch: it is something else.
        """

    def write(self, value: T) -> object:
        """What goes onto the wire.

        Raises:
            Mismatch: the peer would refuse it.
        """


@attrs.frozen
class Text:
    """A string of bounded length (in characters), matching a pattern where there is one."""

    longest: int
    shortest: int = 0
    pattern: re.Pattern[str] | None = None
    called: str = "text"

    def read(self, value: object) -> str:
        """See ``Shape``."""
        if type(value) is not str:
            raise Mismatch("text")
        if not self.shortest <= len(value) <= self.longest:
            raise Mismatch(f"{self.called} of {self.shortest} to {self.longest} characters")
        if self.pattern is not None and self.pattern.fullmatch(value) is None:
            raise Mismatch(self.called)
        return value

    def reading(self, bind: Bind) -> Source:
        """See ``compiled``."""
        test = f"type(@) is str and {_length(self.shortest, self.longest)}"
        if self.pattern is not None:
            matches = f"{bind(self.pattern.fullmatch)}(@) is not None"
            # What may be empty mostly is.
            test += f" and (not @ or {matches})" if self.pattern.fullmatch("") else f" and {matches}"
        return Source(test)

    write = read
    writing = reading


@attrs.frozen
class Decimal:
    """Decimal digits (ASCII) of bounded number, or none at all."""

    longest: int
    called: str

    def read(self, value: object) -> str:
        """See ``Shape``."""
        if type(value) is not str:
            raise Mismatch("text")
        if len(value) > self.longest:
            raise Mismatch(f"{self.called} of 0 to {self.longest} characters")
        if value and not (value.isascii() and value.isdigit()):
            raise Mismatch(self.called)
        return value

    def reading(self, bind: Bind) -> Source:
        """See ``compiled``."""
        digits = "not @ or @.isascii() and @.isdigit()"
        return Source(f"type(@) is str and len(@) <= {self.longest} and ({digits})")

    write = read
    writing = reading


@attrs.frozen
class Line:
    """Text for people. Ours is cut to fit: an API server's long complaint must never end a link."""

    longest: int

    def read(self, value: object) -> str:
        """See ``Shape``."""
        if type(value) is not str:
            raise Mismatch("text")
        if len(value) > self.longest:
            raise Mismatch(f"text of 0 to {self.longest} characters")
        return value

    def write(self, value: str) -> str:
        """See ``Shape``."""
        return value if len(value) <= self.longest else value[: self.longest - 1] + "…"

    def reading(self, bind: Bind) -> Source:
        """See ``compiled``."""
        return Source(f"type(@) is str and len(@) <= {self.longest}")

    writing = reading


@attrs.frozen
class Whole:
    """An integer in a range, ends included. A boolean is none."""

    least: int
    most: int

    def read(self, value: object) -> int:
        """See ``Shape``."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise Mismatch(f"a whole number from {self.least} to {self.most}")
        return value

    def reading(self, bind: Bind) -> Source:
        """See ``compiled``."""
        return Source(f"type(@) is int and {self.least} <= @ <= {self.most}")

    write = read
    writing = reading


@attrs.frozen
class Seconds:
    """A finite number of seconds from 0 to ``most``."""

    most: float

    def read(self, value: object) -> float:
        """See ``Shape``."""
        # Every comparison with NaN is false.
        if (type(value) is int or type(value) is float) and 0 <= value <= self.most:
            return float(value)
        raise Mismatch(f"seconds from 0 to {self.most:g}")

    write = read


class Flag:
    """True or False."""

    def read(self, value: object) -> bool:
        """See ``Shape``."""
        if type(value) is not bool:
            raise Mismatch("true or false")
        return value

    write = read


@attrs.frozen
class Blob:
    """Bytes of bounded length."""

    longest: int
    shortest: int = 0

    def read(self, value: object) -> bytes:
        """See ``Shape``."""
        if type(value) is not bytes:
            raise Mismatch("bytes")
        if not self.shortest <= len(value) <= self.longest:
            raise Mismatch(f"{self.shortest} to {self.longest} bytes")
        return value

    def reading(self, bind: Bind) -> Source:
        """See ``compiled``."""
        return Source(f"type(@) is bytes and {_length(self.shortest, self.longest)}")

    write = read
    writing = reading


class Choice(Generic[E]):
    """A member of an enumeration, by its value. Unknown text becomes ``other`` where that is given."""

    def __init__(self, members: type[E], other: E | None = None) -> None:
        self._by_value: Mapping[str, E] = {member.value: member for member in members}
        self._members = members
        self._other = other
        self._expected = "one of " + ", ".join(self._by_value)

    def read(self, value: object) -> E:
        """See ``Shape``."""
        if type(value) is not str:
            raise Mismatch(self._expected)
        member = self._by_value.get(value, self._other)
        if member is None:
            raise Mismatch(self._expected)
        return member

    def write(self, value: E) -> object:
        """See ``Shape``."""
        if value not in self._by_value:
            raise Mismatch(self._expected)
        return value.value

    def reading(self, bind: Bind) -> Source:
        """See ``compiled``."""
        known = bind(self._by_value)
        return Source(f"type(@) is str and @ in {known}", f"{known}[@]")

    def writing(self, bind: Bind) -> Source:
        """See ``compiled``."""
        # What ``value`` is, without the property.
        return Source(f"type(@) is {bind(self._members)}", "@._value_")


class Code(Generic[C]):
    """A member of an enumeration, by its number."""

    def __init__(self, members: type[C]) -> None:
        self._by_number: Mapping[int, C] = {member.value: member for member in members}
        self._expected = "one of " + ", ".join(map(str, self._by_number))

    def read(self, value: object) -> C:
        """See ``Shape``."""
        if type(value) is not int or value not in self._by_number:
            raise Mismatch(self._expected)
        return self._by_number[value]

    def write(self, value: C) -> object:
        """See ``Shape``."""
        return value.value

    def reading(self, bind: Bind) -> Source:
        """See ``compiled``."""
        known = bind(self._by_number)
        return Source(f"type(@) is int and @ in {known}", f"{known}[@]")

    def writing(self, bind: Bind) -> Source:
        """See ``compiled``."""
        return Source("True", "@._value_")


class Optional(Generic[T]):
    """A value of that shape, or nil."""

    def __init__(self, shape: Shape[T]) -> None:
        self._shape = shape

    def read(self, value: object) -> T | None:
        """See ``Shape``."""
        return None if value is None else self._shape.read(value)

    def write(self, value: T | None) -> object:
        """See ``Shape``."""
        return None if value is None else self._shape.write(value)

    def reading(self, bind: Bind) -> Source:
        """See ``compiled``."""
        return reading(self._shape, bind).optional()

    def writing(self, bind: Bind) -> Source:
        """See ``compiled``."""
        return writing(self._shape, bind).optional()


class Many(Generic[T]):
    """A list of bounded length."""

    def __init__(self, shape: Shape[T], longest: int) -> None:
        self._shape = shape
        self._longest = longest

    def read(self, value: object) -> tuple[T, ...]:
        """See ``Shape``."""
        return self._each(value, self._shape.read)

    def write(self, value: tuple[T, ...]) -> tuple[object, ...]:
        """See ``Shape``."""
        return self._each(value, self._shape.write)

    def _each(self, value: object, convert: Callable[[Any], Any]) -> tuple[Any, ...]:
        if type(value) is not tuple:
            raise Mismatch("a list")
        if len(value) > self._longest:
            raise Mismatch(f"a list of at most {self._longest}")
        done: list[Any] = []
        try:
            done.extend(map(convert, value))
        except Mismatch as exc:
            exc.path.append(f"[{len(done)}]")
            raise
        return tuple(done)


class Pair:
    """Two values, each of its own shape. More are ignored, as everywhere: a later version may add some."""

    def __init__(self, first: Shape[Any], second: Shape[Any]) -> None:
        self._readers = (first.read, second.read)
        self._writers = (first.write, second.write)

    def read(self, value: object) -> Any:
        """See ``Shape``."""
        return self._each(value, self._readers)

    def write(self, value: Any) -> object:
        """See ``Shape``."""
        return self._each(value, self._writers)

    def _each(self, value: object, converters: tuple[Callable[[Any], Any], ...]) -> tuple[Any, ...]:
        if type(value) is not tuple or len(value) < 2:
            raise Mismatch("a pair")
        done: list[Any] = []
        try:
            done.extend(map(operator.call, converters, value))
        except Mismatch as exc:
            exc.path.append(f"[{len(done)}]")
            raise
        return tuple(done)


def _length(shortest: int, longest: int) -> str:
    """The test of a length, as source; none is less than nothing."""
    return f"{shortest} <= len(@) <= {longest}" if shortest else f"len(@) <= {longest}"


def broken(expected: str, *path: str) -> Mismatch:
    """The ``Mismatch`` for a rule that spans fields, at that path (outermost part first)."""
    exc = Mismatch(expected)
    exc.path.extend(reversed(path))
    return exc


def reading(shape: Shape[Any], bind: Bind) -> Source:
    """How a shape reads; one that does not say is asked."""
    own: Callable[[Bind], Source] | None = getattr(shape, "reading", None)
    return own(bind) if own is not None else Source("True", f"{bind(shape.read)}(@)")


def writing(shape: Shape[Any], bind: Bind) -> Source:
    """How a shape writes, likewise."""
    own: Callable[[Bind], Source] | None = getattr(shape, "writing", None)
    return own(bind) if own is not None else Source("True", f"{bind(shape.write)}(@)")
