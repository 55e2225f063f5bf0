"""Every block of commands is run by a test or says why not, and each of our commands is one."""

from __future__ import annotations

import re

import click
import pytest

from trio_argoagent.cli.commands import cli

from .pages import ELLIPSIS, NAMES, TOP, Block, blocks, program_lines, text_of

BLOCKS = [block for page in NAMES for block in blocks(page)]
UNNAMED = {"token": "create", "bench": "run"}
"""Groups of commands that have one for whoever names none of them."""


def understood(words: list[str]) -> None:
    """It has each option and argument that is given; nothing is run, and no file needs to be there.

    Raises:
        click.ClickException: it is not a command of ours.
    """
    given = [word for word in words if word not in (ELLIPSIS, "[options]")]
    command: click.Command = cli
    while isinstance(command, click.Group):
        if given and given[0] in ("-h", "--help", "--version"):
            return
        name = given.pop(0) if given and given[0] in command.commands else UNNAMED.get(str(command.name))
        if name is None:
            raise click.UsageError(f"{command.name} has no such command: {' '.join(words)}")
        command = command.commands[name]
    try:
        context = command.make_context(str(command.name), given)
    except click.MissingParameter:
        if ELLIPSIS not in words:
            raise
    except click.BadParameter as exc:
        if "does not exist" not in exc.format_message():
            raise
    except click.exceptions.Exit:  # --help.
        pass
    else:
        if unknown := [said for noted in context.meta.values() if isinstance(noted, list) for said in noted]:
            raise click.UsageError("; ".join(unknown))  # A program tells of all at once, when it runs.


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}-{block.line}")
def test_a_block(block: Block) -> None:
    """It is marked, the test that is named names its page, and our command line takes what it gives."""
    where = f"{block.page}:{block.line}"
    marker = block.marker
    assert marker, f"{where}: write `<!-- run by TEST -->` or `<!-- not run: WHY -->` above"
    if marker.run:
        assert block.page.rpartition("/")[2] in (TOP / marker.text).read_text(), f"{where}: not {marker.text}"
    for command in block.commands:
        for words in program_lines(command):
            try:
                understood(words)
            except click.ClickException as exc:
                pytest.fail(f"{where}: {command}: {exc.format_message()}")


@pytest.mark.parametrize("page", NAMES)
def test_what_is_applied_names_its_image(page: str) -> None:
    """``manifests`` prints a whole installation: without an image it would take a running one its own."""
    for arguments in re.findall(r"trio-argoagent manifests ([^`$]*?)kubectl", text_of(page)):
        assert "--image" in arguments, f"{page}: manifests {arguments}"


def test_blocks_are_found() -> None:
    """What is looked at is what there is."""
    assert len(BLOCKS) > 60
    assert ["ctl", "agent", "token", "$name"] in [
        words for block in BLOCKS for command in block.commands for words in program_lines(command)
    ]


@pytest.mark.parametrize(
    "words", [["principal", "--no-such-option"], ["ctl", "agent", "create"], ["nothing"]]
)
def test_what_is_no_command(words: list[str]) -> None:
    """It is noticed."""
    with pytest.raises(click.ClickException):
        understood(words)
