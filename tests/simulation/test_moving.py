"""Links that are replaced while they work, and programs that take leave: nothing is lost, and hardly time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise

import attrs
import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.links import MOVE_TIMEOUT, YOUNGEST
from trio_argoagent.runtime.backoff import FIRST
from trio_argoagent.runtime.redial import HEALTHY
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.faults import Faults
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.trial import Options, run_trial

PLANS = (SpokePlan("m1"), SpokePlan("a1", Mode.AUTONOMOUS))
LATENCY = 0.05
"""Seconds one way."""
AGE = 600.0
"""Seconds: the greatest age of a link."""
QUIET = 60.0
"""Seconds in which whatever was begun has ended."""
WRITING = 0.6
"""Seconds that an API server takes: less than what is under way is waited for."""
EDIT = MergePatch({"spec": {"source": {"targetRevision": "v2"}}})


class Scene:
    """A fleet whose Applications agree, and what has been said and reported since then."""

    def __init__(self, fleet: Fleet, monitors: Monitors) -> None:
        self.fleet, self.monitors = fleet, monitors
        self.said: list[tuple[float, str, messages.Message]] = []
        self.writes = 0
        listener = fleet.network.on_frame
        assert listener is not None

        def look(agent: str, up: bool, frame: bytes) -> None:
            listener(agent, up, frame)
            message = codec.decode(frame)
            assert message is not None
            self.said.append((trio.current_time(), agent, message))

        fleet.network.on_frame = look

    async def create(self) -> None:
        """Three Applications of each agent."""
        for name in ("x", "y", "z"):
            await self.fleet.hub_as("user").create(APPLICATIONS, application(name, namespace="m1"))
            there = self.fleet.spoke_as("a1", "user")
            await there.create(APPLICATIONS, application(name, namespace=NAMESPACE))
        await trio.sleep(QUIET)
        await self.fleet.wait_consistent()
        # Time stamps of statuses go on for ever otherwise.
        for controller in self.fleet.controllers:
            self.fleet.crash(controller)
        await trio.sleep(2 * QUIET)
        self.said.clear()
        self.writes = self.monitors.writes

    def count(self, kind: type[messages.Message], agent: str = "") -> int:
        """How many such messages were said."""
        return sum(isinstance(said, kind) and agent in ("", who) for _, who, said in self.said)

    def reported(self, agent: str, name: str) -> list[float]:
        """When the principal has told this of that agent."""
        return [
            at
            for at, program, event in self.fleet.events
            if (program, event.agent, event.name) == (PRINCIPAL, agent, name)
        ]

    def gaps(self, agent: str) -> list[float]:
        """Seconds between the end of each link and the next one's beginning."""
        downs, ups = self.reported(agent, "link-down"), self.reported(agent, "link-up")
        return [min(up for up in ups if up >= down) - down for down in downs if down < ups[-1]]


def play(story: Callable[[Scene], Awaitable[None]], *, level: int = 1, age: float = 0.0) -> None:
    """On a fleet whose links have one latency."""

    async def main() -> None:
        async with open_fleet(PLANS, seed=5, start=False, level=level) as fleet:
            fleet.network.latency = (LATENCY, LATENCY)
            fleet.config = attrs.evolve(fleet.config, max_link_age=age)
            scene = Scene(fleet, Monitors(fleet))
            fleet.start()
            await story(scene)
            scene.monitors.check()

    simulate(main, seed=5)


@pytest.mark.parametrize("level", [1, 2])
def test_a_link_is_replaced_within_a_round_trip(level: int) -> None:
    """From goodbye to the next session: its handshake. No record, no write, no comparison, no redial."""

    async def story(scene: Scene) -> None:
        await scene.create()
        principal = scene.fleet.principal.instance
        assert principal is not None
        for agent in scene.fleet.spokes:
            principal.drain(agent)
        await trio.sleep(QUIET)
        for agent in scene.fleet.spokes:
            # The old link ends where the goodbye arrives; its answer, and then hello, take a round trip.
            (gap,) = scene.gaps(agent)
            assert 0.0 < gap <= 2 * LATENCY + 0.01
            assert scene.fleet.network.links(agent) == 1
        assert scene.count(messages.Hello) == 2
        assert scene.count(messages.RecordMessage) == scene.count(messages.Buckets) == 0
        assert scene.monitors.writes == scene.writes
        assert [status.links for status in principal.status()] == [2, 2]
        assert not [event for _, _, event in scene.fleet.events if event.level != "info"]

    play(story, level=level)


@pytest.mark.parametrize("level", [1, 2])
def test_a_link_is_left_when_what_it_carried_is_answered(level: int) -> None:
    """The agent is still writing when it could move: it answers first, and nothing is sent again."""

    async def story(scene: Scene) -> None:
        await scene.create()
        fleet, principal = scene.fleet, scene.fleet.principal.instance
        assert principal is not None
        fleet.clients["m1"].faults = Faults(slow=WRITING)
        await fleet.hub_as("user").patch(APPLICATIONS, "m1", "x", EDIT)
        await trio.sleep(4 * LATENCY)
        assert scene.count(messages.RecordMessage) == 1 and scene.count(messages.Results) == 0
        principal.drain("m1")
        await trio.sleep(QUIET)
        assert scene.count(messages.RecordMessage) == 1, "what was under way is sent again"
        assert scene.count(messages.Hello, "m1") == 1
        assert scene.monitors.writes == scene.writes + 1
        await fleet.wait_consistent()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trio_argoagent.runtime.redial.FIRST", 0.0)  # No luck is needed: it moves at once.
        play(story, level=level)


