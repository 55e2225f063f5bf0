"""One seed from its beginning to its judgement: work and chaos, then calm, agreement, and silence.

A seed draws everything: the spokes' modes and dialects, which actions, troubles and faults take part (each is
left out now and then: what one of them hides, another seed shows), when they happen, and the order in which
tasks run. So a seed and a revision of this code are a whole bug report.

L1: once the trouble has stopped, both sides agree within ``AGREEMENT`` seconds. L2: once Argo CD has stopped
as well, no write and no record follow for ``SILENCE`` seconds. I9: by then nothing is dirty, in flight or
waiting, and no continuous check has ever found the replica elsewhere than thought.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Final

import attrs
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import canonical
from trio_argoagent.testing.argocd.names import Dialect, Settings
from trio_argoagent.testing.chaos import Chaos
from trio_argoagent.testing.faults import ROUGH, Faults
from trio_argoagent.testing.fleet import NAMESPACE, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.scheduling import simulate, stream
from trio_argoagent.testing.workload import Site, Workload

CHAOS: Final = 60.0
"""Seconds of work and trouble."""
AGREEMENT: Final = 300.0
"""Seconds until both sides agree."""
SETTLING: Final = 75.0
"""Seconds until the last cosmetic status has travelled: they wait for up to a minute."""
SILENCE: Final = 60.0


@attrs.frozen
class Report:
    """What a trial has seen.

    Attributes:
        seed: its seed.
        agreed_after: seconds from the end of the trouble until both sides agreed.
        writes: that the product made.
        intents: that were started.
        actions: what users did, and how often.
        troubles: what befell the fleet, and how often.
        faults: of single calls, likewise.
        digest: of every write on every cluster: equal digests are equal histories.
    """

    seed: int
    agreed_after: float
    writes: int
    intents: int
    actions: Counter[str]
    troubles: Counter[str]
    faults: Counter[str]
    digest: str


def run_trial(seed: int, *, chaos: float = CHAOS) -> Report:
    """Run one seed.

    Args:
        seed: which.
        chaos: seconds of work and trouble.

    Raises:
        AssertionError: something did not hold; the text says what, when, and the seed.
    """
    return simulate(_trial, seed, chaos, seed=seed)


async def _trial(seed: int, duration: float) -> Report:
    chance = stream(seed, "trial")
    async with open_fleet(_plans(chance), seed=seed, start=False) as fleet:
        monitors = Monitors(fleet)
        fleet.start()
        workload = Workload(
            fleet.hub_as("argocd-server"), NAMESPACE, _sites(fleet), stream(seed, "workload"), fleet.env
        )
        workload.leave_out(0.2)
        chaos = Chaos(fleet, stream(seed, "chaos"), _swarm(chance))
        with trio.move_on_after(duration):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(workload.run, chance.choice((0.2, 0.5, 1.0)))
                nursery.start_soon(chaos.run, chance.choice((2.0, 4.0, 8.0)))
        faults = sum((Counter(client.injected) for client in fleet.clients.values()), Counter[str]())
        chaos.calm()
        await workload.settle()
        agreed_after = await fleet.wait_consistent(AGREEMENT)
        await _assert_silence(fleet, monitors)
        monitors.check()
        digest = history_digest(fleet)
        return Report(
            seed, agreed_after, monitors.writes, sum(monitors.intents.values()),
            workload.done, chaos.done, faults, digest,
        )  # fmt: skip


def _plans(chance: Random) -> tuple[SpokePlan, ...]:
    def settings() -> Settings:
        return Settings(dialect=chance.choice(list(Dialect)), think=chance.choice((0.0, 0.0, 0.05)))

    managed = SpokePlan("m1", Mode.MANAGED, settings())
    autonomous = SpokePlan("a1", Mode.AUTONOMOUS, settings())
    return chance.choice(((managed,), (autonomous,), (managed, autonomous), (managed, autonomous)))


def _sites(fleet: Fleet) -> tuple[Site, ...]:
    return tuple(
        Site(spoke.name, spoke.plan.mode, fleet.spoke_as(spoke.name, "spoke-user"), NAMESPACE, spoke.world)
        for spoke in fleet.spokes.values()
    )


def _swarm(chance: Random) -> Faults:
    shares: dict[str, float] = attrs.asdict(ROUGH)
    kept = {name: value for name, value in shares.items() if name in ("late_by", "stall")}
    drawn = {name: value * chance.choice((0, 1, 1, 3)) for name, value in shares.items() if name not in kept}
    return Faults(**kept, **drawn)


async def _assert_silence(fleet: Fleet, monitors: Monitors) -> None:
    for controller in fleet.controllers:
        fleet.crash(controller)
    await trio.sleep(SETTLING)
    writes, records = monitors.writes, _records(fleet)
    await trio.sleep(SILENCE)
    found = [*_unsettled(fleet)]
    if monitors.writes != writes:
        found.append(f"L2: {monitors.writes - writes} writes while nothing changed")
    if _records(fleet) != records:
        found.append(f"L2: {_records(fleet) - records} records while nothing changed")
    if found:
        raise AssertionError(f"seed {fleet.seed}:\n  " + "\n  ".join(found))


def _records(fleet: Fleet) -> int:
    principal = fleet.principal.instance
    sent = [peer.desired.records for peer in principal.status()] if principal is not None else []
    agents = [program.instance for program in fleet.agents.values()]
    return sum(sent) + sum(agent.status().observed.records for agent in agents if agent is not None)


def _unsettled(fleet: Fleet) -> Iterator[str]:
    principal = fleet.principal.instance
    assert principal is not None
    for peer in principal.status():
        agent = fleet.agents[peer.name].instance
        assert agent is not None
        for side, source in (("principal", peer.desired), ("agent", agent.status().observed)):
            if (source.phase, source.dirty, source.in_flight, source.refused) != ("live", 0, 0, 0):
                yield f"I9: {peer.name}: the {side}'s source is not settled: {source}"
            if source.mismatches:
                yield f"I9: {peer.name}: the {side}'s source was mistaken {source.mismatches} times"
        for side, replica in (("principal", peer.observed), ("agent", agent.status().desired)):
            if replica.working or replica.waiting:
                yield f"I9: {peer.name}: the {side}'s replica is not settled: {replica}"


def history_digest(fleet: Fleet) -> str:
    """A digest of every write on every cluster: who, when, what, and what it made."""
    hasher = hashlib.sha256()
    for server, _ in fleet.clusters():
        for entry in server.log:
            head = (entry.rv, entry.at, entry.actor, entry.verb, str(entry.resource))
            hasher.update(canonical([*head, entry.subject.value]))
    return hasher.hexdigest()
