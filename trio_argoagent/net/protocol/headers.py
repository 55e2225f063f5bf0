"""Header lists held against RFC 9113 (sections 8.2 and 8.3), both ways: each field, then the whole list.

h2 knows these rules too, as a chain of ten generators that look at each character. That was half of what a
small request costs, on either side. Here each field meets two regular expressions; of ours, most do so once.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from h2.exceptions import ProtocolError
from hpack import HeaderTuple, NeverIndexedHeaderTuple

# 8.2.1: visible ASCII without upper case; a colon only in front, which makes it a pseudo-header.
_NAME: Final = re.compile(rb":?[!-9;-@\[-~]+")
# 8.2.1: no NUL, CR or LF, and no white space round it.
_VALUE: Final = re.compile(rb"(?![ \t])[^\0\r\n]*(?<![ \t])")
# 8.2.2: what speaks of an HTTP/1 connection.
_OF_A_CONNECTION: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
# In no compression state. Some would differ each time and push out what helps; the others are secrets, which
# must not be guessed from the size of a request (RFC 7541 section 7.1).
_NEVER_INDEXED: Final = frozenset(
    {":path", "content-length", "authorization", "proxy-authorization", "cookie", "set-cookie"}
)
REMEMBERED: Final = 256
"""Fields of ours that are known to be good."""
SHORT: Final = 256
"""Characters of their values."""


class Part(enum.Enum):
    """What a header list is."""

    REQUEST = "request"
    CONNECT = "CONNECT request"
    RESPONSE = "response"
    TRAILERS = "trailers"


# The pseudo-headers that each must have, and those that it may have (8.3). The CONNECT with a :protocol of
# RFC 8441 is for servers that have announced it; ours do not.
_PSEUDO: Final[Mapping[Part, tuple[tuple[bytes, ...], frozenset[bytes]]]] = {
    Part.REQUEST: (
        (b":method", b":scheme", b":path"),
        frozenset({b":method", b":scheme", b":path", b":authority"}),
    ),
    Part.CONNECT: ((b":method", b":authority"), frozenset({b":method", b":authority"})),
    Part.RESPONSE: ((b":status",), frozenset({b":status"})),
    Part.TRAILERS: ((), frozenset()),
}


def check(fields: Sequence[tuple[bytes, bytes]], part: Part) -> None:
    """May such a list be sent or taken?

    Args:
        fields: names and values.
        part: what it is; a ``REQUEST`` may turn out to be a ``CONNECT``.

    Raises:
        ProtocolError: no.
    """
    for name, value in fields:
        _check_field(name, value)
    _check_list(fields, part)


def _check_field(name: bytes, value: bytes) -> None:
    if _NAME.fullmatch(name) is None:
        raise ProtocolError(f"illegal header name {name!r}")
    if _VALUE.fullmatch(value) is None:
        raise ProtocolError(f"illegal value of header {name!r}")


def _check_list(fields: Iterable[tuple[bytes, bytes]], part: Part) -> None:
    pseudo: dict[bytes, bytes] = {}
    hosts: list[bytes] = []
    plain = False
    for name, value in fields:
        if name.startswith(b":"):
            if plain or name in pseudo:
                raise ProtocolError(f"pseudo-header {name!r} comes too late or twice")
            pseudo[name] = value
            continue
        plain = True
        if name in _OF_A_CONNECTION or (name == b"te" and value.lower() != b"trailers"):
            raise ProtocolError(f"header {name!r} is not for HTTP/2")
        if name == b"host":
            hosts.append(value)
    _check_pseudo(pseudo, Part.CONNECT if pseudo.get(b":method") == b"CONNECT" else part)
    if part is Part.REQUEST:
        _check_authority(pseudo.get(b":authority"), hosts)


def _check_pseudo(pseudo: Mapping[bytes, bytes], part: Part) -> None:
    needed, allowed = _PSEUDO[part]
    for name in needed:
        if not pseudo.get(name):
            raise ProtocolError(f"a {part.value} without {name!r}")
    for name in pseudo:
        if name not in allowed:
            raise ProtocolError(f"a {part.value} with {name!r}")


def _check_authority(authority: bytes | None, hosts: list[bytes]) -> None:
    if authority is None and not hosts:
        raise ProtocolError("a request that does not say for which host it is")
    if len(hosts) > 1 or (hosts and authority not in (None, hosts[0])):
        raise ProtocolError("a request for two hosts")


def outbound(headers: Iterable[tuple[str, str]], part: Part) -> list[HeaderTuple]:
    """A list that may be sent, and what of it may enter the compression state.

    Raises:
        ProtocolError: it must not be sent.
    """
    fields = [
        (_field if name in _NEVER_INDEXED or len(value) > SHORT else _usual)(name, value)
        for name, value in headers
    ]
    _check_list(fields, part)
    return fields


def _field(name: str, value: str) -> HeaderTuple:
    field = name.encode(), value.encode()
    _check_field(*field)
    return NeverIndexedHeaderTuple(*field) if name in _NEVER_INDEXED else HeaderTuple(*field)


_usual = lru_cache(maxsize=REMEMBERED)(_field)
"""The same for what is said again and again."""
