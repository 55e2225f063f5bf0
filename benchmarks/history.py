"""Keeps a run's headline figures for a release, and shows them in the README.

python -m benchmarks.history DIR VERSION
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trio_argoagent.bench import headline, results
from trio_argoagent.errors import UserError

ROOT: Final = Path(__file__).parents[1]
HISTORY: Final = ROOT / "benchmarks" / "history"
README: Final = ROOT / "README.md"
VERSION: Final = re.compile(r"[0-9]+(\.[0-9]+){1,3}")
BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->\n"


def shown(readme: str, table: str) -> str:
    """A README with this table in it.

    Raises:
        ValueError: it has no place for one.
    """
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no place for figures: {BEGIN.strip()} and {END.strip()}")
    return f"{head}{begin}{table}\n{end}{tail}"


def keep(folder: Path, version: str, history: Path = HISTORY, readme: Path = README) -> None:
    """Keep and show; both texts are made before either is written.

    Args:
        folder: of the run.
        version: of the release, as in ``1.2.3``.
        history: the folder that has a file for each release.
        readme: what shows the newest.

    Raises:
        UserError: the version is none, the run is not of it (see ``headline.kept``), or the README has no
            place for its figures.
        OSError: a file cannot be read or written.
    """
    if not VERSION.fullmatch(version):
        raise UserError(f"VERSION: {version!r} is none: give one as 1.2.3")
    kept = headline.kept(results.read(folder), version)
    text = json.dumps(kept, indent=1) + "\n"
    try:
        page = shown(readme.read_text("utf-8"), headline.table(kept))
    except ValueError as exc:
        raise UserError(f"{readme}: {exc}") from exc
    (history / f"{version}.json").write_text(text, "utf-8")
    readme.write_text(page, "utf-8")


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    try:
        if len(arguments) != 2:
            raise UserError("give DIR, with the figures of a run, and VERSION")
        keep(Path(arguments[0]), arguments[1])
    except (UserError, OSError) as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
