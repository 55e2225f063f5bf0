"""What figures are taken on."""

from __future__ import annotations

import subprocess
import sys
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
