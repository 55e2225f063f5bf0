"""How a session ends in order: what is under way is answered, then goodbye from both, all of it in time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import LinkBroken
from trio_argoagent.model.records import Holding, Outcome, Record, Result
from trio_argoagent.replication.parting import ANSWER, FINISH
from trio_argoagent.replication.session import Session
from trio_argoagent.replication.workers import Achieved
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.sync import buckets

from .links import KEEPALIVE, OTHER, WEB, End, Raw, greet, join, session

EMPTY = buckets.Buckets().root()
BYE = m.Goodbye(m.Reason.MOVED, "elsewhere")


class Both:
    """Two sessions over one link, at work."""

    def __init__(self, agent: Session, principal: Session) -> None:
        self.agent, self.principal = agent, principal

    async def ended(self) -> float:
        """Wait for both ends; how long it took."""
        began = trio.current_time()
        with trio.fail_after(60):
            await self.agent.ended.wait()
            await self.principal.ended.wait()
        return trio.current_time() - began


async def talk(agent: End, principal: End, nursery: trio.Nursery) -> Both:
    """Both ends of a fresh link, a second after its handshake."""
    pair = await join(agent, principal)
    both = Both(session(pair.agent, agent), session(pair.principal, principal))
    nursery.start_soon(both.agent.run, pair.welcome.root)
    nursery.start_soon(both.principal.run, pair.hello.root)
    await trio.sleep(1)
    return both


async def raw_principal(agent: End, nursery: trio.Nursery) -> tuple[Session, Raw]:
    """An agent's session, and a principal that is spoken by hand."""
    pair = await greet(agent.workers.core.link_up(), EMPTY)
    talk, raw = session(pair.agent, agent), Raw(pair.principal.link)
    nursery.start_soon(talk.run, EMPTY)
    return talk, raw


