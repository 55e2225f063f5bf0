"""A round of one side of a question about the link: a server's process and a client's."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import trio

from trio_argoagent.bench.children import child, last_word, line
from trio_argoagent.bench.figures import Found
from trio_argoagent.bench.loads import Task
from trio_argoagent.bench.place import CLIENT, SERVER, Place
from trio_argoagent.bench.questions import Ask, Asked
from trio_argoagent.bench.worker import DRIVE, SERVE, Order
from trio_argoagent.errors import UserError
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import Pki

START_TIMEOUT: Final = 60.0
"""Seconds until a server says where it is."""
_WORKER: Final = (sys.executable, "-m", "trio_argoagent.bench.worker")


@contextmanager
def identities() -> Iterator[str]:
    """A folder with fresh certificates for both ends; gone when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        pki = Pki.create(real_env())
        Path(folder, "ca.pem").write_bytes(pki.ca)
        for end, (certificate, key) in {SERVER: pki.server("bench"), CLIENT: pki.agent("bench")}.items():
            Path(folder, f"{end}.pem").write_bytes(certificate)
            Path(folder, f"{end}.key").write_bytes(key)
        yield folder


def pair(load: str) -> Ask:
    """Asks two fresh processes, one serving and one driving.

    Args:
        load: the name of what is done, in ``worker.LOADS``.
    """

    async def ask(asked: Asked) -> Found:
        with identities() as folder:
            cases = tuple(case for case in asked.cases if isinstance(case, int))
            task = Task(load, cases, asked.effort.seconds)
            order = Order(asked.side.module, Place(folder, asked.side.variant), task)
            return await _pair(asked.side.name, order)

    return ask


async def _pair(name: str, order: Order) -> Found:
    """One round of one side: a server, a client, and what the client has found."""
    async with _process(SERVE, order) as server, _process(DRIVE, order) as client:
        where = b""
        with trio.move_on_after(START_TIMEOUT):
            where = await line(server)
        if not where:
            raise UserError(f"{name}: the server does not start: {_complaint(order, SERVE)}")
        assert client.stdin is not None
        await client.stdin.send_all(where)
        if not (found := await line(client)):
            raise UserError(f"{name}: the client has failed: {_complaint(order, DRIVE)}")
    result: Found = json.loads(found)
    return result


@asynccontextmanager
async def _process(role: str, order: Order) -> AsyncIterator[trio.Process]:
    """A process that is gone when the block ends."""
    with _errors(order, role).open("wb") as errors:
        async with child([*_WORKER, role, order.as_json()], stderr=errors) as process:
            yield process


def _errors(order: Order, role: str) -> Path:
    return Path(order.place.folder, f"{role}.err")


def _complaint(order: Order, role: str) -> str:
    """The last line of what a process said before it ended."""
    return last_word(_errors(order, role).read_text("utf-8", "replace"))
