"""Many changes at once: what people wait for goes first, and what nobody waits for is coalesced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.sync import names
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

from .helpers import Scene, operation_state, play

APPS: Final = 100
CALM: Final = Settings(resync=36_000.0)
"""An Argo CD that looks at nothing by itself."""


class Wire:
    """What travels up, by Application."""

    def __init__(self, scene: Scene) -> None:
        self.up: list[tuple[float, str]] = []
        network, before = scene.fleet.network, scene.fleet.network.on_frame

        def on_frame(agent: str, up: bool, frame: bytes) -> None:
            if before is not None:
                before(agent, up, frame)
            message = codec.decode(frame)
            if up and isinstance(message, messages.RecordMessage):
                self.up.append((trio.current_time(), message.record.key.name))

        network.on_frame = on_frame

    def since(self, moment: float) -> Counter[str]:
        """How many records of each since then."""
        return Counter(name for at, name in self.up if at >= moment)


async def furnished(scene: Scene, count: int = APPS) -> None:
    """That many Applications, looked at, and at rest."""
    for number in range(count):
        await scene.create(f"app{number}")
    await scene.agree()
    await trio.sleep(200.0)


async def webhook(scene: Scene, apps: Sequence[str]) -> None:
    """A push to Git: Argo CD on the spoke is told to look at all of these."""
    asked = MergePatch({"metadata": {"annotations": {names.REFRESH: "normal"}}})
    for name in apps:
        await scene.there.patch(APPLICATIONS, NAMESPACE, name, asked)


def hub_writes(scene: Scene) -> list[LogEntry]:
    """What the principal has written on the hub's Applications."""
    return [each for each in scene.fleet.hub.log if each.actor == PRINCIPAL and each.resource == APPLICATIONS]


async def five_webhooks(scene: Scene) -> None:
    """Five of them within a minute refresh a hundred Applications in which nothing changes."""
    await furnished(scene)
    wire, began, before = Wire(scene), trio.current_time(), len(hub_writes(scene))
    apps = [f"app{number}" for number in range(APPS)]
    for _ in range(5):
        await webhook(scene, apps)
        await trio.sleep(10.0)
    sent = wire.since(began)
    assert set(sent.values()) <= {0, 1}
    assert len(hub_writes(scene)) - before == sum(sent.values()) <= APPS


def test_a_webhook_sends_each_application_once_a_minute_at_most() -> None:
    """See the story."""
    play(five_webhooks, settings=CALM)


async def refreshed_amid_a_webhook(scene: Scene) -> None:
    """So is a sync: the statuses that nobody waits for stay behind them."""
    await furnished(scene)
    scene.fleet.throttle_api("hub", seconds=2.0)  # Each call of the principal takes that much longer.
    await webhook(scene, [f"app{number}" for number in range(APPS) if number != 7])
    asked = trio.current_time()
    await argocd_server.refresh(scene.argocd, "m1", "app7", env=scene.fleet.env)
    assert trio.current_time() - asked < 8.0
    asked = trio.current_time()
    await argocd_server.sync(scene.argocd, "m1", "app7")
    await scene.until(lambda: operation_state(scene.on_hub("app7")).get("phase") == "Succeeded", 15.0)
    await scene.agree()


def test_a_refresh_amid_a_webhook_is_answered_at_once() -> None:
    """See the story."""
    play(refreshed_amid_a_webhook, settings=CALM)


def test_statuses_of_a_slow_hub_are_coalesced_where_they_come_from() -> None:
    """A status that changes twice a second is sent once a second, in its newest state."""

    async def story(scene: Scene) -> None:
        await furnished(scene, 20)
        wire, began = Wire(scene), trio.current_time()
        scene.fleet.throttle_api("hub", seconds=2.0)
        for number in range(60):
            tick = MergePatch({"status": {"health": {"message": f"tick {number}"}}})
            for app in range(20):
                await scene.there.patch(APPLICATIONS, NAMESPACE, f"app{app}", tick)
            await trio.sleep(0.5)
        scene.fleet.throttle_api("hub", seconds=0.0)
        await scene.agree()
        assert max(wire.since(began).values()) <= 40  # Of sixty changes: one a second at most.

    play(story, settings=CALM)


def test_a_quiet_agent_beside_a_flooder_waits_no_longer() -> None:
    """The writes of one agent that floods the hub stand behind one of another's, not before it."""
    waits: dict[bool, list[float]] = {False: [], True: []}

    async def main(flooded: bool) -> None:
        async with open_fleet([SpokePlan("east"), SpokePlan("west")], seed=1) as fleet:
            hub = fleet.hub_as("user")
            for number in range(60):
                await hub.create(APPLICATIONS, application(f"app{number}", namespace="east"))
            await hub.create(APPLICATIONS, application("calm", namespace="west"))
            await fleet.wait_consistent()
            fleet.throttle_api("hub", seconds=0.05)
            east, west = fleet.spoke_as("east", "argocd"), fleet.spoke_as("west", "argocd")
            for round_ in range(20):
                tick = MergePatch({"status": {"health": {"message": f"tick {round_}"}}})
                if flooded:
                    for number in range(60):
                        await east.patch(APPLICATIONS, NAMESPACE, f"app{number}", tick)
                asked = trio.current_time()
                await west.patch(APPLICATIONS, NAMESPACE, "calm", tick)

                def shown(text: str = f"tick {round_}") -> bool:
                    app = oracle.objects(fleet.hub, APPLICATIONS, "west")["calm"]
                    return (app.get("status") or {}).get("health", {}).get("message") == text

                await fleet.until(shown, 30.0)
                waits[flooded].append(trio.current_time() - asked)
                await trio.sleep(1.0)

    for flooded in (False, True):
        simulate(main, flooded, seed=1)
    quiet, beside = sorted(waits[False]), sorted(waits[True])
    assert round(beside[-1] - quiet[-1], 9) <= 0.05 * 2

