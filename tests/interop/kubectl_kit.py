"""kubectl with a home of its own, in front of an embedded server."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import attrs
import pytest
import trio

from ..unit.apiserver.http.world import World, served

MARKS: Final = [
    pytest.mark.kubectl,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH"),
]
"""Of every test that runs it."""

PATIENCE: Final = 90.0
"""Seconds that one kubectl may take."""


@attrs.frozen
class Kubectl:
    """kubectl with a home of its own."""

    world: World
    environment: dict[str, str]
    home: Path

    async def run(self, *arguments: str, stdin: str = "", fails: bool = False) -> str:
        """Its output; with ``fails`` what it complains about."""
        with trio.fail_after(PATIENCE):
            done = await trio.run_process(
                ["kubectl", *arguments],
                stdin=stdin.encode(),
                capture_stdout=True,
                capture_stderr=True,
                check=False,
                env=self.environment,
            )
        assert (done.returncode != 0) is fails, (done.stdout, done.stderr)
        return (done.stderr if fails else done.stdout).decode()

    async def apply(self, text: str, *arguments: str, fails: bool = False) -> str:
        """``kubectl apply`` of that text."""
        return await self.run("apply", "-f", "-", *arguments, stdin=text, fails=fails)

    async def apply_there(self, text: str, *arguments: str, fails: bool = False) -> str:
        """The same on the server's side."""
        return await self.apply(text, "--server-side", *arguments, fails=fails)


@asynccontextmanager
async def at_home(folder: Path, *, rules: bool = False) -> AsyncIterator[Kubectl]:
    """A fresh server and a fresh home. ``rules``: not everybody may do all."""
    async with served(rules=rules) as world:
        config = folder / "config"
        config.write_text(world.kubeconfig())
        environment = {"HOME": str(folder), "KUBECONFIG": str(config), "PATH": os.environ["PATH"]}
        yield Kubectl(world, environment, folder)


def cells(output: str) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in output.splitlines()]
