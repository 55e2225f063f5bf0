"""Certificates are blocked while the whole fleet is at work; virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.errors import NotFound
from trio_argoagent.model.fingerprints import BLOCKLIST
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, SECRETS
from trio_argoagent.model.rulings import Decision
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

AGENTS = [f"a{number:02}" for number in range(20)]
OUT = AGENTS[3::7]
"""Those that are blocked: three."""
LATE = 0.5
"""Seconds in which a request of the principal that was sent before may still land."""


async def set_blocklist(fleet: Fleet, **entries: str | None) -> None:
    """What ``ctl blocklist`` writes."""
    hub = fleet.hub_as("user")
    try:
        await hub.patch(CONFIG_MAPS, NAMESPACE, BLOCKLIST, MergePatch({"data": entries}))
    except NotFound:
        metadata = {"name": BLOCKLIST, "namespace": NAMESPACE}
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": entries}
        await hub.create(CONFIG_MAPS, value)


async def edit_for_ever(fleet: Fleet, agent: str) -> None:
    """A user of an autonomous spoke who changes an Application each half second, and makes some more."""
    spoke, number = fleet.spoke_as(agent, "spoke-user"), 0
    while True:
        if number % 8 == 0:
            await spoke.create(APPLICATIONS, application(f"app-{number}", namespace=NAMESPACE))
        number += 1
        patch = MergePatch({"spec": {"source": {"targetRevision": f"v{number}"}}})
        await spoke.patch(APPLICATIONS, NAMESPACE, "app-0", patch)
        await trio.sleep(0.5)


def links(fleet: Fleet, names: list[str]) -> dict[str, int]:
    """How many links each of these has at the principal."""
    return {name: fleet.network.links(name) for name in names}


def run(story: Callable[[Fleet], object], level: int) -> None:
    """Play it with twenty autonomous agents that are all in step."""

    async def main() -> None:
        plans = [SpokePlan(name, Mode.AUTONOMOUS) for name in AGENTS]
        async with open_fleet(plans, seed=11, level=level, start=False) as fleet:
            fleet.start(PRINCIPAL, *AGENTS)  # Without Argo CD: who is let in does not depend on it.
            await fleet.wait_consistent()
            await story(fleet)  # type: ignore[misc]

    simulate(main, seed=11)


@pytest.mark.parametrize("level", [1, 2])
def test_blocked_under_load(level: int) -> None:
    """Three of twenty are out within a second, nothing of theirs is written any more, nobody else notices."""

    async def story(fleet: Fleet) -> None:
        written: Counter[str] = Counter()
        blocked_at = float("inf")

        def note(entry: LogEntry) -> None:
            where = entry.namespace
            if entry.actor == PRINCIPAL and where in OUT and trio.current_time() > blocked_at + LATE:
                written[where] += 1

        said: Counter[str] = Counter()
        fleet.network.on_frame = lambda agent, up, frame: said.update(
            [agent] if isinstance(codec.decode(frame), messages.Goodbye) and not up else []
        )
        async with trio.open_nursery() as nursery:
            for name in AGENTS:
                nursery.start_soon(edit_for_ever, fleet, name)
            await trio.sleep(5)
            assert links(fleet, AGENTS) == dict.fromkeys(AGENTS, 1)
            before = Counter(event.name for _, _, event in fleet.events)
            fleet.hub.subscribe(note)
            await set_blocklist(fleet, **{fleet.network.fingerprint(name): "" for name in OUT})
            blocked_at = trio.current_time()
            await trio.sleep(1)
            assert links(fleet, OUT) == dict.fromkeys(OUT, 0)
            await trio.sleep(10)
            assert links(fleet, OUT) == dict.fromkeys(OUT, 0)
            assert not written
            others = [name for name in AGENTS if name not in OUT]
            assert links(fleet, others) == dict.fromkeys(others, 1)
            assert sorted(said) == OUT
            new = Counter(event.name for _, program, event in fleet.events if program in others) - before
            assert new["link-broken"] == new["link-refused"] == 0
            revoked = {ruling.agent for _, ruling in fleet.rulings if ruling.decision is Decision.REVOKED}
            assert revoked == set(OUT)
            nursery.cancel_scope.cancel()
        # Taken off the list they are back by their own dialling, and all agrees again.
        await set_blocklist(fleet, **{fleet.network.fingerprint(name): None for name in OUT})
        await fleet.wait_consistent(120)
        assert links(fleet, AGENTS) == dict.fromkeys(AGENTS, 1)

    run(story, level)


def test_another_certificate() -> None:
    """An agent that gets a new one is back although the old one stays blocked."""

    async def main() -> None:
        async with open_fleet([SpokePlan("east")], seed=3) as fleet:
            await fleet.wait_consistent()
            await set_blocklist(fleet, **{fleet.network.fingerprint("east"): ""})
            await trio.sleep(30)
            assert fleet.network.links("east") == 0
            fleet.network.renew("east")
            await trio.sleep(60)
            assert fleet.network.links("east") == 1

    simulate(main, seed=3)


@pytest.mark.parametrize("level", [1, 2])
def test_a_removed_agent_is_out_within_a_second(level: int) -> None:
    """With its cluster secret goes its link, though nobody at the other end listens."""

    async def main() -> None:
        async with open_fleet([SpokePlan("east")], seed=3, level=level) as fleet:
            await fleet.wait_consistent()
            fleet.half_open("east")
            await fleet.hub_as("user").delete(SECRETS, NAMESPACE, "cluster-east")
            await trio.sleep(1)
            assert fleet.network.links("east") == 0

    simulate(main, seed=3)
