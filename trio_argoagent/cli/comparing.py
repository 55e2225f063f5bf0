"""``trio-argoagent simulate --compare A B``: where two traces part.

Exit codes: 0 they are the same; 1 they are not; 2 one cannot be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import click

from trio_argoagent.cli import running
from trio_argoagent.errors import UserError
from trio_argoagent.testing.divergence import Divergence, first_divergence, read_writes

DIFFERENT = 1


def run_compare(paths: Sequence[str], others: Sequence[str]) -> None:
    """Compare two files that ``simulate --trace`` has written, and say which write differs first.

    Args:
        paths: of the two files.
        others: options that were given besides; there may be none.
    """

    async def program() -> int:
        if others:
            raise UserError(f"--compare: nothing is played: leave {others[0]} out")
        found = _compare(paths)
        click.echo(str(found or f"{paths[0]} and {paths[1]} are the same, write by write"))
        return DIFFERENT if found else 0

    running.run(program)


def _compare(paths: Sequence[str]) -> Divergence | None:
    with ExitStack() as stack:
        try:
            files = [stack.enter_context(open(path, "rb")) for path in paths]
        except OSError as exc:
            raise UserError(f"--compare: cannot read {exc.filename}: {exc.strerror}") from exc
        first, second = (read_writes(file, path) for file, path in zip(files, paths, strict=True))
        return first_divergence(first, second)
