"""Messages as text, for people; the way back is the bytes that stand below each of them."""

from __future__ import annotations

import enum
from typing import Any

import attrs
import msgspec

WIDTH = 96
"""Characters of a line of hexadecimal digits."""


def describe(value: Any) -> str:
    """A message, or what is in it. What a field is by default is left out."""
    if (fields := _fields(type(value))) is not None:
        inside = [
            f"{field.name}={describe(getattr(value, field.name))}"
            for field in fields
            if getattr(value, field.name) != field.default
        ]
        return f"{type(value).__name__}({', '.join(inside)})"
    if isinstance(value, tuple):
        return f"[{', '.join(describe(each) for each in value)}]"
    if isinstance(value, enum.IntEnum):
        return value.name
    if isinstance(value, bytes):
        return _blob(value)
    return str(value.value) if isinstance(value, enum.Enum) else repr(value)


def _fields(kind: type[Any]) -> tuple[Any, ...] | None:
    """Of a message, or of a part of one; None: it is none."""
    if issubclass(kind, msgspec.Struct):
        return msgspec.structs.fields(kind)
    return attrs.fields(kind) if attrs.has(kind) else None


def _blob(value: bytes) -> str:
    """As text if it is some, else in hexadecimal digits; a long run of the same byte is counted."""
    if len(value) > 8 and len(set(value)) == 1:
        return f"{len(value)} x {value[0]:02x}"
    if value and value.isascii() and value.decode().isprintable():
        return value.decode()
    return f"<{value.hex()}>"


def hexadecimal(frame: bytes) -> list[str]:
    """The frame's bytes, in lines."""
    digits = frame.hex()
    return [digits[start : start + WIDTH] for start in range(0, len(digits), WIDTH)]
