"""What ``simulate`` and ``chaos`` read alike: the names of faults, and a plan that was saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from trio_argoagent.cli import running
from trio_argoagent.errors import UserError

P = TypeVar("P")


def fault_names(
    text: str, known: Sequence[str], missing: Callable[[str], str] = lambda name: f"there is no {name!r}"
) -> tuple[str, ...]:
    """``none``, ``all``, or names with commas between them.

    Args:
        text: the value of ``--faults``.
        known: what there is.
        missing: what to say of a name that is not among them.

    Raises:
        UserError: there is no such fault.
    """
    if text in ("none", "all"):
        return tuple(known) if text == "all" else ()
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    unknown = [name for name in names if name not in known]
    if unknown:
        choices = ", ".join(("none", "all", *known))
        raise UserError(f"--faults: {missing(unknown[0])}: choose of {choices}")
    return names


def read_plan(path: str, option: str, parse: Callable[[str], P]) -> P:
    """What a file that the user has named says.

    Args:
        path: of the file.
        option: that names it.
        parse: makes a plan of its text.

    Raises:
        UserError: it cannot be read; the line names the file, its line and the field.
    """
    content = running.read_file(path, option)
    try:
        return parse(content.decode())
    except UnicodeDecodeError as exc:
        raise UserError(f"{option}: {path}, byte {exc.start}: this is not UTF-8") from exc
    except UserError as exc:
        raise UserError(f"{option}: {path}: {exc}") from exc
