"""One link's life over an in-memory pair: what is said, in which order, and how it ends."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import LinkBroken, RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Holding, Outcome, Record, Result
from trio_argoagent.replication import session as session_module
from trio_argoagent.replication.session import Session
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.sync import buckets

from .links import KEEPALIVE, OTHER, WEB, End, Pair, Raw, greet, join, session

EMPTY = buckets.Buckets().root()


class Linked:
    """Two ends that talk in a nursery."""

    def __init__(self, agent: End, principal: End, pair: Pair) -> None:
        self.agent, self.principal, self.pair = agent, principal, pair
        self.ended: list[str] = []

    async def run(self) -> None:
        """Both sessions; returns when both have ended."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._one, "agent", self.pair.agent, self.agent, self.pair.welcome.root)
            nursery.start_soon(
                self._one, "principal", self.pair.principal, self.principal, self.pair.hello.root
            )

    async def _one(self, name: str, greeting: object, end: End, root: bytes) -> None:
        try:
            await session(greeting, end).run(root)  # type: ignore[arg-type]
        except* LinkBroken:
            self.ended.append(f"{name} broken")
        else:
            self.ended.append(f"{name} ended")


async def test_values_travel_both_ways(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """What each side wants, the other one holds, and both hear so."""
    principal.want(WEB, "D1")
    agent.want(OTHER, "D2")
    nursery.start_soon(Linked(agent, principal, await join(agent, principal)).run)
    await trio.sleep(5)
    assert agent.trade.held == {WEB: Holding("u1", "D1")}
    assert principal.trade.held == {OTHER: Holding("u1", "D2")}
    assert [result.outcome for _, result in principal.answers] == [Outcome.APPLIED]
    assert principal.outlet.core.proven
    assert agent.outlet.core.proven


async def test_a_second_link_of_equal_roots_carries_nothing(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Whatever the number of objects."""
    for n in range(50):
        principal.want(Key(Kind.APPLICATION, "argocd", f"app-{n}"), f"D{n}")
    first = await join(agent, principal)
    nursery.start_soon(Linked(agent, principal, first).run)
    await trio.sleep(5)
    first.cut()
    await trio.sleep(1)
    second = await join(agent, principal)
    before = second.network.total.frames_sent
    nursery.start_soon(Linked(agent, principal, second).run)
    await trio.sleep(5)
    assert second.network.total.frames_sent == before
    assert principal.outlet.core.proven


async def test_a_deletion_while_the_link_is_down(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """It is told by the next link."""
    principal.want(WEB, "D1")
    first = await join(agent, principal)
    nursery.start_soon(Linked(agent, principal, first).run)
    await trio.sleep(5)
    first.cut()
    await trio.sleep(1)
    principal.outlet.absent(WEB, witnessed="u1")
    nursery.start_soon(Linked(agent, principal, await join(agent, principal)).run)
    await trio.sleep(5)
    assert agent.trade.held == {}


async def test_an_idle_link_stays(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Marks and pings keep it alive for as long as you like, and find nothing wrong."""
    principal.want(WEB, "D1")
    linked = Linked(agent, principal, await join(agent, principal))
    nursery.start_soon(linked.run)
    await trio.sleep(50 * KEEPALIVE)
    assert linked.ended == []
    assert principal.outlet.statistics().mismatches == 0


async def test_a_cut_ends_both(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A link that breaks is LinkBroken on both sides, and each feed knows that it is down."""
    linked = Linked(agent, principal, await join(agent, principal))
    nursery.start_soon(linked.run)
    await trio.sleep(1)
    linked.pair.cut()
    await trio.sleep(1)
    assert sorted(linked.ended) == ["agent broken", "principal broken"]
    assert principal.outlet.statistics().phase == "down"


async def open_raw(end: End, root: bytes = EMPTY) -> tuple[Session, Raw]:
    """A principal's session, and an agent that is spoken by hand and holds what ``root`` says."""
    pair = await greet(root, end.workers.core.link_up())
    return session(pair.principal, end), Raw(pair.agent.link)


async def test_goodbye_ends_the_session(principal: End, autojump_clock: MockClock) -> None:
    """Cleanly, and with what was said."""
    talk, raw = await open_raw(principal)
    raw.say(m.Goodbye(m.Reason.SHUTDOWN, "bye"))
    await talk.run(EMPTY)
    assert talk.goodbye == m.Goodbye(m.Reason.SHUTDOWN, "bye")


async def test_a_clean_end_without_goodbye(principal: End, autojump_clock: MockClock) -> None:
    """The end of the stream is an end, too, and nothing was said."""
    talk, raw = await open_raw(principal)
    await raw.link.close()
    await talk.run(EMPTY)
    assert talk.goodbye is None


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1",
        b"\x90",
        b"\x91\x7f",
        b"\x92\x04\x01",
        b"\x93\x04\x01\x90",
        b"\xff" * 100,
        b"\x92\x07\xc4\x01\x00",
    ],
)
async def test_garbage_ends_the_link(principal: End, autojump_clock: MockClock, frame: bytes) -> None:
    """A frame that is none is the peer's fault, and ends this link only."""
    talk, raw = await open_raw(principal)
    raw.link.send_nowait(frame)
    with pytest.RaisesGroup(RemoteProtocolError):
        await talk.run(EMPTY)


@pytest.mark.parametrize(
    "message",
    [
        m.Drain(),
        m.Leaf(b"", (), True),
        m.Refuse(m.Reason.MODE, "no"),
        m.Welcome(1, (), "1", "p", "hub", "a", EMPTY, 30.0),
    ],
)
async def test_what_must_not_be_said_now_ends_the_link(
    principal: End, autojump_clock: MockClock, message: m.Message
) -> None:
    """The order of the conversation is kept."""
    talk, raw = await open_raw(principal)
    raw.say(message)
    with pytest.RaisesGroup(RemoteProtocolError):
        await talk.run(EMPTY)


async def test_a_later_versions_message_is_passed_over(principal: End, autojump_clock: MockClock) -> None:
    """Numbers from 128 on may be ignored."""
    talk, raw = await open_raw(principal)
    raw.link.send_nowait(b"\x92\xcc\xc8\x01")
    raw.say(m.Goodbye(m.Reason.SHUTDOWN, ""))
    await talk.run(EMPTY)
    assert talk.goodbye is not None


async def test_silence(principal: End, autojump_clock: MockClock) -> None:
    """A silent peer is asked once, and given up after two intervals."""
    talk, raw = await open_raw(principal)
    began = trio.current_time()
    with pytest.RaisesGroup(LinkBroken):
        await talk.run(EMPTY)
    assert trio.current_time() == pytest.approx(began + 2 * KEEPALIVE, abs=0.1)
    await raw.hear(lambda message: isinstance(message, m.Ping))


async def test_a_peer_that_answers_pings_is_not_silent(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Even if it has nothing else to say."""
    talk, raw = await open_raw(principal)

    async def answer() -> None:
        while True:
            ping = await raw.hear(lambda message: isinstance(message, m.Ping))
            assert isinstance(ping, m.Ping)
            raw.say(m.Pong(ping.token))

    nursery.start_soon(answer)
    with trio.move_on_after(20 * KEEPALIVE) as scope:
        await talk.run(EMPTY)
    assert scope.cancelled_caught


async def test_pings_of_a_deaf_peer_cost_nothing(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A flood of pings is answered at our pace, with the newest token."""
    talk, raw = await open_raw(principal)
    for n in range(5_000):
        raw.say(m.Ping(n.to_bytes(8, "big")))
    nursery.start_soon(talk.run, EMPTY)
    await raw.hear(lambda message: message == m.Pong((4_999).to_bytes(8, "big")))
    assert len(raw.heard) < 100


async def test_a_second_listing_before_the_first_was_sent(principal: End, autojump_clock: MockClock) -> None:
    """Asking for listings faster than they can be sent would cost us more than the peer."""
    talk, raw = await open_raw(principal)
    hashes = bytes(m.BUCKETS * m.BUCKET_SIZE)
    raw.say(m.Buckets(hashes))
    raw.say(m.Buckets(hashes))
    with pytest.RaisesGroup(RemoteProtocolError):
        await talk.run(EMPTY)


async def test_a_listing_can_be_asked_for_again(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Once the last leaf of the one before has come."""
    talk, raw = await open_raw(principal)
    nursery.start_soon(talk.run, EMPTY)
    for _ in range(3):
        raw.say(m.Buckets(bytes(m.BUCKETS * m.BUCKET_SIZE)))
        await raw.hear(lambda message: isinstance(message, m.Leaf) and message.last)


async def test_a_long_listing_travels_in_leaves(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Every entry once, the last leaf says so, only the first names buckets."""
    keys = [Key(Kind.APPLICATION, "argocd", f"app-{n}") for n in range(2 * m.MAX_ENTRIES + 1)]
    for key in keys:
        principal.trade.held[key] = Holding("u1", "D")
        principal.workers.observe(key)
    talk, raw = await open_raw(principal)
    nursery.start_soon(talk.run, EMPTY)
    raw.say(m.Buckets(b"\1" * (m.BUCKETS * m.BUCKET_SIZE)))
    await raw.hear(lambda message: isinstance(message, m.Leaf) and message.last)
    leaves = [message for message in raw.heard if isinstance(message, m.Leaf)]
    assert sorted(key for leaf in leaves for key, _ in leaf.entries) == sorted(keys)
    assert [bool(leaf.buckets) for leaf in leaves] == [True, False, False]
    assert [leaf.last for leaf in leaves] == [False, False, True]


def value(key: Key, digest: str) -> Record:
    """A record."""
    return Record(key, "u1", digest, "7", b"{}")


async def results(raw: Raw, count: int) -> list[Result]:
    """Read until that many results have come; all of them, in their order."""
    while True:
        found = [r for message in raw.heard if isinstance(message, m.Results) for r in message.results]
        if len(found) >= count:
            return found
        await raw.hear(lambda message: isinstance(message, m.Results))


async def test_a_refused_record_is_answered_with_what_is_held(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """After the answer to the record before it, whatever was quicker."""
    talk, raw = await open_raw(principal)
    nursery.start_soon(talk.run, EMPTY)
    raw.say(m.RecordMessage(1, value(WEB, "D1")))
    await results(raw, 1)
    principal.refused[WEB] = "out of scope"
    raw.say(m.RecordMessage(2, value(WEB, "D2")))
    assert (await results(raw, 2))[1] == Result(2, Outcome.REJECTED, "out of scope", Holding("u1", "D1"))


async def test_a_kind_of_another_feed_is_refused(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """An agent cannot send what does not travel this way."""
    talk, raw = await open_raw(principal)
    nursery.start_soon(talk.run, EMPTY)
    raw.say(m.RecordMessage(1, value(Key(Kind.INTENT, "argocd", "web", "sync"), "D1")))
    (answer,) = await results(raw, 1)
    assert answer.outcome is Outcome.REJECTED


async def test_answers_to_numbers_nobody_gave_are_passed_over(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A peer that invents numbers changes nothing."""
    talk, raw = await open_raw(principal)
    raw.say(m.Results((Result(77, Outcome.APPLIED, "", Holding("u9", "D9")),)))
    raw.say(m.Goodbye(m.Reason.SHUTDOWN, ""))
    await talk.run(EMPTY)
    assert principal.answers == []


async def test_what_the_wire_cannot_carry_does_not_break_the_link(
    agent: End, principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """It counts as refused; everything else travels."""
    principal.want(OTHER, "D" * 10_000)
    principal.want(WEB, "D1")
    linked = Linked(agent, principal, await join(agent, principal))
    nursery.start_soon(linked.run)
    await trio.sleep(5)
    assert agent.trade.held == {WEB: Holding("u1", "D1")}
    assert principal.outlet.core.statistics(trio.current_time()).refused == 1
    assert not linked.ended


async def test_asking_again_and_again_is_one_question(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """A peer that answers questions before they were put, each with a reason for the next one, is cut off."""
    talk, raw = await open_raw(principal)
    raw.say(m.Mark(b"x" * 32))
    for _ in range(2):
        raw.say(m.Leaf(b"", (), True))
        raw.say(m.Mark(b"x" * 32))
    with pytest.RaisesGroup(pytest.RaisesExc(RemoteProtocolError, match="leaf: nobody has asked")):
        await talk.run(EMPTY)


async def test_a_peer_that_takes_no_answers_is_cut_off(
    principal: End, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it makes us say is kept for it only so long."""
    monkeypatch.setattr(session_module, "MAX_UNHEARD", 100)
    talk, raw = await open_raw(principal)
    principal.refused[WEB] = "out of scope"
    for number in range(1, 1000):
        raw.say(m.RecordMessage(number, value(WEB, "D1")))
    with pytest.RaisesGroup(pytest.RaisesExc(RemoteProtocolError, match="takes none of the answers")):
        await talk.run(EMPTY)
    assert principal.workers.core.unsaid == 0


async def test_several_who_doubt_a_link_ask_it_once(
    principal: End, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Whoever claims a place asks whether the one who has it lives; an answer is one for all."""
    talk, raw = await open_raw(principal)
    nursery.start_soon(talk.run, EMPTY)
    for _ in range(3):
        assert not await talk.lives(1.0)
    raw.say(m.Mark(EMPTY))
    await trio.sleep(1)
    nursery.start_soon(talk.lives, 1.0)
    raw.say(m.Goodbye(m.Reason.SHUTDOWN, ""))
    await raw.hear(lambda message: isinstance(message, m.Goodbye))
    assert [type(message) for message in raw.heard].count(m.Ping) == 2
