"""docs/validate.md is true: its tables name each check, in order, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from trio_argoagent.cli.validation import hub, spoke

PAGE = Path(__file__).parents[4] / "docs" / "validate.md"


def test_the_tables() -> None:
    """As they are printed."""
    hubs, _, spokes = PAGE.read_text().partition("## On a spoke")
    for text, checks in ((hubs, hub.CHECKS), (spokes, spoke.CHECKS)):
        rows = re.findall(r"^\| (.+?) \| .+ \|$", text, re.MULTILINE)
        assert rows[1:] == [check.name for check in checks]
