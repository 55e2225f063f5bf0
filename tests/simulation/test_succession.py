"""A rolling update of the principal: two over one hub, and the agents go from the old one to the new one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import Principal
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import messages
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet
from trio_argoagent.testing.scheduling import make_env

from .test_moving import LATENCY, Scene, play

EDITS = 40
"""Of one Application on each side, one after the other."""
PACE = 0.25
"""Seconds between two edits."""
HANDOVER = 2 * LATENCY + 0.01
"""Seconds without a session, at most: goodbye and hello."""


@asynccontextmanager
async def succeed(fleet: Fleet) -> AsyncIterator[Principal]:
    """Another principal over the same hub: from now on whoever dials gets to this one."""

    def observe(event: Event) -> None:
        fleet.events.append((trio.current_time(), PRINCIPAL, event))
        for observer in fleet.observers:
            observer(PRINCIPAL, event)

    successor = Principal(
        fleet.config,
        cluster=fleet.hub_as(PRINCIPAL),
        listener=fleet.network.listener(),
        env=make_env(fleet.seed, "successor"),
        observer=observe,
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(successor.run)
        yield successor
        nursery.cancel_scope.cancel()


class Copies:
    """What is written to the copies on a hub and its spokes."""

    def __init__(self, fleet: Fleet) -> None:
        self.specs: dict[str, list[str]] = {"m1": [], "a1": []}
        """The revisions that were written to the copy of ``x``, by agent, one for each changed spec."""
        self.deleted: list[str] = []
        fleet.spokes["m1"].server.subscribe(lambda entry: self._look("m1", "agent", entry))
        fleet.hub.subscribe(lambda entry: self._look("a1", PRINCIPAL, entry))

    def _look(self, agent: str, writer: str, entry: LogEntry) -> None:
        if entry.resource != APPLICATIONS or entry.actor != writer:
            return
        if entry.new is None:
            self.deleted.append(f"{entry.namespace}/{entry.name}")
        elif entry.name == "x" and (entry.old is None or entry.old.value["spec"] != entry.new.value["spec"]):
            self.specs[agent].append(entry.new.value["spec"]["source"]["targetRevision"])


async def retire(fleet: Fleet) -> None:
    """The old principal takes leave. No connection breaks for it: those there are now are the new one's."""
    assert fleet.principal.instance is not None
    await fleet.principal.instance.stop()
    fleet.principal.crash()


async def edit(fleet: Fleet) -> None:
    """Change ``x`` on both sides, again and again."""
    for number in range(EDITS):
        change = MergePatch({"spec": {"source": {"targetRevision": f"v{number:02}"}}})
        await fleet.hub_as("user").patch(APPLICATIONS, "m1", "x", change)
        await fleet.spoke_as("a1", "user").patch(APPLICATIONS, NAMESPACE, "x", change)
        await trio.sleep(PACE)


@pytest.mark.parametrize("level", [1, 2])
def test_a_principal_hands_over_to_its_successor(level: int) -> None:
    """Amid edits and statuses: nothing is lost, written twice or deleted, and nobody waits for long."""

    async def story(scene: Scene) -> None:
        await scene.create()
        fleet = scene.fleet
        copies = Copies(fleet)
        fleet.start()
        async with succeed(fleet) as successor:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(edit, fleet)
                await trio.sleep(EDITS * PACE / 3)
                assert successor.status() == () or not any(each.links for each in successor.status())
                began = trio.current_time()
                await retire(fleet)
                assert trio.current_time() - began < 4.0, "it had to wait for its agents"
            await fleet.wait_consistent()
            for agent, revisions in copies.specs.items():
                assert revisions == sorted(set(revisions)), f"{agent}: something was written twice"
                assert revisions[-1] == f"v{EDITS - 1:02}"
                assert len(revisions) > EDITS // 2, f"{agent}: it has waited"
                (gap,) = scene.gaps(agent)
                assert 0.0 < gap <= HANDOVER
                assert scene.count(messages.Hello, agent) == 1
            assert not copies.deleted
            assert [(each.name, each.links) for each in successor.status()] == [("a1", 1), ("m1", 1)]
            assert not [event for _, _, event in fleet.events if event.level != "info"]
            scene.monitors.check()

    play(story, level=level)


@pytest.mark.parametrize("level", [1, 2])
def test_a_handover_at_rest_sends_nothing(level: int) -> None:
    """Where both sides agree: a hello of each agent, and no comparison, record or write."""

    async def story(scene: Scene) -> None:
        await scene.create()
        async with succeed(scene.fleet):
            await retire(scene.fleet)
            await trio.sleep(30.0)
            assert scene.count(messages.Hello) == 2
            assert scene.count(messages.RecordMessage) == scene.count(messages.Buckets) == 0
            assert scene.monitors.writes == scene.writes

    play(story, level=level)
