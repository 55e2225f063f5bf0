"""Libraries with known holes are not used."""

from __future__ import annotations

from importlib import metadata

import pytest

from trio_argoagent.errors import UserError
from trio_argoagent.runtime.dependencies import FLOORS, check, release, stated


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


def test_one_that_states_no_version() -> None:
    """Nothing can be said of it."""
    check(lambda name: "")


@pytest.mark.parametrize("name", FLOORS)
def test_what_a_package_states_is_what_was_installed(name: str) -> None:
    """The names of distributions are those of packages, and each states its version."""
    assert stated(name) == metadata.version(name)


def test_a_package_that_states_none() -> None:
    """Neither one without a version nor one that is not there."""
    assert stated("errno") == stated("no_such_package") == ""


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