def test_links_that_have_lasted_are_dialled_anew_at_once() -> None:
    """However often: what has been healthy for a minute is no failure, and the wait does not grow."""

    async def story(scene: Scene) -> None:
        await scene.create()
        for _ in range(8):
            for agent in scene.fleet.spokes:
                scene.fleet.network.cut(agent)
                scene.fleet.network.heal(agent)
            await trio.sleep(HEALTHY + QUIET)
        for agent in scene.fleet.spokes:
            gaps = scene.gaps(agent)
            assert len(gaps) == 8
            assert max(gaps) <= FIRST + 4 * LATENCY

    play(story)


@pytest.mark.parametrize("level", [1, 2])
def test_links_of_three_ages(level: int) -> None:
    """Each is replaced before it is too old, at a time of its own, and nothing is sent for it."""

    async def story(scene: Scene) -> None:
        await scene.create()
        await trio.sleep(3 * AGE)
        times = {agent: scene.reported(agent, "link-up") for agent in scene.fleet.spokes}
        for agent, ups in times.items():
            assert 4 <= len(ups) <= 7
            for before, after in pairwise(ups):
                assert YOUNGEST * AGE <= after - before <= AGE + FIRST + 1.0
            assert max(scene.gaps(agent)) <= 2 * LATENCY + 0.01
        later = zip(times["m1"][1:], times["a1"][1:], strict=False)
        assert all(abs(one - other) > 1.0 for one, other in later)
        assert scene.count(messages.RecordMessage) == 0

    play(story, level=level, age=AGE)


def test_an_agent_that_does_not_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its link ends all the same when it is too old, with a goodbye, and it dials again."""
    monkeypatch.setattr("trio_argoagent.agent.uplink.Uplink._move", _stay)

    async def story(scene: Scene) -> None:
        await scene.create()
        await trio.sleep(2 * AGE)
        for agent in scene.fleet.spokes:
            ups = scene.reported(agent, "link-up")
            assert len(ups) >= 3
            for before, after in pairwise(ups):
                assert after - before <= AGE + MOVE_TIMEOUT + FIRST + 5.0
        assert scene.count(messages.RecordMessage) == 0

    play(story, age=AGE)


async def _stay(*_: object) -> None:
    await trio.sleep_forever()


@pytest.mark.parametrize("level", [1, 2])
def test_moving_under_load(level: int) -> None:
    """Edits on both sides all the while: they arrive in their order, over the old links and the new ones."""
    seen: list[str] = []

    async def story(scene: Scene) -> None:
        await scene.create()
        fleet = scene.fleet
        fleet.start()
        principal = fleet.principal.instance
        assert principal is not None
        fleet.spokes["m1"].server.subscribe(
            lambda entry: (
                seen.append(entry.new.value["spec"]["source"]["targetRevision"])
                if entry.new is not None and entry.actor == "agent" and entry.name == "x"
                else None
            )
        )
        for number in range(60):
            change = MergePatch({"spec": {"source": {"targetRevision": f"v{number:02}"}}})
            await fleet.hub_as("user").patch(APPLICATIONS, "m1", "x", change)
            await fleet.spoke_as("a1", "user").patch(APPLICATIONS, NAMESPACE, "x", change)
            await trio.sleep(0.37)
            if number % 10 == 0:
                for agent in fleet.spokes:
                    principal.drain(agent)
        await fleet.wait_consistent()
        assert all(status.links >= 4 for status in principal.status())
        revisions = list(dict.fromkeys(seen))
        assert revisions == sorted(revisions) and revisions[-1] == "v59"
        assert len(revisions) > 40, "the hub went on over the old links"
        assert all(status.desired.mismatches == 0 for status in principal.status())

    play(story, level=level)


@pytest.mark.parametrize("program", [PRINCIPAL, "m1", "a1"])
@pytest.mark.parametrize("level", [1, 2])
def test_a_program_takes_leave(program: str, level: int) -> None:
    """It has ended in seconds, everybody has been told goodbye, and nothing has to be sent afterwards."""

    async def story(scene: Scene) -> None:
        await scene.create()
        began = trio.current_time()
        await scene.fleet.stop(program)
        assert trio.current_time() - began < 7.0
        parted = [said for _, _, said in scene.said if isinstance(said, messages.Goodbye)]
        assert messages.Reason.SHUTDOWN in [goodbye.reason for goodbye in parted]
        scene.fleet.start(program)
        await trio.sleep(QUIET)
        await scene.fleet.wait_consistent()
        assert scene.count(messages.RecordMessage) == 0
        assert scene.monitors.writes == scene.writes

    play(story, level=level)


def test_nobody_is_let_in_by_a_principal_that_stops() -> None:
    """Whoever dials it is told that nobody is there, and is not late for the next one."""

    async def story(scene: Scene) -> None:
        await scene.create()
        scene.fleet.network.cut("m1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(scene.fleet.stop, PRINCIPAL)
            await trio.sleep(0.1)
            scene.fleet.network.heal("m1")
            await trio.sleep(3.0)
            assert scene.fleet.network.links("m1") == 0
            assert scene.fleet.network.links("a1") == 1, "the others are served until they have gone"
        scene.fleet.start(PRINCIPAL)
        await trio.sleep(2 * FIRST)
        assert scene.fleet.network.links("m1") == scene.fleet.network.links("a1") == 1

    play(story)


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("seed", [2, 3])
def test_trouble_while_links_are_replaced(seed: int, level: int) -> None:
    """Drained links, programs that stop, cuts, crashes and half-open links, all at once."""
    names = ("drained", "stopped", "cut", "reset", "half-open", "crash", "latency", "stall")
    report = run_trial(seed, Options(seconds=60.0, level=level, faults=names))
    assert not report.violations
    assert report.faults["drained"] + report.faults["stopped"] > 0
