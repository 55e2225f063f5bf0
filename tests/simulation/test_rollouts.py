"""Processes of two times beside each other: that the troubles do what they say, and are survived."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.testing import rollouts
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.stage import Item, Stage
from trio_argoagent.testing.versions import Version

PLANS = (SpokePlan("m1"), SpokePlan("a1", Mode.AUTONOMOUS))


async def _edit(fleet: Fleet, revision: str) -> None:
    """Change the one Application of each agent where it is owned."""
    change = MergePatch({"spec": {"source": {"targetRevision": revision}}})
    await fleet.hub_as("user").patch(APPLICATIONS, "m1", "web", change)
    await fleet.spoke_as("a1", "user").patch(APPLICATIONS, NAMESPACE, "web", change)


async def _create(fleet: Fleet) -> None:
    await fleet.hub_as("user").create(APPLICATIONS, application("web", namespace="m1"))
    await fleet.spoke_as("a1", "user").create(APPLICATIONS, application("web", namespace=NAMESPACE))
    await fleet.wait_consistent()


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("program", [PRINCIPAL, "m1", "a1"])
def test_programs_of_neighbouring_versions_understand_each_other(
    program: str, version: Version, level: int
) -> None:
    """What one says beyond the other's knowledge is passed over, and the protocol is one that both speak."""
    seen: list[messages.Message | None] = []

    async def main() -> None:
        async with open_fleet(PLANS, seed=3, start=False, level=level) as fleet:
            monitors = Monitors(fleet)
            listener = fleet.network.on_frame
            assert listener is not None

            def look(agent: str, up: bool, frame: bytes) -> None:
                seen.append(codec.decode(frame))
                listener(agent, up, frame)

            fleet.network.on_frame = look
            fleet.disguises[program] = version
            fleet.start()
            await _create(fleet)
            await _edit(fleet, "v2")
            await trio.sleep(1)
            await fleet.wait_consistent()
            monitors.check()

    simulate(main, seed=3)
    assert (None in seen) == (version is Version.NEXT)
    ranges = {each.protocols for each in seen if isinstance(each, messages.Hello)}
    assert ((1, 2) in ranges) == (version is Version.NEXT and program != PRINCIPAL)
    assert {each.protocol for each in seen if isinstance(each, messages.Welcome)} == {1}
    able = {bool(each.capabilities) for each in seen if isinstance(each, messages.Welcome)}
    assert (False in able) == (version is Version.LAST)
    if version is Version.LAST and program == PRINCIPAL:
        assert not [each for each in seen if isinstance(each, messages.RecordMessage) and each.encoding]
    if version is Version.NEXT:
        assert [each for each in seen if isinstance(each, messages.RecordMessage) and each.base]


def test_an_old_principal_goes_on_beside_its_successor() -> None:
    """Some agent is the successor's for a while; in the end there is one principal, which has them all."""
    welcomes: list[str] = []

    async def main() -> None:
        async with open_fleet(PLANS, seed=3) as fleet, trio.open_nursery() as nursery:
            stage = Stage(fleet, nursery)
            await _create(fleet)
            old = fleet.principal.instance

            def look(agent: str, up: bool, frame: bytes) -> None:
                said = codec.decode(frame)
                if isinstance(said, messages.Welcome):
                    welcomes.append(said.instance)

            fleet.network.on_frame = look
            nursery.start_soon(
                rollouts.stale_principal, stage, Item(1, 0.0, "stale-principal", PRINCIPAL, 20.0, 0.5)
            )
            await trio.sleep(10)
            assert fleet.principal.instance is old
            assert len(set(welcomes)) == 1
            await _edit(fleet, "v2")
            await trio.sleep(15)
            assert fleet.principal.instance is not old
            assert len(set(welcomes)) == 2
            await fleet.wait_consistent()

    simulate(main, seed=3)


@pytest.mark.parametrize("trouble", [rollouts.expired, rollouts.rotated])
def test_a_certificate_that_is_no_good_ends_the_link_until_there_is_another(trouble: object) -> None:
    """The agent is told why; work goes on as soon as it may dial again."""
    said: list[str] = []

    async def main() -> None:
        async with open_fleet(PLANS, seed=3) as fleet, trio.open_nursery() as nursery:
            stage = Stage(fleet, nursery)
            fleet.observers.append(
                lambda program, event: said.append(event.text) if program == "m1" else None
            )
            await _create(fleet)
            nursery.start_soon(trouble, stage, Item(1, 0.0, "expired", "m1", 20.0, 0.5))  # type: ignore[arg-type]
            await trio.sleep(1)
            assert fleet.network.links("m1") == 0
            await _edit(fleet, "v2")
            await fleet.wait_consistent()

    simulate(main, seed=3)
    assert any("certificate" in text for text in said)


def test_a_leave_that_is_cut_short_leaves_nobody_stopped() -> None:
    """Where the trouble ends while a program takes leave, another one is in its place."""

    async def main() -> None:
        async with open_fleet(PLANS, seed=3) as fleet, trio.open_nursery() as nursery:
            await _create(fleet)
            old, leave = fleet.principal.instance, Item(1, 0.0, "stopped", PRINCIPAL, 20.0, 0.5)
            with trio.move_on_after(0.001) as trouble:
                await rollouts.stopped(Stage(fleet, nursery), leave)
            assert trouble.cancelled_caught
            await _edit(fleet, "v2")
            await fleet.wait_consistent()
            assert fleet.principal.instance is not old

    simulate(main, seed=3)
