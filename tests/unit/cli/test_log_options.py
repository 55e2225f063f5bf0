"""What is logged: the option, and the page about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from trio_argoagent.cli.commands import cli
from trio_argoagent.runtime import loglevels

PAGE = Path(__file__).parents[3] / "docs" / "logging.md"


@pytest.mark.parametrize(
    "command", [["principal"], ["agent", "--server-address", "hub"]], ids=["hub", "spoke"]
)
@pytest.mark.parametrize(
    ("text", "choices"),
    [("loud", loglevels.LEVELS), ("grpc=debug", loglevels.SUBSYSTEMS)],
    ids=["level", "part"],
)
def test_a_mistake(command: list[str], text: str, choices: tuple[str, ...]) -> None:
    """Before anything else happens: one line that names the choices."""
    said = CliRunner().invoke(cli, [*command, f"--log-level={text}"])
    assert said.exit_code == 2
    line = said.output.splitlines()[-1]
    assert "--log-level" in line and all(choice in line for choice in choices)


def test_the_page() -> None:
    """It names each level and each part, and argocd-agent's names for them."""
    text = PAGE.read_text()
    names = (*loglevels.LEVELS, *loglevels.SUBSYSTEMS, *loglevels.ALIASES)
    assert [name for name in names if f"`{name}`" not in text] == []
