"""The scenarios that are shipped hold: what users of argocd-agent have reported must not happen here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from trio_argoagent.errors import UserError
from trio_argoagent.testing.scenario.actions import ACTIONS
from trio_argoagent.testing.scenario.conditions import CONDITIONS, COUNTS
from trio_argoagent.testing.scenario.parsing import parse
from trio_argoagent.testing.scenario.running import run

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "examples" / "scenarios"
PAGE: Final = ROOT / "docs" / "scenarios.md"
FILES: Final = sorted(path.name for path in FOLDER.glob("*.yaml"))
REPORTED: Final = (
    "s101", "s171", "s266", "s348", "s383", "s443", "s446", "s465", "s546", "s660", "s715", "s742", "s748",
    "s783", "s809", "s813", "s814", "s839", "s840", "s841", "s857", "s960", "s1037", "s1051", "s1053",
    "s1057", "s1058", "sA", "sB", "sC", "sD", "sE", "sF", "w3", "w4", "w9", "w12", "w13", "w22", "w24",
)  # fmt: skip
"""Threads of argocd-agent, cases of its Sync Proposal, and weaknesses found by reading its code."""


def test_every_report_has_a_scenario() -> None:
    """None gets lost when files are renamed."""
    assert sorted(REPORTED) == sorted({name.partition("-")[0] for name in FILES} - {"rough", "hub"})


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_says_what_it_is_about(name: str) -> None:
    """It begins with a comment of two to five lines: what was reported, where, and what must hold here."""
    head = re.match(r"(# .+\n)+", (FOLDER / name).read_text())
    assert head is not None
    assert 2 <= head[0].count("\n") <= 5
    assert "\n# Here: " in head[0]


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_holds(name: str) -> None:
    """With its own seed, in virtual time, under all monitors."""
    run(parse((FOLDER / name).read_text(), name)).check()


def test_the_page_on_scenarios_is_true() -> None:
    """Its scenario holds, its mistake is one, and every action, condition and count is in it."""
    page = PAGE.read_text()
    found = re.search(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    run(parse(found[1], "outage.yaml")).check()
    with pytest.raises(UserError) as caught:
        parse(found[1].replace("sync: hub Application", "sync: hub Aplication"), "outage.yaml")
    assert f"error: {caught.value}" in page
    for name in (*ACTIONS, *CONDITIONS, *COUNTS, "never"):
        assert re.search(rf"[`{{]{name}\b", page), name
