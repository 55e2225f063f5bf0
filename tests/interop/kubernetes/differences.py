"""Where the embedded server answers otherwise than a real one, on purpose: the case, the request, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KNOWN: Final[Mapping[tuple[str, int], str]] = {}
