"""A release and the one before it run side by side: principal first, then agents, and back again.

    make upgrade-test PREVIOUS=<commit or .pyz>

Each step replaces one program by its counterpart, by SIGTERM, while both sides are edited. Whatever runs with
what, every edit arrives, nothing is deleted, and no Application is written that nobody else has written.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from trio_argoagent.apiserver.core.values import LogEntry, Verb
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, PRODUCT, SpokePlan
from trio_argoagent.testing.processes.fleet import OURS, Fleet, open_fleet

from .releases import LATEST, VARIABLE, NoneThere, previous

pytestmark = pytest.mark.processes

PATIENCE = 300.0
"""Seconds for both sides to agree: what is unpacked is compiled at each start."""
EAST, EDGE = "east", "edge"
UNTOUCHED = ("quiet-1", "quiet-2", "quiet-3")
EDITED = "shop"
STEPS = (
    (PRINCIPAL, "new"),
    (EAST, "new"),
    (EDGE, "new"),
    (PRINCIPAL, "old"),
    (EAST, "old"),
    (EDGE, "old"),
    (EAST, "new"),
    (EDGE, "new"),
    (PRINCIPAL, "new"),
)
"""What is replaced by which: the order that we ask for, back again, and the other order."""


@attrs.define
class Log:
    """What is written to Applications and AppProjects, since the last look."""

    fleet: Fleet
    entries: list[tuple[str, LogEntry]] = attrs.field(factory=list)

    def listen(self) -> None:
        """To every cluster."""
        for name, server in self.fleet.servers():

            def note(entry: LogEntry, name: str = name) -> None:
                if entry.resource in (APPLICATIONS, APP_PROJECTS):
                    self.entries.append((name, entry))

            server.subscribe(note)

    def check(self) -> None:
        """The product has deleted nothing, and begun nothing: who writes an object first is somebody else."""
        told = [(where, entry.actor, entry.verb.value, entry.name) for where, entry in self.entries]
        begun: set[str] = set()
        for _, entry in self.entries:
            if entry.actor in PRODUCT:
                assert entry.verb is not Verb.DELETE, told
                assert entry.name in begun, (entry.name, told)
            begun.add(entry.name)
        self.entries.clear()


async def settle(fleet: Fleet) -> None:
    """Until both sides agree and nobody writes any more."""
    assert await fleet.wait_settled(PATIENCE) == []
    assert not [str(death) for program in fleet.programs.values() for death in program.deaths]


async def create(fleet: Fleet, name: str) -> None:
    """An Application on each side that owns some."""
    hub, edge = fleet.hub.local("user"), fleet.nodes[EDGE].machine.local("user")
    await hub.create(APPLICATIONS, application(name, namespace=EAST, syncPolicy=automated()))
    await edge.create(APPLICATIONS, application(name, namespace=NAMESPACE, syncPolicy=automated()))


async def edit(fleet: Fleet, revision: str) -> None:
    """What each side owns."""
    change = MergePatch({"spec": {"source": {"targetRevision": revision}}})
    await fleet.hub.local("user").patch(APPLICATIONS, EAST, EDITED, change)
    await fleet.nodes[EDGE].machine.local("user").patch(APPLICATIONS, NAMESPACE, EDITED, change)


async def check_copies(fleet: Fleet, revision: str, names: Sequence[str]) -> None:
    """The edit has arrived, and every Application is there on both sides."""
    places = (
        (fleet.hub, EAST), (fleet.nodes[EAST].machine, NAMESPACE),
        (fleet.hub, EDGE), (fleet.nodes[EDGE].machine, NAMESPACE),
    )  # fmt: skip
    for machine, namespace in places:
        found = {item.name: item.value for item in machine.server.list(APPLICATIONS, namespace).items}
        assert sorted(found) == sorted(names)
        assert found[EDITED]["spec"]["source"]["targetRevision"] == revision


@asynccontextmanager
async def open_releases(folder: Path, old: Sequence[str]) -> AsyncIterator[Fleet]:
    """A fleet of the earlier release."""
    quick = Settings(operation=0.1, progressing=0.1, pruning=0.1)
    plans = [SpokePlan(EAST, Mode.MANAGED, quick), SpokePlan(EDGE, Mode.AUTONOMOUS, quick)]
    fleet = Fleet(1, plans, real_env(), folder, folder, command=old)
    async with open_fleet(fleet, keepalive=30.0):
        yield fleet


@pytest.fixture
def release() -> Path:
    """The one to compare with."""
    try:
        return previous(os.environ.get(VARIABLE, ""))
    except NoneThere as reason:
        pytest.skip(str(reason))


async def test_rolling_upgrade_and_back(release: Path, tmp_path: Path) -> None:
    """See the module."""
    commands = {"old": (sys.executable, str(release)), "new": OURS}
    await trio.run_process([*commands["old"], "--version"], capture_stdout=True)  # Unpacks it.
    async with open_releases(tmp_path, commands["old"]) as fleet:
        log, names = Log(fleet), [*UNTOUCHED, EDITED]
        for name in names:
            await create(fleet, name)
        await settle(fleet)
        log.listen()
        for number, (program, which) in enumerate(STEPS):
            fleet.replace(program, commands[which])
            with fleet.programs[program].killed(signal.SIGTERM):
                # Half of the edits are made while the program is away, the others beside its start.
                await edit(fleet, f"away-{number}")
            await create(fleet, f"new-{number}")
            await edit(fleet, f"step-{number}")
            names.append(f"new-{number}")
            await settle(fleet)
            await check_copies(fleet, f"step-{number}", names)
            log.check()


def test_latest_without_tags_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a pass without a word."""
    monkeypatch.setattr("tests.interop.releases._git", lambda *arguments: "")
    with pytest.raises(NoneThere, match="no tag yet"):
        previous(LATEST)
    with pytest.raises(NoneThere, match="make upgrade-test"):
        previous("")


@pytest.mark.parametrize("asked", ["no-such-commit", "no/such/file.pyz"])
def test_what_is_no_release(asked: str) -> None:
    """It is said, and does not skip."""
    with pytest.raises(ValueError, match=f"^PREVIOUS={asked}: "):
        previous(asked)
