"""The programs load what they need: an agent shares a small spoke with others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trio_argoagent.cli.commands import LATER

HEAVY = ("click", "grpc", "kubernetes", "opentelemetry", "pydantic", "rich", "yaml")


@pytest.mark.parametrize("program", ["agent", "principal"])
def test_programs_are_lean(program: str) -> None:
    """Importing a program loads neither the command line nor the screen nor YAML nor kubernetes."""
    code = f"import sys, trio_argoagent.{program}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("program", "others"),
    [
        (
            "agent",
            ("importlib.metadata", "trio_argoagent.principal", "trio_websocket", "wsproto", "zipfile"),
        ),
        ("principal", ("trio_argoagent.agent",)),
    ],
)
def test_commands_are_lean(program: str, others: tuple[str, ...]) -> None:
    """The command that runs a program loads no other command, nor what only others need."""
    unwanted = (*(f"trio_argoagent.cli.{name}_command" for name in LATER), *HEAVY[1:], *others)
    code = (
        "import sys; from trio_argoagent.cli import commands, running\n"
        f"import trio_argoagent.cli.{program}; running.dependencies.check()\n"
        f"print([m for m in {unwanted} if m in sys.modules])"
    )
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
