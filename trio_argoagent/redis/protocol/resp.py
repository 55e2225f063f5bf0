"""RESP2 and RESP3, the protocol of Redis: commands to bytes, bytes to replies; both ways, and bounded.

| on the wire | here |
|---|---|
| ``+`` simple string, ``-`` and ``!`` error | ``str``, ``ErrorReply`` |
| ``$`` bulk string, ``=`` verbatim string | ``bytes`` |
| ``:`` and ``(`` integer, ``,`` double, ``#`` boolean | ``int``, ``float``, ``bool`` |
| ``_``, ``$-1`` and ``*-1`` null | None |
| ``*`` array, ``~`` set | ``tuple`` |
| ``%`` map, ``>`` push | ``Map``, ``Push`` |
| ``|`` attribute | dropped: it says something of the reply that follows |

Source: the RESP specification of redis.io. Streamed strings and aggregates (``$?``), which no Redis sends,
are refused.
"""

from __future__ import annotations

import enum
import re
from typing import Any, Final

import attrs

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError

END: Final = b"\r\n"
_INTEGER = re.compile(rb"[+-]?[0-9]{1,19}")
_BIG = re.compile(rb"[+-]?[0-9]{1,1000}")
_DOUBLE = re.compile(rb"[+-]?(inf|nan|[0-9]{1,400}(\.[0-9]{0,400})?([eE][+-]?[0-9]{1,3})?)")


@attrs.frozen
class Limits:
    """What one reply may be. More is the peer's error.

    Attributes:
        line: bytes of a simple string, an error or a number.
        bulk: bytes of a bulk string.
        items: of one array, map, set or push.
        depth: of arrays in arrays.
        total: bytes of a whole reply.
    """

    line: int = 64 * 1024
    bulk: int = 8 * 1024 * 1024
    items: int = 64 * 1024
    depth: int = 8
    total: int = 16 * 1024 * 1024


@attrs.frozen
class ErrorReply:
    """The server has understood, and the answer is no. The first word is a code, such as ``WRONGPASS``."""

    text: str


@attrs.frozen
class Map:
    """Pairs, in the order in which they came."""

    pairs: tuple[tuple[Any, Any], ...]


@attrs.frozen
class Push:
    """What answers no command (RESP3): a message of a subscription, for example."""

    items: tuple[Any, ...]


Reply = None | bool | int | float | str | bytes | tuple[Any, ...] | Map | Push | ErrorReply
"""One reply; what is in aggregates is a reply again."""


class More(enum.Enum):
    """The next reply has not arrived as a whole yet."""

    MORE = enum.auto()


MORE: Final = More.MORE


def command(*parts: str | bytes | int) -> bytes:
    """A command as clients send it: an array of bulk strings.

    Raises:
        LocalProtocolError: it has no parts.
    """
    if not parts:
        raise LocalProtocolError("a command has at least its name")
    pieces = [b"*%d\r\n" % len(parts)]
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        pieces += (b"$%d\r\n" % len(data), data, END)
    return b"".join(pieces)


def encode(reply: Reply, *, resp3: bool = False) -> bytes:
    """A reply as a server sends it: what RESP2 has no form for goes out as the specification says.

    Raises:
        LocalProtocolError: a line cannot hold this text.
    """
    match reply:
        case None:
            return b"_\r\n" if resp3 else b"$-1\r\n"
        case bool():
            return (b"#t\r\n" if reply else b"#f\r\n") if resp3 else b":%d\r\n" % reply
        case int():
            big = not -(2**63) <= reply < 2**63
            return (b"(%d\r\n" if big else b":%d\r\n") % reply
        case float():
            text = repr(reply).encode()
            return b"," + text + END if resp3 else encode(text)
        case str():
            return b"+" + _line(reply) + END
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case ErrorReply(text):
            return b"-" + _line(text) + END
        case Map(pairs):
            flat = [each for pair in pairs for each in pair]
            head = b"%%%d\r\n" % len(pairs) if resp3 else b"*%d\r\n" % len(flat)
            return head + b"".join(encode(each, resp3=resp3) for each in flat)
        case Push(items):
            return (b">%d\r\n" if resp3 else b"*%d\r\n") % len(items) + _all(items, resp3)
        case _:
            return b"*%d\r\n" % len(reply) + _all(reply, resp3)


def _all(items: tuple[Any, ...], resp3: bool) -> bytes:
    return b"".join(encode(each, resp3=resp3) for each in items)


def _line(text: str) -> bytes:
    if "\r" in text or "\n" in text:
        raise LocalProtocolError("a simple string is one line")
    return text.encode()


@attrs.define
class _Open:
    """An aggregate whose items are still coming."""

    sign: bytes
    left: int
    items: list[Any] = attrs.field(factory=list)

    def close(self) -> Reply:
        """The whole of it."""
        items = tuple(self.items)
        if self.sign == b"%":
            return Map(tuple(zip(items[::2], items[1::2], strict=True)))
        return Push(items) if self.sign == b">" else items


