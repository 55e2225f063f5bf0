"""The folder that a run leaves its figures in; what there is of others stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trio_argoagent.bench import results
from trio_argoagent.bench.page import TITLE
from trio_argoagent.bench.questions import Question
from trio_argoagent.errors import UserError

PAGE: Final = "report.html"
HEAD: Final = 4096
"""Bytes of a page that have its title."""


def prepare(output: str, questions: Sequence[Question]) -> Path:
    """The folder, once it is known that nobody else's file is in the way: measuring takes minutes.

    Args:
        output: as the user has named it.
        questions: that will be answered there.

    Raises:
        UserError: it cannot be made, or something is in the way.
    """
    if not output:
        raise UserError("--output: give a folder")
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / PAGE, *(results.path(folder, each) for each in questions)]
        foreign = [file for file in files if _foreign(file)]
    except OSError as exc:
        raise UserError(f"--output: cannot write to {folder}: {exc.strerror}") from exc
    if foreign:
        raise UserError(f"--output: bench has not written {foreign[0]}, and would: choose another folder")
    return folder


def _foreign(file: Path) -> bool:
    """Would something that bench has not written be lost with it?

    Raises:
        OSError: it cannot be read.
    """
    if not file.exists() and not file.is_symlink():
        return False
    if not file.is_file():
        return True
    if not file.stat().st_size:
        return False
    if file.name == PAGE:
        with file.open("rb") as page:
            return TITLE.encode() not in page.read(HEAD)
    try:
        results.read(file)
    except UserError:
        return True
    return False
