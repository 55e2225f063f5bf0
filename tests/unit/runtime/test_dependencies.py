"""Libraries with known holes are not used."""

from __future__ import annotations

from importlib import metadata

import pytest

from trio_argoagent.errors import UserError
from trio_argoagent.runtime.dependencies import FLOORS, check, release


def test_what_is_installed_is_new_enough() -> None:
    """Here and now."""
    check()


@pytest.mark.parametrize("name", FLOORS)
def test_one_that_is_too_old(name: str) -> None:
    """One line: which, why, and what to do."""

    def version_of(asked: str) -> str:
        return "0.0.1" if asked == name else FLOORS[asked].version

    with pytest.raises(UserError) as caught:
        check(version_of)
    text = str(caught.value)
    assert text.startswith(f"{name} 0.0.1 is too old (CVE-")
    assert text.endswith(f"): install {FLOORS[name].version} or newer")


def test_one_without_metadata() -> None:
    """Nothing can be said of it."""

    def version_of(asked: str) -> str:
        raise metadata.PackageNotFoundError(asked)

    check(version_of)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("1.2.3", (1, 2, 3)),
        ("1.2.0", (1, 2)),
        ("46.0.7", (46, 0, 7)),
        ("1.10rc1", (1, 10)),
        ("4.4.1+ds", (4, 4, 1)),
        ("4.4.1.post2", (4, 4, 1)),
        ("x", ()),
    ],
)
def test_release(version: str, numbers: tuple[int, ...]) -> None:
    """As they compare."""
    assert release(version) == numbers
