"""Races of agents: who is let in under a name, who stays, and what becomes of one that has been removed."""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.agent import Agent
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import PINNED, make_secret
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL
from trio_argoagent.testing.scheduling import make_env

from ..helpers import Scene
from .judging import Race


def _process(scene: Scene, number: int, mode: Mode = Mode.MANAGED) -> Agent:
    """Another process of this agent, on its cluster."""
    return Agent(
        AgentConfig(NAMESPACE, mode, scene.spoke.name),
        cluster=scene.fleet.spoke_as(scene.spoke.name, "agent"),
        dialer=scene.fleet.network.dialer(scene.spoke.name),
        env=make_env(number, "process"),
    )


def _links(scene: Scene) -> int:
    """How often this agent was welcomed."""
    return sum(e.name == "link-up" for _, who, e in scene.fleet.events if who == PRINCIPAL)


async def _removed(scene: Scene) -> None:
    """The cluster secret goes: the link ends, and nothing of the agent crosses any more until it is back."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await scene.hub.delete(SECRETS, NAMESPACE, "cluster-m1")
    await trio.sleep(1)
    assert scene.fleet.network.links("m1") == 0, "it is still connected"
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await trio.sleep(120)
    copy = scene.on_spoke("web")
    assert copy is not None and copy.get("spec")["source"].get("targetRevision") != "v2", "it crossed"
    await scene.hub.create(SECRETS, make_secret("m1", NAMESPACE))
    await scene.agree()


async def _another_mode(scene: Scene) -> None:
    """An autonomous process dials as a managed agent: it is not let in, before or after a restart."""
    await scene.create("web", cascade=False)
    await scene.agree()
    scene.fleet.kill("m1")
    for _ in range(2):
        before = _links(scene)
        with trio.move_on_after(100):
            await _process(scene, 7, Mode.AUTONOMOUS).run()
        assert _links(scene) == before, "it was let in"
        scene.fleet.restart(PRINCIPAL)
        await trio.sleep(5)
    scene.fleet.start("m1")
    await scene.agree()


async def _pinned_anew(scene: Scene) -> None:
    """The pin is taken away amid trouble at the hub's API: nobody is welcomed unpinned."""
    await scene.agree()
    scene.fleet.clients[PRINCIPAL].faults = Faults(conflicts=1.0)
    patch = MergePatch({"metadata": {"annotations": {PINNED: None}}})
    await scene.hub.patch(SECRETS, NAMESPACE, "cluster-m1", patch)
    before = _links(scene)
    await scene.cut()
    scene.fleet.network.heal("m1")
    await trio.sleep(60)
    pinned = PINNED in (await scene.hub.get(SECRETS, NAMESPACE, "cluster-m1")).annotations
    assert pinned or _links(scene) == before, "it was welcomed, and not pinned"
    scene.fleet.clients[PRINCIPAL].faults = NONE
    await scene.agree()


async def _rivals(scene: Scene) -> None:
    """Two processes of one agent for a quarter of an hour: they change places a minute apart, and twice."""
    await scene.create("web", cascade=False)
    await scene.agree()
    before = _links(scene)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_process(scene, 8).run)
        await trio.sleep(900)
        changes = _links(scene) - before
        assert changes <= 2, f"{changes} changes of place in a quarter of an hour"
        nursery.cancel_scope.cancel()
    scene.fleet.restart("m1")
    await scene.agree()


async def _crash_loop(scene: Scene) -> None:
    """Process after process dies without a word: the next need not wait until the dead one is given up."""
    await scene.create("web", cascade=False)
    await scene.agree()
    for number in range(6):
        scene.fleet.network.half_open("m1")
        scene.fleet.kill("m1")
        scene.fleet.start("m1")
        before = _links(scene)
        await scene.until(lambda before=before: _links(scene) > before, 15)  # type: ignore[misc]
        await scene.hub.patch(
            APPLICATIONS, "m1", "web", MergePatch({"metadata": {"labels": {"n": f"{number}"}}})
        )
    await scene.agree()


REGISTERING: Final = (
    Race("removed-agent", _removed),
    Race("another-mode", _another_mode),
    Race("pinned-anew", _pinned_anew),
    Race("rivals", _rivals),
    Race("crash-loop", _crash_loop),
)
