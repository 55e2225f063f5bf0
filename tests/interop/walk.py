"""A page of documentation, walked as a reader would: each command in turn, programs in the background.

What stands under a command is what it prints, as far as the page shows it: of each line the first words.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import trio

PATIENCE: Final = 120.0
"""Seconds that one command may take, and for a program until it says what it is to say."""
NOT_RUN: Final = "<!-- not run: "
_BLOCK: Final = re.compile(r"(?P<before>[^\n]*)\n```console\n(?P<text>.*?)```", re.DOTALL)


@attrs.frozen
class Command:
    """One command of a page.

    Attributes:
        line: for a shell.
        shown: what the page says that it prints, line by line.
    """

    line: str
    shown: tuple[str, ...] = ()


def commands(page: str) -> Iterator[Command]:
    """Those of a page's console blocks, but for blocks that say why they are not run."""
    for block in _BLOCK.finditer(page):
        if not block["before"].startswith(NOT_RUN):
            for part in f"\n{block['text']}".replace("\\\n", "").split("\n$ ")[1:]:
                line, *shown = part.splitlines()
                yield Command(line, tuple(shown))


class Walk:
    """See the module.

    Args:
        folder: where the commands are run; it gets a ``trio-argoagent`` of its own.
        environment: of the commands.
        says: by how a program's line begins, what it logs once it is up.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], says: Mapping[str, str]) -> None:
        self._folder, self._says = folder, says
        program = folder / "bin" / "trio-argoagent"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m trio_argoagent "$@"\n')
        program.chmod(0o755)
        self._environment = {**environment, "PATH": f"{program.parent}:{environment['PATH']}"}
        self._exports: list[str] = []
        self._started = 0

    async def run(self, command: Command, nursery: trio.Nursery) -> None:
        """Run it to its end; a program goes on in the nursery, from when it is up."""
        said = next((what for begin, what in self._says.items() if command.line.startswith(begin)), None)
        with trio.fail_after(PATIENCE):
            if said is not None:
                await nursery.start(self._program, command.line, said)
                return
            if command.line.startswith("export "):
                self._exports.append(command.line)
            await self._to_its_end(command)

    def _shell(self, line: str) -> list[str]:
        return ["bash", "-euc", "\n".join([*self._exports, line])]

    async def _to_its_end(self, command: Command) -> None:
        done = await trio.run_process(
            self._shell(command.line), cwd=self._folder, env=self._environment,
            capture_stdout=True, capture_stderr=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command.line, done.stdout, done.stderr)
        printed = [line.split() for line in done.stdout.decode().splitlines()]
        for shown in command.shown:
            words = shown.split()
            assert any(line[: len(words)] == words for line in printed), (command.line, shown, printed)

    async def _program(self, line: str, said: str, *, task_status: trio.TaskStatus[None]) -> None:
        """A program in the background, as in a terminal of its own; its log is a file."""
        self._started += 1
        log = self._folder / f"{self._started}.log"
        with log.open("wb") as output:
            process = await trio.lowlevel.open_process(
                self._shell(f"exec {line}"), cwd=self._folder, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            while said not in (text := log.read_text()):
                assert process.poll() is None, (line, text)
                await trio.sleep(0.1)
            task_status.started()
            assert await process.wait() == -signal.SIGTERM, (line, log.read_text())
        finally:
            with trio.CancelScope(shield=True):
                process.kill()
                await process.wait()


def environment(home: Path) -> dict[str, str]:
    """This process' own, without what would set options of the programs, and with a home of its own.

    Where clusters are, the usual kubeconfig in that home says, as with most readers.
    """
    ours = ("ARGOCD_", "KUBE", "TRIO_ARGOAGENT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"HOME": str(home)}
