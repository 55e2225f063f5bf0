"""The programs load what they need: an agent shares a small spoke with others."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("click", "kubernetes", "pydantic", "rich", "yaml")


@pytest.mark.parametrize("program", ["agent", "principal"])
def test_programs_are_lean(program: str) -> None:
    """Importing a program loads neither the command line nor the screen nor YAML nor kubernetes."""
    code = f"import sys, trio_argoagent.{program}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
