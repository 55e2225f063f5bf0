"""The ports at which a program shows whether it works and what it does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from trio_argoagent.cli.observing import LOOPBACK, open_observing
from trio_argoagent.cli.observing_options import ObservingOptions
from trio_argoagent.runtime.events import Event, ignore

from .conftest import Files, Run


@contextmanager
def held_port() -> Iterator[int]:
    """One that nobody else gets, but who asks for just that one: it is bound, and nobody listens."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((LOOPBACK, 0))
        yield holder.getsockname()[1]


async def get(port: int, path: str) -> str:
    """The answer's first line, and its body."""
    async with await trio.open_tcp_stream(LOOPBACK, port) as stream:
        await stream.send_all(f"GET {path} HTTP/1.1\r\nhost: me\r\n\r\n".encode())
        heard = b"".join([piece async for piece in stream]).decode()
    head, _, body = heard.partition("\r\n\r\n")
    return f"{head.splitlines()[0]}\n{body}"


async def test_each_port_shows_its_own() -> None:
    """Metrics here, health there, tasks on loopback; nothing is where it was not asked for."""
    told: list[Event] = []
    with held_port() as metrics, held_port() as health, held_port() as debug:
        async with open_observing(ObservingOptions(metrics, health, debug), told.append) as board:
            assert await get(health, "/livez") == "HTTP/1.1 200 \nok\n"
            assert (await get(health, "/readyz")).startswith("HTTP/1.1 503 \n[-]started failed: ")
            assert (await get(health, "/metrics")).startswith("HTTP/1.1 404 ")
            assert (await get(health, "/debug/tasks")).startswith("HTTP/1.1 404 ")
            assert (await get(metrics, "/metrics")).startswith("HTTP/1.1 503 ")
            assert (await get(metrics, "/livez")).startswith("HTTP/1.1 404 ")
            tasks = await get(debug, "/debug/tasks")
            assert "\n└─ " in tasks and "observing /metrics" in tasks
            assert (await get(debug, "/debug/pprof")).startswith("HTTP/1.1 404 ")
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
            assert (await get(port, "/livez")).startswith("HTTP/1.1 200 ")
            assert (await get(port, "/metrics")).startswith("HTTP/1.1 503 ")


async def test_none() -> None:
    """0 opens none, as argocd-agent's does."""
    told: list[Event] = []
    async with open_observing(ObservingOptions(0, 0, 0), told.append):
        pass
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
