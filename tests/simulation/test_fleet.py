"""Whole fleets without faults: both modes come into step, stay there, and are quiet."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing.argocd.applications import automated, samples
from trio_argoagent.testing.argocd.names import Dialect
from trio_argoagent.testing.fleet import PRINCIPAL

from .helpers import Scene, play


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("dialect", list(Dialect))
def test_applications_reach_the_other_side_and_their_status_comes_back(mode: Mode, dialect: Dialect) -> None:
    """Auto-synced Applications become Synced and Healthy on the hub, in both modes and both dialects."""

    async def story(scene: Scene) -> None:
        for number in range(3):
            await scene.create(f"app{number}", syncPolicy=automated())
        await scene.synced("app0", "app1", "app2")

    play(story, mode=mode, dialect=dialect)


def test_every_sample_application_survives_the_way_unchanged() -> None:
    """What Argo CD rewrites, defaults or sorts in a spec causes no lasting difference and no fight."""

    async def story(scene: Scene) -> None:
        for app in samples(scene.spoke.name):
            await scene.hub.create(APPLICATIONS, app)
        await scene.agree()
        status = scene.fleet.agents["m1"].instance
        assert status is not None and status.status().desired.reverted == 0

    play(story)


@pytest.mark.parametrize("mode", list(Mode))
def test_nothing_is_written_or_sent_while_nothing_changes(mode: Mode) -> None:
    """In step and with Argo CD at rest, ten minutes pass without one write and without one record."""

    async def story(scene: Scene) -> None:
        for number in range(5):
            await scene.create(f"app{number}", syncPolicy=automated())
        await scene.synced(*(f"app{number}" for number in range(5)))
        scene.fleet.crash(scene.spoke.controller)
        await trio.sleep(90)
        writes, records = scene.monitors.writes, scene.records
        await trio.sleep(600)
        assert (scene.monitors.writes, scene.records) == (writes, records)

    play(story, mode=mode)


@pytest.mark.parametrize("program", [PRINCIPAL, "agent"])
@pytest.mark.parametrize("mode", list(Mode))
def test_a_restart_with_everything_unchanged_sends_no_record_and_writes_nothing(
    mode: Mode, program: str
) -> None:
    """Both sides forget everything, compare two hashes, and are done."""

    async def story(scene: Scene) -> None:
        for number in range(20):
            await scene.create(f"app{number}", syncPolicy=automated())
        await scene.synced(*(f"app{number}" for number in range(20)))
        scene.fleet.crash(scene.spoke.controller)
        await trio.sleep(90)
        writes, records = scene.monitors.writes, scene.records
        name = scene.spoke.name if program == "agent" else program
        scene.fleet.crash(name)
        await trio.sleep(1)
        scene.fleet.start(name)
        await scene.until(lambda: scene.fleet.network.links(scene.spoke.name) == 1)
        await trio.sleep(60)
        assert (scene.monitors.writes, scene.records) == (writes, records)
        agent, principal = scene.fleet.agents[scene.spoke.name].instance, scene.fleet.principal.instance
        assert agent is not None and principal is not None
        assert agent.status().observed.phase == "live"
        assert principal.status()[0].desired.phase == "live"

    play(story, mode=mode)


@pytest.mark.parametrize("mode", list(Mode))
def test_each_side_says_once_a_link_that_the_other_holds_all_that_it_should(mode: Mode) -> None:
    """Not before the Application is there, and again with the next link."""

    async def story(scene: Scene) -> None:
        def said() -> list[str]:
            return sorted(program for _, program, event in scene.fleet.events if event.name == "in-step")

        both = sorted([PRINCIPAL, scene.spoke.name])
        await scene.create("app", syncPolicy=automated())
        await scene.synced("app")
        assert said() == both
        await scene.cut()
        await scene.create("other", syncPolicy=automated())
        assert said() == both
        await scene.heal()
        await scene.synced("app", "other")
        assert said() == sorted(both * 2)

    play(story, mode=mode)
