"""How bodies travel on a link: what they refer to, and that large ones keep nobody waiting."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import LinkBroken
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Holding, Outcome
from trio_argoagent.replication import session as session_module
from trio_argoagent.replication.session import Session
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.bases import Pool
from trio_argoagent.stream.protocol.freight import MAX_WHOLE, Unloader
from trio_argoagent.stream.protocol.negotiation import Capability, Terms
from trio_argoagent.stream.protocol.payload import MAX_BODY, Encoding

from .links import OTHER, WEB, End, Pair, join, session

ALL: Final = Terms(1, tuple(Capability))
SPEED: Final = 1024 * 1024
"""Bytes a second of the slow link."""


def noise(size: int, seed: int = 1) -> bytes:
    """So many bytes that do not shrink."""
    return random.Random(seed).randbytes(size)


def versions() -> Iterator[bytes]:
    """A body, and changes of one field in it, for ever."""
    base, number = noise(4_000), 0
    while True:
        number += 1
        yield base[:500] + b"%08d" % number + base[508:]


class Way:
    """A running link from one end to the other, and what it has carried down."""

    def __init__(self, source: End, target: End, pair: Pair) -> None:
        self.source, self.target, self.pair = source, target, pair
        self.down: list[tuple[float, m.Message]] = []
        pair.network.on_frame = self._look
        self._free = 0.0

    def _look(self, agent: str, up: bool, frame: bytes) -> None:
        message = codec.decode(frame)
        if not up and message is not None:
            self.down.append((trio.current_time(), message))

    def narrow(self) -> None:
        """From now on it takes its time for each byte."""

        def late(agent: str, up: bool, size: int) -> float:
            if up:
                return 0.0
            self._free = max(self._free, trio.current_time()) + size / SPEED
            return self._free - trio.current_time()

        self.pair.network.shape = late

    @property
    def records(self) -> list[m.RecordMessage]:
        """What has begun so far."""
        return [message for _, message in self.down if isinstance(message, m.RecordMessage)]

    async def arrival(self, key: Key, digest: str, limit: float = 60.0) -> float:
        """The time at which the other end holds this."""
        trade, held = self.target.trade, Holding("u1", digest)
        with trio.fail_after(limit):
            while trade.held.get(key) != held:  # noqa: ASYNC110 (nobody tells)
                await trio.sleep(0.001)
        return trio.current_time()


async def open_way(nursery: trio.Nursery, terms: Terms = ALL) -> Way:
    """The principal's feed, at rest."""
    agent, principal = End(), End()
    pair = await join(agent, principal, terms)
    for end, greeting, root in (
        (agent, pair.agent, pair.welcome.root),
        (principal, pair.principal, pair.hello.root),
    ):
        nursery.start_soon(end.workers.run)
        nursery.start_soon(session(greeting, end).run, root)
    await trio.sleep(1)
    return Way(principal, agent, pair)


