"""A hydration that somebody asks for on the hub: done on the spoke, once, and answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.stream.protocol.negotiation import OURS, Capability
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import hydrator
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.fleet import SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors

from .helpers import Scene, play

SLOW = Settings(hydration=20.0)
"""A hydration that takes longer than a status needs to the hub."""


def operation(app: Object | None) -> dict[str, str]:
    """The hydration that an Application shows."""
    status = (app.get("status") if app is not None else None) or {}
    found: dict[str, str] = (status.get("sourceHydrator") or {}).get("currentOperation") or {}
    return found


def is_asked(app: Object | None) -> bool:
    """Does a request for a hydration stand on it?"""
    return app is not None and names.HYDRATE in app.annotations


def hydrations(scene: Scene) -> int:
    """How many have begun on the spoke."""
    begun: dict[str, None] = {}
    for entry in scene.spoke.server.log:
        if entry.name == "web" and entry.new is not None:
            status = entry.new.value.get("status") or {}
            started = ((status.get("sourceHydrator") or {}).get("currentOperation") or {}).get("startedAt")
            if started:
                begun[started] = None
    return len(begun)


async def ask(scene: Scene) -> None:
    """A user asks for it on the hub, as Argo CD's server does for everybody who refreshes."""
    await argocd_server.refresh(scene.argocd, scene.spoke.name, "web", env=scene.fleet.env, wait=False)


async def _hydrated(scene: Scene) -> None:
    await scene.create("web", cascade=False, sourceHydrator=hydrator())
    await scene.until(lambda: operation(scene.on_hub("web")).get("phase") == "Hydrated")
    await scene.agree()
    await trio.sleep(5)


async def asked(scene: Scene) -> None:
    """The request leaves the hub with the status that shows that it has begun, and one hydration is done."""
    await _hydrated(scene)
    before = operation(scene.on_hub("web"))["startedAt"]
    await ask(scene)
    await scene.until(lambda: not is_asked(scene.on_hub("web")), 30)
    assert operation(scene.on_hub("web"))["startedAt"] > before, "it was answered before it began"
    await scene.agree()
    assert hydrations(scene) == 2


async def asked_while_away(scene: Scene) -> None:
    """The link is down, and the agent and the principal start anew meanwhile: it waits, and is done once."""
    await _hydrated(scene)
    await scene.cut()
    await ask(scene)
    for program in scene.fleet.programs:
        scene.fleet.restart(program)
    await trio.sleep(30)
    assert is_asked(scene.on_hub("web")) and hydrations(scene) == 1
    await scene.heal()
    assert hydrations(scene) == 2


async def asked_amid_a_hydration(scene: Scene) -> None:
    """What is asked for while one runs is done after it, and stands on the hub until then."""
    await _hydrated(scene)
    await ask(scene)
    await scene.until(lambda: operation(scene.on_hub("web")).get("phase") == "Hydrating")
    await scene.until(lambda: not is_asked(scene.on_hub("web")))
    running = operation(scene.on_hub("web"))["startedAt"]
    await trio.sleep(2)  # A request is told from the one before it by its second.
    await ask(scene)
    await trio.sleep(5)
    assert is_asked(scene.on_hub("web")), "it was answered by the one before it"
    await scene.until(lambda: not is_asked(scene.on_hub("web")), 60)
    assert operation(scene.on_hub("web"))["startedAt"] > running
    await scene.agree()
    assert hydrations(scene) == 3


async def asked_of_one_without_a_hydrator(scene: Scene) -> None:
    """Nobody ever takes that off, as in Argo CD itself: it does not travel, and nothing waits for it."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await ask(scene)
    await scene.until(lambda: names.REFRESH not in scene.on_hub("web").annotations)  # type: ignore[union-attr]
    await scene.agree()
    assert is_asked(scene.on_hub("web")) and not is_asked(scene.on_spoke("web"))
    principal = scene.fleet.principal.instance
    assert principal is not None and principal.status()[0].waiting == ()


async def asked_for_a_hydration_alone(scene: Scene) -> None:
    """Without a refresh, and without a moment: as people write it by hand."""
    await _hydrated(scene)
    for number in (2, 3):
        note = MergePatch({"metadata": {"annotations": {names.HYDRATE: "normal"}}})
        await scene.hub.patch(APPLICATIONS, scene.spoke.name, "web", note)
        await scene.until(lambda: not is_asked(scene.on_hub("web")), 30)
        await scene.agree()
        assert hydrations(scene) == number


async def test_an_agent_that_knows_no_hydrations(autojump_clock: MockClock) -> None:
    """It is asked for none, so that the link stays; the request waits until it has been upgraded."""
    older = {"m1": OURS.without(Capability.HYDRATE)}
    async with open_fleet([SpokePlan("m1")], offers=older) as fleet:
        scene = Scene(fleet, Monitors(fleet, attach=False))
        await _hydrated(scene)
        await ask(scene)
        await scene.until(lambda: names.REFRESH not in scene.on_hub("web").annotations)  # type: ignore[union-attr]
        await trio.sleep(30)
        assert is_asked(scene.on_hub("web")) and hydrations(scene) == 1
        told = [event.name for _, _, event in fleet.events]
        assert "link-broken" not in told[told.index("link-up") :]
        fleet.offers.clear()
        fleet.restart("m1")
        await scene.until(lambda: not is_asked(scene.on_hub("web")))
        await scene.agree()
        assert hydrations(scene) == 2


STORIES = [asked, asked_while_away, asked_of_one_without_a_hydrator, asked_for_a_hydration_alone]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_hydration(story: Callable[[Scene], Awaitable[None]], mode: Mode) -> None:
    """See the stories."""
    play(story, mode=mode)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_hydration_that_takes_its_time(mode: Mode) -> None:
    """See the story."""
    play(asked_amid_a_hydration, mode=mode, settings=SLOW)
