"""The ports at which a program shows whether it works and what it does."""

from __future__ import annotations

import socket

import pytest
import trio

from trio_argoagent.cli.observing import LOOPBACK, open_observing
from trio_argoagent.cli.observing_options import ObservingOptions
from trio_argoagent.runtime.events import Event, ignore

from ..runtime.observing.asking import ask, held_port
from .conftest import Files, Run


async def test_each_port_shows_its_own() -> None:
    """Metrics here, health there, tasks on loopback; nothing is where it was not asked for."""
    told: list[Event] = []
    with held_port() as metrics, held_port() as health, held_port() as debug:
        async with open_observing(ObservingOptions(metrics, health, debug), told.append) as board:
            assert await ask(health, "/livez") == (200, "ok\n")
            status, said = await ask(health, "/readyz")
            assert status == 503 and said.startswith("[-]started failed: ")
            for port, path, expected in (
                (health, "/metrics", 404),
                (health, "/debug/tasks", 404),
                (metrics, "/metrics", 503),
                (metrics, "/livez", 404),
                (debug, "/metrics", 404),
                (debug, "/debug/pprof", 404),
            ):
                assert (await ask(port, path))[0] == expected
            status, tasks = await ask(debug, "/debug/tasks")
            assert status == 200 and "\n└─ " in tasks and "observing /metrics" in tasks
            assert board.lag.statistics().turns > 0
    assert [(each.name, each.text.partition(" shows ")[2]) for each in told] == [
        ("observing", "/metrics"),
        ("observing", "/livez, /healthz, /readyz"),
        ("observing", "/debug"),
    ]


async def test_one_port_for_both() -> None:
    """Metrics and health may share it."""
    with held_port() as port:
        async with open_observing(ObservingOptions(port, port, 0), ignore):
            assert (await ask(port, "/livez"))[0] == 200
            assert (await ask(port, "/metrics"))[0] == 503


async def test_none() -> None:
    """0 opens none, as argocd-agent's does, and then nobody could see how late the event loop is."""
    told: list[Event] = []
    async with open_observing(ObservingOptions(0, 0, 0), told.append) as board:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
        assert board.lag.statistics().turns == 0
    assert told == []


@pytest.mark.parametrize("option", ["metrics-port", "healthz-port", "pprof-port"])
def test_a_port_in_use(run: Run, files: Files, option: str) -> None:
    """The line names the option to change; nothing was served."""
    with socket.socket() as taken:
        taken.bind(("" if option != "pprof-port" else LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        for command in (files.agent, files.principal):
            line = run(*command(**{option: str(port)})).line
            assert line.startswith("cannot listen on ")
            assert line.endswith(f":{port}: Address already in use; choose another --{option}")


@pytest.mark.parametrize("other", ["metrics-port", "healthz-port"])
def test_tasks_are_for_this_machine_alone(run: Run, files: Files, other: str) -> None:
    """So not at a port that others reach."""
    line = run(*files.agent(**{other: "1234", "pprof-port": "1234"})).line
    assert line == f"--pprof-port: is --{other}, too, which others may reach; choose another one"
