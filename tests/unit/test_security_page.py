"""docs/security.md is true: its tests exist, and its versions are those that are demanded."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Final

import pytest

from trio_argoagent.runtime.dependencies import FLOORS, release

TOP: Final = Path(__file__).parents[2]
PAGE: Final = (TOP / "docs" / "security.md").read_text(encoding="utf-8")
TESTS: Final = sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE)))


def rows(first: str) -> list[list[str]]:
    """The rows of the table whose head begins with that cell."""
    table = PAGE.split(f"| {first} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("test", TESTS)
def test_named_tests_exist(test: str) -> None:
    """A renamed test takes its row along."""
    path, _, name = test.partition("::")
    assert (TOP / path).exists()
    if name:
        assert re.search(rf"^(async )?def {name}\(", (TOP / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_attack_has_a_control_and_a_test() -> None:
    """Numbered without a gap."""
    attacks = rows("#")
    assert [row[0] for row in attacks] == [str(number + 1) for number in range(len(attacks))]
    assert [row[0] for row in attacks if not row[3] or "`tests/" not in row[4]] == []


def test_every_decoder_meets_noise() -> None:
    """Likewise."""
    assert [row[0] for row in rows("decoder") if "`tests/" not in row[2]] == []


def test_versions() -> None:
    """The page, what the programs look at, and what is installed with the wheel are one."""
    told = {name: (version, tuple(why.split(", "))) for name, version, why in rows("library")}
    assert told == {name: (floor.version, floor.advisories) for name, floor in FLOORS.items()}
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg")
    demanded = dict(re.findall(r"^([\w.-]+)>=([\d.]+)", setup["options"]["install_requires"], re.MULTILINE))
    assert {name: release(demanded[name]) for name in FLOORS} == {
        name: release(floor.version) for name, floor in FLOORS.items()
    }


def test_linked_pages_exist() -> None:
    """Of this project."""
    linked = re.findall(r"\]\(([\w-]+\.md)\)", PAGE)
    assert [name for name in linked if not (TOP / "docs" / name).exists()] == []
