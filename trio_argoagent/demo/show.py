"""The whole demo, from settings to its exit code."""

from __future__ import annotations

import tempfile
from pathlib import Path

import trio
from rich.console import Console

from trio_argoagent.demo import report as reports
from trio_argoagent.demo.documents import read_documents
from trio_argoagent.demo.drive import Drive
from trio_argoagent.demo.fleet import Fleet
from trio_argoagent.demo.narrator import Narrator
from trio_argoagent.demo.screen import Log, Screen
from trio_argoagent.demo.settings import Settings
from trio_argoagent.errors import UserError
from trio_argoagent.runtime.world import real_env, seeded_env
from trio_argoagent.testing.machine import NAMESPACE


async def show(settings: Settings) -> int:
    """Run the demo; 0 if both sides agreed at the end (or nobody asked), 1 if not.

    Raises:
        UserError: the user's documents cannot be used; nothing has been started.
    """
    env = real_env()
    modes = dict(settings.agents)
    documents = read_documents(settings.files, modes, NAMESPACE, env.entropy, env.now())
    if settings.report:
        _write_report(settings.report, "", "a")  # Now, not after a minute: can it be written at all?
    with _folder() as folder:
        console = Console()
        log = Log(env)
        narrator = Narrator(log.add)
        fleet = Fleet(settings, seeded_env(f"demo {settings.seed}"), Path(folder), narrator.on_event)
        drive = Drive(fleet, documents)
        async with trio.open_nursery() as nursery:
            await nursery.start(fleet.run)
            narrator.follow(fleet)
            if settings.headless:
                code = await _headless(fleet, drive, console)
            else:
                code = await _on_screen(fleet, drive, Screen(fleet, log, console))
            nursery.cancel_scope.cancel()
    return code


def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where keys and kubeconfigs are, until the demo ends.

    Raises:
        UserError: nothing can be written anywhere.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="trio-argoagent-demo-")
    except OSError as exc:
        raise UserError(f"no directory for temporary files: {exc.strerror}; set TMPDIR to one") from exc


async def _headless(fleet: Fleet, drive: Drive, console: Console) -> int:
    settings = fleet.settings
    what = f"{settings.duration:g} s of workload with seed {settings.seed}"
    console.print(f"{len(fleet.nodes)} agents, {what} ...")
    await drive.run()
    console.print("the workload is over; waiting until both sides agree ...")
    return _finish(fleet, drive, await drive.settle(), console)


async def _on_screen(fleet: Fleet, drive: Drive, screen: Screen) -> int:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(screen.run)
        await drive.run()
        nursery.cancel_scope.cancel()
    return _finish(fleet, drive, await drive.settle(), screen.console)


def _finish(fleet: Fleet, drive: Drive, differences: list[str], console: Console) -> int:
    value = reports.report(fleet, differences, drive.counted())
    if fleet.settings.report:
        _write_report(fleet.settings.report, reports.text(value))
    for line in reports.lines(value):
        # Lines stay whole: where the output is no terminal, somebody searches it.
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return 0 if value["consistent"] else 1


def _write_report(path: str, text: str, mode: str = "w") -> None:
    try:
        with Path(path).open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise UserError(f"--report: cannot write {path}: {exc.strerror}; name a file that can be") from exc
