"""Libraries that a peer's bytes pass through, and the oldest of each without a known hole.

Whoever installs the wheel gets these from its metadata. The programs look again when they start, because an
image that somebody else has put together may hold others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

import attrs

from trio_argoagent.errors import UserError


@attrs.frozen
class Floor:
    """The oldest version of a library that is used.

    Attributes:
        version: of it.
        advisories: that are mended in it.
    """

    version: str
    advisories: tuple[str, ...]


FLOORS: Final[Mapping[str, Floor]] = {
    "cryptography": Floor("46.0.7", ("CVE-2026-26007", "CVE-2026-34073", "CVE-2026-39892")),
    "h11": Floor("0.16", ("CVE-2025-43859",)),
    "h2": Floor("4.4.1", ("CVE-2025-57804", "CVE-2026-71554")),
    "hpack": Floor("4.2.0", ("CVE-2016-6581", "CVE-2026-59980")),
    "msgpack": Floor("1.2.3", ("CVE-2026-114613",)),
}
"""By name, of the distribution and of the package alike."""


def stated(name: str) -> str:
    """The version that a package states itself; empty: it states none.

    It is what runs here. ``importlib.metadata`` says what was installed, and costs an idle agent 1 MiB for
    e-mail's parser and zip files.

    Args:
        name: of the package.
    """
    try:
        return str(getattr(import_module(name), "__version__", ""))
    except ModuleNotFoundError:
        return ""


def check(version_of: Callable[[str], str] = stated) -> None:
    """Refuse to run with one that has a known hole.

    A library that states no version is passed over: whoever has taken it apart answers for it.

    Args:
        version_of: of a package; empty: it states none.

    Raises:
        UserError: one is too old.
    """
    for name, floor in FLOORS.items():
        version = version_of(name)
        if version and release(version) < release(floor.version):
            why = ", ".join(floor.advisories)
            raise UserError(f"{name} {version} is too old ({why}): install {floor.version} or newer")


def release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with (PEP 440): what follows them does not mend anything.

    Zeros at the end are left out, because 1.2 and 1.2.0 are the same.
    """
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
