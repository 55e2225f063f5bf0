"""The programs in a hurry: what they spread over minutes, for the sake of large fleets, takes seconds.

``python -m tests.interop.hurried principal ...``
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

COMMAND: Final[Sequence[str]] = (sys.executable, "-m", "tests.interop.hurried")
ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final[Mapping[str, Mapping[str, float]]] = {
    "runtime.material": {"LOOK": 0.3, "SETTLE": 0.1},
    "agent.renewal": {"HURRY": 1.0},
    "agent.uplink": {"RENEWED_SPREAD": 1.0},
    "principal.tenure": {"SPREAD": 1.0},
}
"""By module: how long it waits here."""


def environment() -> dict[str, str]:
    """What such a process needs besides its usual one."""
    path = (str(ROOT), os.environ.get("PYTHONPATH", ""))
    return {"PYTHONPATH": os.pathsep.join(filter(None, path))}


def main() -> None:
    """Hurry, and run."""
    for name, values in _SECONDS.items():
        module = importlib.import_module(f"trio_argoagent.{name}")
        for constant, seconds in values.items():
            assert getattr(module, constant) > seconds
            setattr(module, constant, seconds)
    from trio_argoagent.cli import main as run

    run()


if __name__ == "__main__":
    main()