async def test_leaving_when_nothing_is_under_way(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Both have said goodbye within a round trip, and know that the other has."""
    both = await talk(agent, principal, nursery)
    both.agent.leave(BYE)
    assert await both.ended() < 0.05
    assert both.principal.goodbye == BYE
    assert both.agent.goodbye == m.Goodbye(m.Reason.MOVED, "")


@pytest.mark.parametrize("leaver", ["agent", "principal"])
async def test_what_was_received_is_answered_before(
    leaver: str, agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Whoever leaves has still told what has become of what it was asked for."""
    both = await talk(agent, principal, nursery)
    ours, theirs = (agent, principal) if leaver == "agent" else (principal, agent)
    ours.trade.gate = trio.Event()
    theirs.want(WEB, "D1")
    await trio.sleep(0.1)
    getattr(both, leaver).leave(BYE)
    await trio.sleep(0.1)
    ours.trade.gate.set()
    assert await both.ended() < 0.1
    assert [result.outcome for _, result in theirs.answers] == [Outcome.APPLIED]


async def test_what_was_sent_is_answered_before(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A record that is under way when its sender leaves is not in doubt afterwards."""
    both = await talk(agent, principal, nursery)
    principal.trade.gate = trio.Event()
    agent.want(WEB, "D1")
    await trio.sleep(0.1)
    both.agent.leave(BYE)
    agent.want(OTHER, "D2")
    await trio.sleep(0.1)
    principal.trade.gate.set()
    assert await both.ended() < 0.1
    assert [ticket.key for ticket, _ in agent.answers] == [WEB], "something new was begun"
    assert principal.trade.held == {WEB: Holding("u1", "D1")}


async def test_what_takes_longer_is_left(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Goodbye is said after ``FINISH`` all the same; what is answered later is held, and not sent again."""
    both = await talk(agent, principal, nursery)
    agent.trade.gate = trio.Event()
    principal.want(WEB, "D1")
    await trio.sleep(0.1)
    both.agent.leave(BYE)
    assert FINISH <= await both.ended() < FINISH + 0.1
    assert principal.answers == []
    agent.trade.gate.set()
    await trio.sleep(1)
    records = principal.outlet.statistics().records
    await talk(agent, principal, nursery)
    assert principal.outlet.core.proven
    assert principal.outlet.statistics().records == records


async def test_what_waits_is_not_waited_for(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A record of which the other side has said that it is pending keeps nobody."""
    both = await talk(agent, principal, nursery)
    agent.trade.answers = [Achieved(Outcome.PENDING, "no project", after=30.0)]
    principal.want(WEB, "D1")
    await trio.sleep(0.1)
    both.agent.leave(BYE)
    assert await both.ended() < 0.05


async def test_a_peer_that_does_not_answer(
    agent: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Its goodbye is not waited for beyond ``ANSWER``."""
    talk, raw = await raw_principal(agent, nursery)
    began = trio.current_time()
    talk.leave(BYE)
    await raw.hear(lambda message: isinstance(message, m.Goodbye))
    assert not await raw.link.receive(), "the agent has ended its side"
    await talk.ended.wait()
    assert ANSWER - 0.1 <= trio.current_time() - began <= ANSWER + 0.1
    assert talk.goodbye is None


async def test_a_peer_that_reads_nothing(
    agent: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Nobody can keep us by taking nothing."""
    talk, _ = await raw_principal(agent, nursery)
    await trio.sleep(1)
    talk._link.send_nowait(bytes(1_000_000))
    talk.leave(BYE)
    with trio.fail_after(FINISH + ANSWER + 0.1):
        await talk.ended.wait()


async def test_a_link_that_breaks_after_goodbye(
    agent: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """All is said: it is an end like another."""
    talk, raw = await raw_principal(agent, nursery)
    talk.leave(BYE)
    await raw.hear(lambda message: isinstance(message, m.Goodbye))
    raw.link.break_off("cut", lose=True)  # type: ignore[attr-defined]
    await talk.ended.wait()


async def test_a_link_that_breaks_before_goodbye(agent: End, autojump_clock: MockClock) -> None:
    """That is a broken link, although we were about to go."""
    agent.trade.gate = trio.Event()
    pair = await greet(agent.workers.core.link_up(), EMPTY)
    talk, raw = session(pair.agent, agent), Raw(pair.principal.link)

    async def story() -> None:
        raw.say(m.RecordMessage(1, Record(WEB, "u1", "D1", "7", b"{}")))
        await trio.sleep(0.1)
        talk.leave(BYE)
        await trio.sleep(0.1)
        pair.cut()

    with pytest.RaisesGroup(pytest.RaisesGroup(LinkBroken)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(agent.workers.run)
            nursery.start_soon(story)
            await talk.run(EMPTY)


async def test_nothing_is_taken_after_goodbye(
    agent: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A record that crosses our goodbye would have nobody to answer to."""
    talk, raw = await raw_principal(agent, nursery)
    talk.leave(BYE)
    await raw.hear(lambda message: isinstance(message, m.Goodbye))
    raw.say(m.RecordMessage(1, Record(WEB, "u1", "D1", "7", b"{}")))
    raw.say(m.Goodbye(m.Reason.MOVED, ""))
    await talk.ended.wait()
    await trio.sleep(1)
    assert agent.trade.begun == []


async def test_a_goodbye_is_answered_with_what_is_known(
    agent: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Answers first, then goodbye; what may not be said any more is not said."""
    talk, raw = await raw_principal(agent, nursery)
    agent.want(OTHER, "D2")
    raw.say(m.RecordMessage(1, Record(WEB, "u1", "D1", "7", b"{}")))
    raw.say(m.Buckets(b"\1" * (m.BUCKETS * m.BUCKET_SIZE)))
    raw.say(m.Ping(b"x"))
    raw.say(BYE)
    await raw.hear(lambda message: isinstance(message, m.Goodbye))
    await talk.ended.wait()
    said = [message for message in raw.heard if not isinstance(message, m.Buckets)]
    assert said[0] == m.Pong(b"x")
    assert isinstance(said[-1], m.Goodbye)
    for message in said[1:-1]:
        assert isinstance(message, m.Results | m.RecordMessage | m.Leaf)


async def test_a_drained_link_works_as_before(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Until the agent leaves it: new records travel both ways, and it stays for as long as it takes."""
    both = await talk(agent, principal, nursery)
    assert not both.agent.drained.is_set()
    both.principal.drain()
    both.principal.drain()
    await trio.sleep(1)
    assert both.agent.drained.is_set()
    principal.want(WEB, "D1")
    agent.want(OTHER, "D2")
    await trio.sleep(5 * KEEPALIVE)
    assert agent.trade.held == {WEB: Holding("u1", "D1")}
    assert principal.trade.held == {OTHER: Holding("u1", "D2")}
    assert not both.agent.ended.is_set()
    both.agent.leave(BYE)
    assert await both.ended() < 0.05


async def test_an_answer_is_what_counts_as_one() -> None:
    """What is owed and what is waited for: a record until its first answer, if only that it is pending."""
    end = End()
    source, replica = end.outlet.core, end.workers.core
    source.link_up(EMPTY, 0.0)
    replica.link_up()
    end.want(WEB, "D1")
    taken = end.outlet.take()
    assert taken is not None and source.unanswered
    source.result(Result(taken[0], Outcome.PENDING, "no project"), 0.0)
    assert not source.unanswered
    replica.record(1, taken[1], 0.0)
    assert replica.owes
    work = replica.take(0.0)
    assert work is not None
    replica.done(work, Result(0, Outcome.PENDING, "no project"), 0.0, retain=False)
    assert not replica.owes
