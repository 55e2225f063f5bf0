"""What the questions about fleets share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
import trio
import trio.testing

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.bench import pairs
from trio_argoagent.bench.children import last_word
from trio_argoagent.bench.fleet import rig
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.fleet import PRINCIPAL
from trio_argoagent.testing.machine import Machine
from trio_argoagent.testing.processes.program import Death, Program

TOLD: Final = '{"event": "in-step", "agent": "agent-000", "timestamp": "2026-01-01T00:00:0%d.5Z"}\n'


def fleet(folder: Path) -> Any:
    """A principal and an agent that nobody has started: their logs are read, and their deaths."""
    names = (PRINCIPAL, "agent-000")
    programs = {name: Program(name, ("true",), {}, folder / f"{name}.log") for name in names}
    for program in programs.values():
        program.log.write_text("")
    return SimpleNamespace(programs=programs, nodes={"agent-000": None})


def test_a_death_is_no_figure(tmp_path: Path) -> None:
    """What is measured beside one is none; what it has led to is its cause, and not what is told."""
    odd = fleet(tmp_path)
    with rig._surviving(odd):
        pass
    with pytest.raises(ValueError, match="mine"), rig._surviving(odd):
        raise ValueError("mine")
    odd.programs["agent-000"].deaths.append(Death("agent-000", -9, False, "out of memory"))
    with pytest.raises(UserError, match="agent-000 has ended by itself with code -9: out of memory"):
        with rig._surviving(odd):
            pass
    with pytest.raises(UserError, match="out of memory") as caught, rig._surviving(odd):
        raise ValueError("no process")
    assert isinstance(caught.value.__cause__, ValueError)


def test_moments(tmp_path: Path) -> None:
    """Of a log that others write to as well, and whose last line a kill may have cut."""
    odd = fleet(tmp_path)
    odd.programs[PRINCIPAL].log.write_bytes(
        b"a warning\n[1]\n" + (TOLD % 1).encode() + b'{"event": "in-step"}\n\xff\n{"event": "in-st'
    )
    assert rig.moments(odd, PRINCIPAL, "in-step") == [("agent-000", 1767225601.5)]


async def test_proofs(tmp_path: Path, autojump_clock: object) -> None:
    """Those that were there before do not count; the last one's moment is told."""
    odd = fleet(tmp_path)
    logs = [program.log for program in odd.programs.values()]
    for log in logs:
        log.write_text(TOLD % 1)
    proofs = rig.Proofs(odd)
    with pytest.raises(trio.TooSlowError):
        await proofs.wait()
    for number, log in enumerate(logs):
        log.write_text(TOLD % 1 + TOLD % (number + 3))
    assert await proofs.wait() == 1767225604.5


async def test_proofs_of_each(tmp_path: Path, autojump_clock: object) -> None:
    """Two of one agent are not one of each."""
    odd = fleet(tmp_path)
    odd.nodes["agent-001"] = None
    proofs = rig.Proofs(odd)
    for program in odd.programs.values():
        program.log.write_text(TOLD % 1 + TOLD % 2)
    with pytest.raises(trio.TooSlowError):
        await proofs.wait()
    with odd.programs[PRINCIPAL].log.open("a") as log:
        log.write((TOLD % 3).replace("agent-000", "agent-001"))
    assert await proofs.wait() == 1767225603.5


class Server:
    """Of a cluster: tells who has subscribed."""

    def subscribe(self, hear: Callable[[LogEntry], None]) -> None:
        """See ``Server``."""
        self.hear = hear


async def test_arrivals() -> None:
    """Who waits for an Application is not woken by another's changes, and not content with an earlier one."""
    server = Server()
    arrivals = rig.Arrivals(cast(Machine, SimpleNamespace(server=server)))

    def commit(app: int, number: int) -> None:
        value = {"status": rig.status(number, 0)}
        new = SimpleNamespace(namespace="argocd", name=rig.app_name(app), value=value)
        server.hear(cast(LogEntry, SimpleNamespace(resource=APPLICATIONS, new=new)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(arrivals.wait, "argocd", 1, 2)
        for app, number in ((0, 2), (1, 1)):
            await trio.testing.wait_all_tasks_blocked()
            commit(app, number)
            assert bool(arrivals._awaited) is (app != 1)
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        commit(1, 2)
    assert arrivals.count == 3


def test_last_word() -> None:
    """Of a group, the last exception in it, and not the frame round it."""
    try:
        raise ExceptionGroup("tasks", [ValueError("a"), UserError("no port")])
    except ExceptionGroup:
        import traceback

        assert last_word(traceback.format_exc()).endswith("UserError: no port")
    assert last_word(" \n\n") == "it says nothing"


async def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for for ever."""
    from tests.unit.bench.test_pairs import small
    from trio_argoagent.bench.stream import QUESTIONS, SIDES

    monkeypatch.setattr(pairs, "START_TIMEOUT", 0.0)
    monkeypatch.setattr(pairs, "_WORKER", (sys.executable, "-c", "input()"))
    with pytest.raises(UserError, match="frames: the server does not start: it says nothing"):
        await small(QUESTIONS["echo"], SIDES["frames"])
