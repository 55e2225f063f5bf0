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


def test_logging_is_lean() -> None:
    """Setting up logs does not load rich, whose tracebacks would show the values of variables."""
    code = (
        "import sys, logging; from trio_argoagent.runtime import logs; logs.configure('info', 'text')\n"
        "token = 'hunter2'\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: logging.getLogger('x').exception('failed')\n"
        "print('rich' in sys.modules)\n"
        "import rich.console"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert "ZeroDivisionError" in done.stderr and "hunter2" not in done.stderr
