"""What is refused stands on its object within seconds, and goes when nothing is wrong any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, EVENTS, NAMESPACES
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import conditions
from trio_argoagent.sync.source import REFUSED_RETRY
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project, application, automated
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.trial import Options, run_trial

from .helpers import restrict

FORBIDDEN = Faults(forbidden=1.0)


class Scene:
    """A fleet of one spoke, and what its Applications and Events say."""

    def __init__(self, fleet: Fleet, mode: Mode) -> None:
        self.fleet, self.managed = fleet, mode is Mode.MANAGED
        (self.spoke,) = fleet.spokes.values()
        self.owner = fleet.hub_as("user") if self.managed else fleet.spoke_as(self.spoke.name, "user")
        self.namespace = self.spoke.name if self.managed else NAMESPACE

    async def create(self, name: str = "web", **more: Any) -> Object:
        """Create an Application where it is owned."""
        return await self.owner.create(APPLICATIONS, application(name, namespace=self.namespace, **more))

    async def project(self, name: str, project: str) -> None:
        """Move an Application to another project, where it is owned."""
        await self.owner.patch(APPLICATIONS, self.namespace, name, MergePatch({"spec": {"project": project}}))

    def app(self, name: str = "web") -> Object | None:
        """It, where it is owned."""
        return oracle.objects(self.owner.server, APPLICATIONS, self.namespace).get(name)

    def copy(self, name: str = "web") -> Object | None:
        """Of a managed one: on the spoke."""
        return oracle.objects(self.spoke.server, APPLICATIONS, NAMESPACE).get(name)

    def mirrored(self, name: str) -> bool:
        """Has the hub an Application of that name?"""
        return name in oracle.objects(self.fleet.hub, APPLICATIONS, self.spoke.name)

    def condition(self, name: str = "web") -> Any:
        """Its AgentError, whole."""
        app = self.app(name)
        standing = (app.get("status") or {}).get("conditions", ()) if app is not None else ()
        return next((each for each in standing if each["type"] == conditions.AGENT_ERROR), None)

    def said(self, name: str = "web") -> str:
        """What its AgentError says; empty: there is none."""
        app = self.app(name)
        return conditions.said((app.get("status") or {}) if app is not None else {})

    def events(self) -> list[Object]:
        """The Events that we have written where the objects are owned."""
        return list(oracle.objects(self.owner.server, EVENTS, NAMESPACE).values())

    @property
    def refusing(self) -> str:
        """The program that refuses what is changed where it is owned."""
        return self.spoke.name if self.managed else PRINCIPAL

    async def until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Wait for a condition."""
        await self.fleet.until(condition, timeout)


def play(
    story: Callable[[Scene], Awaitable[None]],
    mode: Mode = Mode.MANAGED,
    prepare: Callable[[Scene], Awaitable[None]] | None = None,
) -> None:
    """Run a story on a fresh fleet, with the monitors on."""

    async def main() -> None:
        plan = SpokePlan("m1" if mode is Mode.MANAGED else "a1", mode)
        async with open_fleet([plan], seed=1, start=False) as fleet:
            monitors, scene = Monitors(fleet), Scene(fleet, mode)
            if prepare is not None:
                await prepare(scene)
            fleet.start()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_sample, monitors)
                await story(scene)
                nursery.cancel_scope.cancel()
            assert not list(monitors.unsettled())
            monitors.check()

    simulate(main, seed=1)


async def _sample(monitors: Monitors) -> None:
    while True:
        await trio.sleep(1)
        monitors.sample()


async def _strict_over_there(scene: Scene) -> None:
    """The other cluster knows two projects only."""
    there = scene.fleet.spoke_as("m1", "installer") if scene.managed else scene.fleet.hub_as("installer")
    await restrict(there, ("spec", "project"), ("default", "a1-default"))


@pytest.mark.parametrize("mode", list(Mode))
def test_an_object_that_the_other_cluster_does_not_accept_says_so(mode: Mode) -> None:
    """The reason is its API server's; the condition goes once the object has been mended."""

    async def story(scene: Scene) -> None:
        await scene.create(syncPolicy=automated())
        await scene.fleet.wait_synced()
        await scene.project("web", "odd")
        await scene.until(lambda: "spec.project" in scene.said(), 5)
        assert scene.said().startswith("agent m1: " if scene.managed else "the principal: ")
        assert scene.said().endswith("(change the object; the same is tried again in 5 minutes)")
        stands = scene.condition()
        await trio.sleep(400)
        assert scene.condition() == stands
        await scene.project("web", "default")
        await scene.until(lambda: not scene.said(), 5)
        await scene.fleet.wait_consistent()

    play(story, mode, _strict_over_there)


def test_a_definition_that_is_older_over_there_is_brought_up_to_date() -> None:
    """It is tried again in a few minutes, whoever has changed what; and nothing else has waited for it."""

    async def story(scene: Scene) -> None:
        await scene.create("odd", project="odd")
        await scene.until(lambda: "spec.project" in scene.said("odd"), 15)
        await scene.create("web", syncPolicy=automated())
        await scene.until(lambda: scene.copy("web") is not None, 5)
        await restrict(
            scene.fleet.spoke_as("m1", "installer"), ("spec", "project"), ("default", "odd", "a1-default")
        )
        await scene.until(lambda: not scene.said("odd"), REFUSED_RETRY + 30)
        await scene.fleet.wait_consistent()

    play(story, prepare=_strict_over_there)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_right_that_is_missing_is_named_until_it_is_granted(mode: Mode) -> None:
    """Pending alone is no refusal; pending for longer than somebody would wait is one."""

    async def story(scene: Scene) -> None:
        await scene.create()
        await scene.fleet.wait_consistent()
        scene.fleet.clients[scene.refusing].faults = FORBIDDEN
        await scene.create("late")
        await trio.sleep(4)
        assert not scene.said("late")
        await scene.until(lambda: "forbidden" in scene.said("late"), 6)
        assert not scene.said("web")
        scene.fleet.clients[scene.refusing].faults = NONE
        await scene.until(lambda: not scene.said("late"), 130)
        await scene.fleet.wait_consistent()

    play(story, mode)


