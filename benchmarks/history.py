"""Keeps a run's headline figures for a release, and shows them in the README.

python -m benchmarks.history DIR VERSION
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from trio_argoagent.bench import headline, results
from trio_argoagent.errors import UserError

ROOT: Final = Path(__file__).parents[1]
HISTORY: Final = ROOT / "benchmarks" / "history"
README: Final = ROOT / "README.md"
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


def main(folder: str, version: str) -> None:
    """Keep and show."""
    kept = headline.kept(results.read(Path(folder)), version)
    (HISTORY / f"{version}.json").write_text(json.dumps(kept, indent=1) + "\n")
    README.write_text(shown(README.read_text(), headline.table(kept)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (UserError, TypeError) as exc:
        sys.exit(f"error: {exc}")
