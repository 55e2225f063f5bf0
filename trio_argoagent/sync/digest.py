"""D and AP: 16 bytes of SHA-256 each, as hexadecimal text.

``D`` is the source's digest of what it wants held; the replica keeps it as an opaque string. ``AP`` is the
replica's digest of what its own API server stored. Digests made by two API servers are never compared: so
pruning, defaulting and admission webhooks cannot cause a loop.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import canonical

SCHEME: Final = "v1"
_BYTES: Final = 16


def of_bytes(*parts: bytes) -> str:
    """The digest of these byte strings, each length-prefixed so that no two splits are alike."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(len(part).to_bytes(4, "big"))
        hasher.update(part)
    return hasher.hexdigest()[: 2 * _BYTES]


def wanted(kind: Kind, uid: str, value: Any) -> str:
    """D of one value of the source."""
    return of_bytes(SCHEME.encode(), kind.value.encode(), uid.encode(), canonical(value))


def stored(value: Any) -> str:
    """AP of one projection as the replica's API server stored it."""
    return of_bytes(canonical(value))
