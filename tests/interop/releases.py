"""An earlier state of this repository as the one-file program, to be run beside the present one."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[2]
VARIABLE: Final = "TRIO_ARGOAGENT_PREVIOUS"
"""A one-file program, a commit, or ``latest``: the newest tag. Unset: nobody has asked."""
LATEST: Final = "latest"


class NoneThere(Exception):
    """There is no earlier release to compare with; says why."""


def previous(asked: str) -> Path:
    """The one-file program that is meant.

    Args:
        asked: see ``VARIABLE``.

    Raises:
        NoneThere: nothing was asked for, or there is no tag yet.
        ValueError: what was named is neither a file nor a commit; or it cannot be built.
    """
    if not asked:
        raise NoneThere("make upgrade-test runs it: it builds an earlier release, which takes minutes")
    if asked.endswith(".pyz"):
        if not Path(asked).is_file():
            raise ValueError(f"PREVIOUS={asked}: there is no such file")
        return Path(asked).resolve()
    return _built(_commit(asked))


def _commit(asked: str) -> str:
    """Of what was named, or of the newest tag."""
    if asked == LATEST:
        asked = _git("describe", "--tags", "--abbrev=0")
        if not asked:
            raise NoneThere("there is no tag yet: name a commit or a .pyz in PREVIOUS")
    found = _git("rev-parse", "--verify", "--quiet", f"{asked}^{{commit}}")
    if not found:
        raise ValueError(f"PREVIOUS={asked}: no commit of this repository, and no .pyz")
    return found


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=TOP, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _built(commit: str) -> Path:
    """That of a commit, by the tools that it had itself; built once for each Python."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    what = f"{sys.version_info[0]}.{sys.version_info[1]}-{platform.machine()}"
    path = Path(home, "trio-argoagent", "releases", f"{commit[:16]}-{what}.pyz")
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        archive = subprocess.run(["git", "archive", commit], cwd=TOP, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x"], cwd=scratch, input=archive, check=True)
        made = Path(scratch, "made.pyz")
        command = [sys.executable, "-m", "tools.zipapp.build", "--output", str(made)]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            command, cwd=scratch, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ValueError(f"cannot build {commit}: {done.stderr.strip()}")
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_bytes(made.read_bytes())
        part.rename(path)  # Whole, or not there: several may build it at once.
    return path


def digest(path: Path) -> str:
    """What tells two one-file programs apart."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
