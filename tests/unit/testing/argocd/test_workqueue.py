"""The work queue's promises."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.testing.argocd.workqueue import WorkQueue


async def test_a_key_waits_once_and_is_done_again_if_added_meanwhile(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Many adds before are one; an add during the work is one more."""
    queue: WorkQueue[str] = WorkQueue()
    done: list[tuple[str, float]] = []

    async def work(key: str) -> None:
        await trio.sleep(1)
        done.append((key, trio.current_time()))

    for _ in range(3):
        queue.add("a")
    assert len(queue) == 1
    nursery.start_soon(queue.serve, work, 5)
    await wait_all_tasks_blocked()
    queue.add("a")
    queue.add("a")
    await trio.sleep(10)
    assert [key for key, _ in done] == ["a", "a"]
    assert done[1][1] - done[0][1] == 1.0


async def test_no_more_than_the_limit_at_once(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    """Different keys run side by side, up to the limit."""
    queue: WorkQueue[int] = WorkQueue()
    ended: list[float] = []

    async def work(key: int) -> None:
        await trio.sleep(1)
        ended.append(trio.current_time())

    for key in range(7):
        queue.add(key)
    began = trio.current_time()
    nursery.start_soon(queue.serve, work, 3)
    await trio.sleep(10)
    assert [at - began for at in ended] == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0]


async def test_the_earliest_time_wins(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    """A later time for a key that is due earlier changes nothing, an earlier one replaces it."""
    queue: WorkQueue[str] = WorkQueue()
    done: list[tuple[str, float]] = []

    async def work(key: str) -> None:
        done.append((key, trio.current_time()))
        await trio.lowlevel.checkpoint()

    began = trio.current_time()
    nursery.start_soon(queue.serve, work, 1)
    queue.add_after("late", 9)
    queue.add_after("a", 5)
    queue.add_after("a", 2)
    queue.add_after("a", 7)
    queue.add_after("now", 0)
    await trio.sleep(20)
    assert [(key, at - began) for key, at in done] == [("now", 0.0), ("a", 2.0), ("late", 9.0)]
