"""The commands of docs/install.md are commands: each with options that it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from trio_argoagent.cli.commands import cli

PAGE = Path(__file__).parents[3] / "docs" / "install.md"
COMMAND = re.compile(r"(?:^|\$\()trio-argoagent ([^|)\n]*)", re.MULTILINE)


def commands() -> list[str]:
    """Each that the page's blocks run, without what it is piped into."""
    blocks = PAGE.read_text().split("```")[1::2]
    text = "\n".join(blocks).replace("\\\n", " ")
    return COMMAND.findall(text)


def test_there_are_some() -> None:
    """What is found is what is meant."""
    assert len(commands()) >= 7


@pytest.mark.parametrize("line", commands())
def test_a_command(line: str) -> None:
    """It is understood; nothing is run."""
    command: click.Command = cli
    words = shlex.split(line)
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    if isinstance(command, click.Group):  # It has one of its commands for whoever names none.
        words = command.parse_args(click.Context(command), words)
        command = command.commands["create"]
        words = words[1:] if words and words[0] == "create" else words
    command.make_context(str(command.name), words)
