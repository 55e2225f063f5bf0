"""What a trace or a report may show of an object: of a Secret which values differ, never the values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

_HIDDEN: Final = ("data", "stringData")
_BYTES: Final = 4


def masked(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object with the start of a digest in the place of each value of a Secret."""
    if value.get("kind") != "Secret":
        return value
    return {
        field: {key: _mask(text) for key, text in part.items()}
        if field in _HIDDEN and isinstance(part, Mapping)
        else part
        for field, part in value.items()
    }


def _mask(text: Any) -> str:
    return f"<{hashlib.blake2b(str(text).encode(), digest_size=_BYTES).hexdigest()}>"