def test_a_spoke_without_its_namespace_is_named() -> None:
    """Argo CD's namespace on the spoke was deleted."""

    async def story(scene: Scene) -> None:
        await scene.fleet.wait_consistent()
        there = scene.fleet.spoke_as("m1", "user")
        await there.delete(NAMESPACES, "", NAMESPACE)
        await scene.until(lambda: not oracle.objects(there.server, NAMESPACES, "").get(NAMESPACE), 60)
        await scene.create()
        await scene.until(lambda: "create the namespace" in scene.said(), 11)
        await there.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        )
        await scene.fleet.wait_consistent()
        await scene.until(lambda: not scene.said(), 10)

    play(story)


def test_a_project_is_spoken_of_on_the_cluster_secret() -> None:
    """An AppProject has no conditions: one Event, counted up, where an operator looks for the agent."""

    async def story(scene: Scene) -> None:
        await scene.fleet.wait_consistent()
        scene.fleet.clients["m1"].faults = FORBIDDEN
        await scene.owner.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))
        await scene.until(lambda: len(scene.events()) == 1, 11)
        (event,) = scene.events()
        assert event.get("involvedObject")["name"] == "cluster-m1"
        assert "AppProject team: agent m1: " in event.get("message")
        await trio.sleep(600)
        assert scene.events()[0].get("count") == 1
        await trio.sleep(1500)
        assert scene.events()[0].get("count") == 2
        assert len(scene.events()) == 1

    play(story)


def test_a_deletion_that_is_refused_is_seen_although_the_object_is_gone() -> None:
    """The hub's object is no more, and the spoke keeps its copy."""

    async def story(scene: Scene) -> None:
        await scene.create(cascade=False)
        await scene.fleet.wait_consistent()
        scene.fleet.clients["m1"].faults = FORBIDDEN
        await scene.owner.delete(APPLICATIONS, "m1", "web")
        await scene.until(lambda: len(scene.events()) == 1, 11)
        scene.fleet.clients["m1"].faults = NONE
        await scene.fleet.wait_consistent()

    play(story)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_condition_outlives_its_program_and_goes_when_it_is_settled(mode: Mode) -> None:
    """A process that knows nothing of it leaves it until the other side is known to hold what it should."""

    async def story(scene: Scene) -> None:
        await scene.create(syncPolicy=automated())
        await scene.fleet.wait_synced()
        await scene.project("web", "odd")
        await scene.until(lambda: bool(scene.said()), 5)
        teller = PRINCIPAL if scene.managed else "a1"
        scene.fleet.network.cut(scene.spoke.name)
        scene.fleet.kill(teller)
        scene.fleet.restart(teller)
        await trio.sleep(30)
        assert scene.said()
        await scene.project("web", "default")
        await trio.sleep(30)
        assert scene.said()
        scene.fleet.network.heal(scene.spoke.name)
        await scene.until(lambda: not scene.said(), 60)
        await scene.fleet.wait_consistent()

    play(story, mode, _strict_over_there)


def test_what_the_hub_does_not_accept_of_a_status_is_said_on_the_hub() -> None:
    """A managed agent's status is shown on the hub, and so is why it is not."""

    async def prepare(scene: Scene) -> None:
        known = ("Healthy", "Missing", "Progressing")
        await restrict(scene.fleet.hub_as("installer"), ("status", "health", "status"), known)

    async def story(scene: Scene) -> None:
        await scene.create(syncPolicy=automated())
        await scene.fleet.wait_synced()
        live = scene.spoke.world.live(NAMESPACE, "web", scene.fleet.env.now())
        kind, namespace, name = next(
            each.manifest.key[1:] for each in live if each.manifest.key[1] == "Deployment"
        )
        scene.spoke.world.degrade(kind, namespace, name, True)
        await scene.until(lambda: "the hub: " in scene.said() and "status.health" in scene.said(), 300)
        scene.spoke.world.degrade(kind, namespace, name, False)
        await scene.until(lambda: not scene.said(), 300)

    play(story, prepare=prepare)


@pytest.mark.parametrize("seed", [14, 21, 25])
def test_what_chaos_has_found_once(seed: int) -> None:
    """An object that was gone already, a condition that outlived its cause, an Event that came too late."""
    assert run_trial(seed, Options(faults=("forbidden",))).writes > 0


def test_a_project_whose_mirrors_name_would_be_too_long() -> None:
    """The agent's name comes before it; the hub could not store that. Nothing else waits."""
    name = f"{'a' * 179}-{'b' * 71}"

    async def story(scene: Scene) -> None:
        await scene.owner.create(APP_PROJECTS, app_project(name, namespace=NAMESPACE))
        await scene.until(lambda: any(name in event.get("message") for event in scene.events()), 5)
        await scene.create()
        await scene.until(lambda: scene.mirrored("web"), 5)
        await scene.owner.delete(APP_PROJECTS, NAMESPACE, name)
        await scene.fleet.wait_consistent()

    play(story, Mode.AUTONOMOUS)
