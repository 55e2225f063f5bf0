"""Workers: one per key, keys in parallel, answers only of what was said."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import AS_ASKED, Evidence, Holding, Outcome, Record, Result
from trio_argoagent.replication.executor import TryLater
from trio_argoagent.replication.workers import MAX_WORKERS, Achieved, Workers
from trio_argoagent.sync.guard import SETTLE, Departure, Limits
from trio_argoagent.sync.replica import RETRY_FIRST, Report, Work

from .links import WEB, Trade


def record(key: Key = WEB, digest: str = "D1") -> Record:
    """A record of that digest."""
    return Record(key, "u1", digest, "7", b"{}")


@pytest.fixture
def trade() -> Trade:
    """A toy."""
    return Trade()


@pytest.fixture
def workers(trade: Trade, nursery: trio.Nursery) -> Workers:
    """Running, and linked."""
    made = Workers({Kind.APPLICATION: trade}, listed=frozenset((Kind.APPLICATION,)))
    made.core.link_up()
    nursery.start_soon(made.run)
    return made


def reports(workers: Workers) -> list[Report]:
    """What the source is told."""
    return list(workers.core.reports(100))


async def test_applied(workers: Workers, trade: Trade) -> None:
    """A record is brought about and answered with what is held then."""
    workers.record(1, record())
    await wait_all_tasks_blocked()
    assert reports(workers) == [Result(1, Outcome.APPLIED, "", AS_ASKED)]


async def test_nobody_is_woken_for_nothing(workers: Workers, trade: Trade, autojump_clock: MockClock) -> None:
    """An echo that tells nothing new, and a key that waits for nothing, do not wake the link."""
    workers.record(1, record())
    await wait_all_tasks_blocked()
    reports(workers)
    await workers.bell.wait()
    workers.observe(WEB)
    workers.touch(WEB)
    with trio.move_on_after(1.0) as scope:
        await workers.bell.wait()
    assert scope.cancelled_caught
    del trade.held[WEB]
    workers.observe(WEB)
    await workers.bell.wait()


async def test_a_body_without_sense_is_rejected(workers: Workers, trade: Trade) -> None:
    """Only that record: the next one is taken as ever."""
    trade.answers.append(RemoteProtocolError("nonsense"))
    workers.record(1, record())
    await wait_all_tasks_blocked()
    assert reports(workers) == [Result(1, Outcome.REJECTED, "nonsense", None)]
    workers.record(2, record(digest="D2"))
    await wait_all_tasks_blocked()
    assert reports(workers) == [Result(2, Outcome.APPLIED, "", AS_ASKED)]


async def test_try_later(workers: Workers, trade: Trade, autojump_clock: MockClock) -> None:
    """What the server cannot now is tried again after what it asked for, and only then answered."""
    trade.answers.append(TryLater(17.0, "busy"))
    began = trio.current_time()
    workers.record(1, record())
    await workers.bell.wait()
    while not workers.core.has_reports:
        await workers.bell.wait()
    assert trio.current_time() == began + 17.0
    assert reports(workers) == [Result(1, Outcome.APPLIED, "", AS_ASKED)]


async def test_pending_goes_on_by_itself(workers: Workers, trade: Trade, autojump_clock: MockClock) -> None:
    """Pending is said once, tried again, and answered again when it is done."""
    trade.answers += [Achieved(Outcome.PENDING, "not yet")] * 2
    workers.record(1, record())
    await trio.sleep(10 * RETRY_FIRST)
    assert reports(workers) == [
        Result(1, Outcome.PENDING, "not yet"),
        Result(1, Outcome.APPLIED, "", AS_ASKED),
    ]


async def test_one_worker_per_key_and_the_newest_record_wins(workers: Workers, trade: Trade) -> None:
    """While a key is worked on, newer records conflate; only the newest is answered."""
    trade.gate = trio.Event()
    workers.record(1, record())
    await wait_all_tasks_blocked()
    for number in (2, 3, 4):
        workers.record(number, record(digest=f"D{number}"))
    await wait_all_tasks_blocked()
    assert [r.digest for r in trade.begun] == ["D1"]
    trade.gate.set()
    await wait_all_tasks_blocked()
    assert [r.digest for r in trade.begun] == ["D1", "D4"]
    assert reports(workers) == [Result(4, Outcome.APPLIED, "", AS_ASKED)]


async def test_keys_in_parallel_but_not_all(workers: Workers, trade: Trade) -> None:
    """At most MAX_WORKERS at once; the others wait their turn."""
    trade.gate = trio.Event()
    for n in range(MAX_WORKERS + 5):
        workers.record(n + 1, record(Key(Kind.APPLICATION, "argocd", f"app-{n}")))
    await wait_all_tasks_blocked()
    assert len(trade.begun) == MAX_WORKERS
    trade.gate.set()
    await wait_all_tasks_blocked()
    assert len(reports(workers)) == MAX_WORKERS + 5


async def test_a_worker_outlives_its_link(workers: Workers, trade: Trade) -> None:
    """What a dead link asked for is finished; the next link is told by the root, not by an answer."""
    trade.gate = trio.Event()
    before = workers.core.root()
    workers.record(1, record())
    await wait_all_tasks_blocked()
    workers.core.link_down()
    root = workers.core.link_up()
    assert root == before
    trade.gate.set()
    await wait_all_tasks_blocked()
    assert reports(workers) == [(WEB, Holding("u1", "D1"))]


async def test_an_unforeseen_error_is_not_swallowed() -> None:
    """A bug in a trade ends the program, visibly."""
    trade = Trade()
    trade.answers.append(ZeroDivisionError())
    workers = Workers({Kind.APPLICATION: trade}, listed=frozenset())
    workers.record(1, record())
    with pytest.RaisesGroup(ZeroDivisionError):
        await workers.run()


async def test_what_is_held_is_told_again_on_a_new_link(
    trade: Trade, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Whoever hears of it has forgotten it with the link, and with it what confirms it."""
    workers = Workers({Kind.APPLICATION: trade}, listed=frozenset(), limits=Limits())
    told, departure = list[bool](), Departure(WEB, "u1", Evidence.INFERRED)

    async def bring_about(work: Work) -> Achieved:
        answer = workers.guard.ask(departure, trio.current_time())
        return Achieved(Outcome.PENDING, answer.reason, after=answer.after)

    trade.bring_about = bring_about  # type: ignore[method-assign]
    workers.on_held = lambda held: told.append(held is not None)
    nursery.start_soon(workers.run)
    workers.new_link()
    workers.record(1, record())
    await trio.sleep(10 * SETTLE)
    assert told == [True]
    workers.new_link()
    workers.record(1, record())
    await trio.sleep(10 * SETTLE)
    assert told == [True, True]


async def test_a_refusal_tells_what_is_held(workers: Workers, trade: Trade) -> None:
    """A record that was not even taken leaves the older one in place, and the source must count on that."""
    workers.record(1, record())
    await wait_all_tasks_blocked()
    reports(workers)
    workers.core.refuse(2, WEB, "out of scope")
    assert reports(workers) == [Result(2, Outcome.REJECTED, "out of scope", Holding("u1", "D1"))]


async def test_a_refusal_while_an_older_record_is_under_way(workers: Workers, trade: Trade) -> None:
    """The older number is nobody's any more: what it makes is told as a holding, after the refusal."""
    trade.gate = trio.Event()
    workers.record(1, record())
    await wait_all_tasks_blocked()
    workers.core.refuse(2, WEB, "out of scope")
    trade.gate.set()
    await wait_all_tasks_blocked()
    assert reports(workers) == [
        Result(2, Outcome.REJECTED, "out of scope", None),
        (WEB, Holding("u1", "D1")),
    ]