class Decoder:
    """Bytes in, replies out, whatever the pieces they come in. Nothing is looked at twice.

    Args:
        limits: what one reply may be.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._buffer = bytearray()
        self._at = self._scanned = self._total = 0
        self._bulk: tuple[bytes, int] | None = None
        self._stack: list[_Open] = []
        self._failure = ""

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take what has arrived. Take the replies out before the next: then no more than one is kept."""
        del self._buffer[: self._at]
        self._scanned -= self._at
        self._at = 0
        self._buffer += data

    @property
    def idle(self) -> bool:
        """Has nothing of a further reply arrived?"""
        return not self._stack and self._bulk is None and self._at == len(self._buffer)

    def next(self) -> Reply | More:
        """The next reply, or MORE.

        Raises:
            RemoteProtocolError: this is not RESP, or too much of it; nothing more can be read.
        """
        if self._failure:
            raise RemoteProtocolError(self._failure)
        try:
            return self._next()
        except RemoteProtocolError as exc:
            self._failure = str(exc)
            raise

    def _next(self) -> Reply | More:
        while True:
            item = self._item()
            if item is MORE:
                return MORE
            if isinstance(item, _Open):
                if item.left:
                    self._push(item)
                    continue
                item = item.close() if item.sign != b"|" else MORE
            if self._settle(item):
                self._total = 0
                return self._done

    def _settle(self, item: Reply | More) -> bool:
        """An item is complete (MORE: an attribute, which leaves nothing). Is a whole reply, with it?"""
        while item is not MORE and self._stack:
            top = self._stack[-1]
            top.items.append(item)
            top.left -= 1
            if top.left:
                return False
            self._stack.pop()
            item = top.close() if top.sign != b"|" else MORE
        if item is MORE:
            return False
        self._done: Reply = item
        return True

    def _push(self, item: _Open) -> None:
        if len(self._stack) >= self._limits.depth:
            raise _broken(f"a reply nested deeper than {self._limits.depth}")
        self._stack.append(item)

    def _item(self) -> Reply | More | _Open:
        if self._bulk is None:
            line = self._line()
            if line is None:
                return MORE
            self._count(len(line) + len(END))
            item = self._header(bytes(line[:1]), bytes(line[1:]))
            if item is not MORE:
                return item
        return self._take_bulk()

    def _count(self, size: int) -> None:
        self._total += size
        if self._total > self._limits.total:
            raise _broken(f"a reply of more than {self._limits.total} bytes")

    def _line(self) -> bytearray | None:
        end = self._buffer.find(END, max(self._at, self._scanned))
        if end < 0:
            # The line's end may be cut in two.
            self._scanned = max(self._at, len(self._buffer) - 1)
            if len(self._buffer) - self._at > self._limits.line + 1:
                raise _broken(f"a line of more than {self._limits.line} bytes")
            return None
        if end - self._at > self._limits.line:
            raise _broken(f"a line of more than {self._limits.line} bytes")
        line = self._buffer[self._at : end]
        self._at = self._scanned = end + len(END)
        return line

    def _header(self, sign: bytes, rest: bytes) -> Reply | More | _Open:
        """What a line means; MORE: it only says how long the string is that follows."""
        match sign:
            case b"+":
                return _text(rest)
            case b"-":
                return ErrorReply(_text(rest))
            case b":" | b"(":
                return int(_checked(rest, _INTEGER if sign == b":" else _BIG, "an integer"))
            case b",":
                return float(_checked(rest, _DOUBLE, "a double"))
            case b"#" if rest in (b"t", b"f"):
                return rest == b"t"
            case b"_" if not rest:
                return None
            case b"$" | b"=" | b"!":
                size = self._size(rest, self._limits.bulk, null=sign == b"$")
                if size is None:
                    return None
                self._count(size + len(END))
                self._bulk = (sign, size)
                return MORE
            case b"*" | b"~" | b">" | b"%" | b"|":
                count = self._size(rest, self._limits.items, null=sign == b"*")
                return None if count is None else _Open(sign, count * (2 if sign in (b"%", b"|") else 1))
            case _:
                raise _broken(f"a line that begins with {sign!r}")

    def _size(self, text: bytes, most: int, *, null: bool) -> int | None:
        if null and text == b"-1":
            return None
        size = int(_checked(text, _INTEGER, "a length"))
        if not 0 <= size <= most:
            raise _broken(f"a length of {size}: 0 to {most} is taken")
        return size

    def _take_bulk(self) -> Reply | More:
        assert self._bulk is not None
        sign, size = self._bulk
        end = self._at + size
        if len(self._buffer) < end + len(END):
            return MORE
        if self._buffer[end : end + len(END)] != END:
            raise _broken("a string that does not end where its length says")
        data = bytes(self._buffer[self._at : end])
        self._at = self._scanned = end + len(END)
        self._bulk = None
        if sign == b"!":
            return ErrorReply(_text(data))
        if sign == b"=":
            if data[3:4] != b":":
                raise _broken("a verbatim string without its format")
            return data[4:]
        return data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _checked(text: bytes, pattern: re.Pattern[bytes], what: str) -> bytes:
    if pattern.fullmatch(text) is None:
        raise _broken(f"{text[:32]!r} where {what} should be")
    return text


def _broken(text: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"Redis: {text}")
