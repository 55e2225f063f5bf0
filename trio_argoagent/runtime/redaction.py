"""No secret leaves in a log: what looks like one, in any field or text, is replaced by ``REDACTED``.

Nothing of ours logs a secret on purpose. This is for words that are not ours: an API server's, an exception's
of a library, those of whoever speaks to us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

REDACTED: Final = "<redacted>"
MAX_DEPTH: Final = 8
"""Levels of a field that is no text; what lies deeper is replaced."""

_NAMES: Final = (
    r"pass(?:word|wd|phrase)?|secret|token|api[-_]?key|authorization|proxy[-_]authorization|cookie"
    r"|[a-z_]*(?:password|passwd|secret|token|privatekey|private[-_]key|api[-_]?key|clientcertkey)"
)
_FIELD: Final = re.compile(rf"(?:{_NAMES})", re.IGNORECASE)
_PEM: Final = re.compile(
    r"-----BEGIN (?P<what>[A-Z0-9 ]*PRIVATE KEY)-----.*?(?:-----END (?P=what)-----|\Z)", re.DOTALL
)
_TEXTS: Final = (
    # Header values: whatever follows the scheme.
    # Words have no digits, and are short.
    (re.compile(r"\b(bearer)\s+(?=\S*\d|\S{20})[\w.~+/=-]{4,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"(authorization\W{1,6}basic)\s+[\w+/=-]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    # JSON web tokens, and our own one-time tokens (their second part).
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"), REDACTED),
    (re.compile(r"\b([0-9a-f]{16})\.[0-9a-f]{64}\b"), rf"\1.{REDACTED}"),
    # URLs with a password.
    (re.compile(r"(\w://[^\s/@:]*):[^\s/@]+@"), rf"\1:{REDACTED}@"),
    # name=value, and JSON's or Python's "name": "value".
    (re.compile(rf"\b({_NAMES})=(?P<q>[\"']?)(?!<)[^\s\"',;&)]+(?P=q)", re.IGNORECASE), rf"\1={REDACTED}"),
    (
        re.compile(
            rf"(\\?[\"'](?:{_NAMES})\\?[\"']\s*:\s*b?\\?[\"'])(?:[^\"'\\]|\\[^\"'])+(\\?[\"'])", re.IGNORECASE
        ),
        rf"\1{REDACTED}\2",
    ),
    (re.compile(r"\b(password|passwd): (?!<)[^\s\"',;]+", re.IGNORECASE), rf"\1: {REDACTED}"),
)


def redacted(text: str) -> str:
    """The text without what looks like a secret."""
    text = _PEM.sub(REDACTED, text)
    for pattern, instead in _TEXTS:
        text = pattern.sub(instead, text)
    return text


def redacted_value(value: Any, depth: int = 0) -> Any:
    """Likewise any value; what is neither text, number nor a container becomes its ``repr``."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redacted(value)
    if depth >= MAX_DEPTH:
        return REDACTED
    if isinstance(value, Mapping):
        return redacted_fields({str(key): each for key, each in value.items()}, depth + 1)
    if isinstance(value, list | tuple):
        return [redacted_value(each, depth + 1) for each in value]
    if isinstance(value, bytes):
        return redacted(value.decode("utf-8", "backslashreplace"))
    return redacted(repr(value))


def redacted_fields(fields: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Likewise the values of fields; one that is called as secrets are has none at all."""
    return {
        name: REDACTED if _FIELD.fullmatch(name) and value else redacted_value(value, depth)
        for name, value in fields.items()
    }