async def test_later_bodies_refer_to_earlier_ones(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """A change costs what has changed, on this link; the next link begins anew."""
    way, bodies = await open_way(nursery), versions()
    for number in range(5):
        way.source.want(WEB, f"D{number}", body := next(bodies))
        await way.arrival(WEB, f"D{number}")
        assert way.target.trade.bodies[WEB] == body
    assert [said.encoding for said in way.records] == [Encoding.PLAIN] + 4 * [Encoding.PREFIX]
    freight = way.source.outlet.freight
    assert (freight.whole, freight.referring) == (1, 4)


async def test_what_is_not_there_any_more_comes_by_itself(
    autojump_clock: MockClock, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, with nobody's fault and nobody told of one."""
    monkeypatch.setattr(session_module, "Unloader", partial(Unloader, budget=5_000))
    way, bodies = await open_way(nursery), versions()
    way.source.want(WEB, "D1", next(bodies))
    await way.arrival(WEB, "D1")
    way.source.want(OTHER, "D1", noise(4_000, 2))
    await way.arrival(OTHER, "D1")
    began = trio.current_time()
    way.source.want(WEB, "D2", body := next(bodies))
    assert await way.arrival(WEB, "D2") < began + 0.1
    assert way.target.trade.bodies[WEB] == body
    assert [said.encoding for said in way.records[2:]] == [Encoding.PREFIX, Encoding.PLAIN]
    await trio.sleep(1)
    assert [result.outcome for _, result in way.source.answers] == [Outcome.APPLIED] * 3
    assert way.source.outlet.statistics().unreadable == 1
    assert way.source.outlet.core.proven


async def test_a_large_record_keeps_nobody_waiting(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """While 1.5 MiB travel, small records take as long as what is queued before them, and one part."""
    way = await open_way(nursery)
    way.narrow()
    way.source.want(OTHER, "large", large := noise(1_536 * 1024))
    await trio.sleep(0.01)
    began = trio.current_time()
    latencies = []
    while trio.current_time() < began + 1.0:
        digest = f"D{len(latencies)}"
        sent = trio.current_time()
        way.source.want(WEB, digest)
        latencies.append(await way.arrival(WEB, digest) - sent)
    assert await way.arrival(OTHER, "large") > began + 1.0
    assert way.target.trade.bodies[OTHER] == large
    # 256 KiB may be queued before anything is chosen; a part may be chosen first.
    assert max(latencies) < (256 + 2 * 64) * 1024 / SPEED + 0.05
    assert len(latencies) >= 2


async def test_results_overtake_parts(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """An answer goes before the rest of a large record of the other feed."""
    way = await open_way(nursery)
    way.narrow()
    way.source.want(OTHER, "large", noise(1_536 * 1024))
    await trio.sleep(0.01)
    began = trio.current_time()
    way.target.want(WEB, "D1")
    with trio.fail_after(0.5):
        while not way.target.answers:  # noqa: ASYNC110 (nobody tells)
            await trio.sleep(0.001)
    assert await way.arrival(OTHER, "large") > began + 1.0


async def test_an_object_that_never_rests_gets_across(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Although it changes long before it has travelled; and no more of it travels than is needed."""
    way = await open_way(nursery, Terms(1, (Capability.PARTS,)))
    way.narrow()
    began = trio.current_time()
    for number in range(15):
        way.source.want(WEB, f"D{number}", noise(3 * SPEED, number))
        await trio.sleep(1.0)
    assert len({record.digest for record in way.target.trade.begun}) >= 4
    await way.arrival(WEB, "D14")
    assert trio.current_time() < began + 22
    assert way.source.outlet.freight.abandoned == 0


async def test_a_small_successor_does_not_wait_for_the_rest(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """What is under way is left where it is."""
    way = await open_way(nursery)
    way.narrow()
    way.source.want(WEB, "large", noise(5 * SPEED))
    await trio.sleep(0.5)
    way.source.want(WEB, "small")
    began = trio.current_time()
    assert await way.arrival(WEB, "small") < began + 1.5
    assert way.source.outlet.freight.abandoned == 1
    assert [record.digest for record in way.target.trade.begun] == ["small"]


async def test_a_link_that_ends_leaves_nothing(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """What was under way goes again, from its beginning, on the next one."""
    agent, principal = End(), End()
    nursery.start_soon(agent.workers.run)
    ways = []
    for _ in range(2):
        pair = await join(agent, principal, ALL)
        ways.append(way := Way(principal, agent, pair))
        way.narrow()
        with trio.move_on_after(1.0 if len(ways) == 1 else 10.0):
            async with trio.open_nursery() as both:
                both.start_soon(session(pair.agent, agent).run, pair.welcome.root)
                both.start_soon(session(pair.principal, principal).run, pair.hello.root)
                principal.want(WEB, "large", body := noise(3 * SPEED))
                await trio.sleep_forever()
    assert agent.trade.bodies == {WEB: body}
    assert [len(way.records) for way in ways] == [1, 1]
    assert sum(isinstance(said, m.Part) for _, said in ways[1].down) == 47


async def test_links_share_what_they_keep_and_a_dead_one_keeps_nothing(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    """Both directions of each link count; what would be too much is given up; nobody misses it for good."""
    pool, bodies = Pool(10_000), versions()
    pairs, ends = [], []
    for _ in range(3):
        agent, principal = End(), End()
        pairs.append(pair := await join(agent, principal, ALL))
        ends.append((agent, principal))
        for greeting, end, root in (
            (pair.agent, agent, pair.welcome.root),
            (pair.principal, principal, pair.hello.root),
        ):
            nursery.start_soon(end.workers.run)
            nursery.start_soon(_quietly, session(greeting, end, pool if end is principal else None), root)
    for number in range(4):
        for agent, principal in ends:
            principal.want(WEB, f"D{number}", next(bodies))
            agent.want(OTHER, f"D{number}", next(bodies))
        await trio.sleep(5)
        assert 4_000 < pool.size <= 10_000
        for agent, principal in ends:
            assert agent.trade.bodies[WEB] == principal.values[WEB]
            assert principal.trade.bodies[OTHER] == agent.values[OTHER]
    for pair in pairs:
        pair.cut()
    await trio.sleep(1)
    assert pool.size == 0


async def _quietly(talk: Session, root: bytes) -> None:
    try:
        await talk.run(root)
    except* LinkBroken:
        pass


@pytest.mark.parametrize(
    ("terms", "size"), [(Terms(1), MAX_WHOLE + 1), (ALL, MAX_BODY + 1)], ids=["whole", "parts"]
)
async def test_what_cannot_travel_is_refused_here(
    autojump_clock: MockClock, nursery: trio.Nursery, terms: Terms, size: int
) -> None:
    """One object that the wire cannot carry breaks no link, and stops no other."""
    way = await open_way(nursery, terms)
    way.source.want(WEB, "D1", noise(size))
    way.source.want(OTHER, "D1")
    await way.arrival(OTHER, "D1")
    outcomes = {ticket.key: result.outcome for ticket, result in way.source.answers}
    assert outcomes[WEB] is Outcome.REJECTED
    way.source.want(WEB, "D2", b"{}")
    await way.arrival(WEB, "D2")


async def test_a_secret_refers_to_nothing(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """Credentials are compressed by themselves: what they have in common with others shows nowhere."""
    key = Key(Kind.REPOSITORY, "argocd", "repo")
    way, bodies = await open_way(nursery), versions()
    for end in (way.source, way.target):
        end.workers._trades[Kind.REPOSITORY] = end.trade  # type: ignore[index]
    for number in range(3):
        way.source.want(key, f"D{number}", next(bodies))
        await way.arrival(key, f"D{number}")
    assert [said.encoding for said in way.records] == 3 * [Encoding.PLAIN]
