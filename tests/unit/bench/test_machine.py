"""What figures are taken on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from trio_argoagent.bench import machine

PIN: Final = (
    "import json, os, sys\n"
    "from trio_argoagent.bench import machine\n"
    "machine.pin(int(sys.argv[1]))\n"
    "print(sorted(os.sched_getaffinity(0)))"
)


def test_pinned() -> None:
    """A server and its client share no processor, where there are two; only they are pinned."""
    if not machine.describe()["pinned"]:
        pytest.skip("this machine has one processor")
    cores = [
        {int(core) for core in done.stdout.strip("[]\n").split(",")}
        for done in (
            subprocess.run([sys.executable, "-c", PIN, whose], capture_output=True, text=True, check=True)
            for whose in (str(machine.SERVER), str(machine.CLIENT))
        )
    ]
    assert all(cores)
    assert not cores[0] & cores[1]
    assert len(cores[0] | cores[1]) == machine.describe()["cores"]


def test_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a checkout, with a mark where it differs from what is committed; of what is installed, none."""
    module = tmp_path / "trio_argoagent" / "bench" / "machine.py"
    module.parent.mkdir(parents=True)
    monkeypatch.setattr(machine, "__file__", str(module))
    assert machine.revision() == ""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        done = subprocess.run(
            ("git", *identity, *arguments), cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    assert machine.revision() == ""
    module.touch()
    git("add", "--all")
    git("commit", "--quiet", "--message=one")
    committed = machine.revision()
    assert len(committed) >= 7 and git("rev-parse", "HEAD").startswith(committed)
    module.write_text("changed")
    assert machine.revision() == f"{committed}+"
