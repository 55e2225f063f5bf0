"""Header fields, error codes and what a peer has said, as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from h2.errors import ErrorCodes

SAID: Final = 1024
"""Characters of what a peer says that are shown."""


def split_fields(headers: Iterable[Any]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Pseudo-headers and headers. Latin-1 maps every byte, so no peer can make it fail."""
    pseudo: dict[str, str] = {}
    plain: list[tuple[str, str]] = []
    for name, value in headers:
        if name.startswith(b":"):
            pseudo[name.decode("latin-1")] = value.decode("latin-1")
        else:
            plain.append((name.decode("latin-1"), value.decode("latin-1")))
    return pseudo, tuple(plain)


def code_name(code: ErrorCodes | int | None) -> str:
    """The name of an HTTP/2 error code, or its number."""
    return code.name if isinstance(code, ErrorCodes) else str(code)


def one_line(said: str) -> str:
    """What a peer has said, for a log: it can neither begin a line of its own nor steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in said[:SAID]).split())
