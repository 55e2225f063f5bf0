"""What is done inside a program: who works on what, who wakes whom, and what waits for what."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

import trio
import trio.testing

from trio_argoagent.kube.credentials import Credentials, from_kubeconfig
from trio_argoagent.kube.protocol.requests import HttpRequest
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Record
from trio_argoagent.net.apart import kept_apart
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.executor import TryLater
from trio_argoagent.replication.sharing import SharedWrites
from trio_argoagent.replication.workers import MAX_WORKERS, Achieved, Workers
from trio_argoagent.sync.replica import Work

from ..unit.kube.httpfakes import FakeHttp, session_over
from ..unit.kube.test_credentials import write as write_kubeconfig
from ..unit.replication.links import Trade
from .links import AT_ONCE


class _Counting(Trade):
    """Each step takes a second; how many are under way, by key, and at most at once."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: Counter[Key] = Counter()
        self.most = 0
        self.crowded: list[Key] = []

    async def bring_about(self, work: Work) -> Achieved | TryLater:
        """See ``workers.Trade``."""
        self.under_way[work.key] += 1
        self.most = max(self.most, self.under_way.total())
        if self.under_way[work.key] > 1:
            self.crowded.append(work.key)
        await trio.sleep(1)
        self.under_way[work.key] -= 1
        return await super().bring_about(work)


async def _worked_on(keys: int, rounds: int) -> _Counting:
    """So many keys get a new record each, so often, ten times a second."""
    trade = _Counting()
    workers = Workers({Kind.APPLICATION: trade}, listed=frozenset((Kind.APPLICATION,)))
    workers.core.link_up()
    number = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(workers.run)
        for turn in range(rounds):
            for name in range(keys):
                number += 1
                key = Key(Kind.APPLICATION, "argocd", f"app-{name}")
                workers.record(number, Record(key, "u1", f"D{turn}", str(number), b"{}"))
            await trio.sleep(0.1)
        await trio.sleep(keys)
        nursery.cancel_scope.cancel()
    assert {holding.digest for holding in trade.held.values()} == {f"D{rounds - 1}"}
    return trade


async def one_worker_a_key() -> None:
    """However fast a key changes, nobody works on it twice at once, and the last value stands."""
    trade = await _worked_on(keys=3, rounds=10)
    assert trade.crowded == []


async def workers_are_bounded() -> None:
    """Keys are worked on side by side, but never more of them than the bound says."""
    trade = await _worked_on(keys=3 * MAX_WORKERS, rounds=1)
    assert trade.most == MAX_WORKERS


async def ring_before_the_wait_counts() -> None:
    """A bell that nobody waits at yet is heard by whoever comes next; a thousand rings are one."""
    bell = Bell()
    for _ in range(1000):
        bell.ring()
    with trio.fail_after(AT_ONCE):
        await bell.wait()
    with trio.move_on_after(AT_ONCE) as again:
        await bell.wait()
    assert again.cancelled_caught


async def cancelled_turn_is_passed_on() -> None:
    """Whoever is cancelled in the very moment when its turn comes leaves the turn to the next one."""
    writes = SharedWrites(slots=1)
    done: list[str] = []

    async def write(agent: str, scope: trio.CancelScope) -> None:
        with scope:
            async with writes.turn(agent, 10):
                done.append(agent)

    async with trio.open_nursery() as nursery:
        unlucky = trio.CancelScope()
        async with writes.turn("first", 10):
            nursery.start_soon(write, "second", unlucky)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(write, "third", trio.CancelScope())
            await trio.testing.wait_all_tasks_blocked()
            unlucky.cancel()  # It has not noticed yet when, in this same step, its turn comes.
        await trio.sleep(AT_ONCE)
        nursery.cancel_scope.cancel()
    assert done == ["third"]


async def session_is_ready() -> None:
    """Who has a session may use it: there is no moment at which it has no connection yet."""
    async with session_over(FakeHttp((200, {})), Credentials("h", tls=False)) as session:
        response = await session.request(HttpRequest("GET", "/version"))
    assert response.status == 200


async def neither_failure_is_lost() -> None:
    """The body of a nursery fails, and so does a child of it: both are told."""

    async def child() -> None:
        raise ValueError("child")

    told = []
    try:
        with kept_apart() as kept:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child)
                with kept.body():
                    raise KeyError("body")
    except* KeyError:
        told.append("body")
    except* ValueError:
        told.append("child")
    assert told == ["body", "child"]


async def hanging_thread_is_alone() -> None:
    """A kubeconfig that hangs costs no thread of those that look up host names."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config"
        reload = (await from_kubeconfig(write_kubeconfig(path, {"token": "t"}))).reload
        assert reload is not None
        path.unlink()
        os.mkfifo(path)
        for _ in range(3):
            with trio.move_on_after(1):
                await reload()
        os.close(os.open(path, os.O_RDWR))
        assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
