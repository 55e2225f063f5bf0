"""Links whose certificate counts no more: who is asked, and who is told goodbye, when."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import attrs
import trio
import trio.testing
from trio.testing import MockClock

from trio_argoagent.model.identity import Peer
from trio_argoagent.model.rulings import Decision, Ruling
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.transport import Link
from trio_argoagent.principal.door import Seat
from trio_argoagent.principal.tenure import GRACE, LOOK, Seated, Tenure
from trio_argoagent.runtime.freshness import Freshness

EXPIRES = 1000.0


@attrs.frozen
class OnlyPeer:
    """A link that nobody talks over."""

    peer: Peer


class Hall:
    """Seats that are taken, and who has heard what."""

    def __init__(self) -> None:
        self.seated: dict[str, Seated] = {}
        self.left: dict[str, float] = {}
        self.told: list[tuple[str, str]] = []
        self.rulings: list[Ruling] = []

    async def sit(self, name: str, expires: float) -> None:
        """Take a seat until it is taken away."""
        seat = Seat("i", 0.0)
        self.seated[name] = Seated(seat, cast(Link, OnlyPeer(Peer(name, expires=expires))))
        with seat.scope:
            await trio.sleep_forever()
        del self.seated[name]
        self.left[name] = trio.current_time()
        seat.ended.set()

    def report(self, agent: str, name: str, text: str, level: str) -> None:
        """What the principal is told."""
        self.told.append((agent, name))


@asynccontextmanager
async def hall(**expires: float) -> AsyncIterator[Hall]:
    """A tenure over these agents; the wall clock begins with Trio's."""
    made, began = Hall(), trio.current_time()
    env = Env(lambda: trio.current_time() - began, random.Random(1), random.Random(1).randbytes)
    tenure = Tenure(lambda: dict(made.seated), Freshness(), env, made.report, made.rulings.append)
    async with trio.open_nursery() as nursery:
        for name, when in expires.items():
            nursery.start_soon(made.sit, name, when)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(tenure.run)
        yield made
        nursery.cancel_scope.cancel()


async def test_an_expired_certificate_ends_its_link(autojump_clock: MockClock) -> None:
    """Not before it has expired; a minute later at the latest; nobody else's; told and audited once."""
    async with hall(m1=EXPIRES, m2=EXPIRES + 5000.0) as made:
        began = trio.current_time()
        await trio.sleep(EXPIRES - 1.0)
        assert made.told == []
        await trio.sleep(LOOK + GRACE + 2.0)
        assert 0 < made.left["m1"] - began - EXPIRES <= LOOK + GRACE
        assert list(made.seated) == ["m2"]
        assert made.told == [("m1", "link-outlived")]
        (ruling,) = made.rulings
        assert (ruling.decision, ruling.agent) == (Decision.REFUSED, "m1")
        assert ruling.reason == "its certificate expired at 1970-01-01 00:16:40 UTC"


async def test_who_has_moved_in_time_is_left_alone(autojump_clock: MockClock) -> None:
    """Another link with another certificate: the old one was left by the agent itself."""
    async with hall(m1=EXPIRES) as made:
        await trio.sleep(EXPIRES + LOOK + 1.0)
        old = made.seated["m1"].seat
        old.leave()
        await old.ended.wait()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(made.sit, "m1", EXPIRES + 5000.0)
            await trio.sleep(2 * GRACE)
            assert made.seated["m1"].seat is not old
            nursery.cancel_scope.cancel()
    assert made.told == [("m1", "link-outlived")]
