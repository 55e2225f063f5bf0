"""The judges see what they are there to see: each kind of wrong write, done on purpose, is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Holding, Outcome, Record, Result
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.ports.cluster import JsonPatch, MergePatch
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.sync import conditions, names, steps
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL
from trio_argoagent.testing.plan import Options, draw_plan
from trio_argoagent.testing.trial import run_plan

from .helpers import Scene, play

Forgery = Callable[[Scene], Awaitable[object]]


async def _stopped(scene: Scene, *, cascade: bool = True) -> None:
    """One synced Application, and the product asleep: what is written in its name is ours."""
    await scene.create("web", cascade=cascade, syncPolicy=automated())
    await scene.synced("web")
    scene.fleet.crash(scene.spoke.name)
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)


async def _delete_live_copy(scene: Scene) -> None:
    await scene.fleet.spoke_as("m1", "agent").delete(APPLICATIONS, NAMESPACE, "web")
    await trio.sleep(60)


async def _forge_marker(scene: Scene) -> None:
    change = {"annotations": {names.MARKER: "v1 deadbeef deadbeef 5 -"}}
    await scene.change(scene.fleet.spoke_as("m1", "agent"), "web", change)


async def _drop_request(scene: Scene) -> None:
    await argocd_server.sync(scene.argocd, "m1", "web")
    principal = scene.fleet.hub_as(PRINCIPAL)
    await principal.patch(APPLICATIONS, "m1", "web", MergePatch({"operation": None}))


async def _let_go_too_early(scene: Scene) -> None:
    await argocd_server.delete(scene.argocd, "m1", "web")
    await scene.change(scene.fleet.hub_as(PRINCIPAL), "web", {"finalizers": []})


async def _touch_a_local_object(scene: Scene) -> None:
    await scene.there.create(APPLICATIONS, application("local", namespace=NAMESPACE))
    await scene.change(scene.fleet.spoke_as("m1", "agent"), "local", {"labels": {"x": "y"}})


async def _edit_what_the_hub_owns(scene: Scene) -> None:
    await scene.change(scene.fleet.hub_as(PRINCIPAL), "web", {"labels": {"x": "y"}})


async def _write_outside_all_scopes(scene: Scene) -> None:
    principal = scene.fleet.hub_as(PRINCIPAL)
    await principal.create(APPLICATIONS, application("web", namespace=NAMESPACE))
    agent = scene.fleet.spoke_as("m1", "agent")
    await agent.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})


async def _say_what_is_not_so(scene: Scene) -> None:
    listener = scene.fleet.network.on_frame
    assert listener is not None
    key = Key(Kind.APPLICATION, "elsewhere", "web")
    record = Record(key, "u1", "d1", "1", b"{}")
    listener("m1", False, codec.encode(messages.RecordMessage(7, record)))
    answer = Result(7, Outcome.APPLIED, holding=Holding("u1", "d1"))
    listener("m1", True, codec.encode(messages.Results((answer,))))
    await trio.lowlevel.checkpoint()


async def _show_an_older_status(scene: Scene) -> None:
    principal = scene.fleet.hub_as(PRINCIPAL)
    for entry in scene.spoke.server.log:
        status = entry.new.value.get("status") if entry.new is not None and entry.name == "web" else None
        if status and (status.get("health") or {}).get("status") == "Missing":
            await principal.patch(APPLICATIONS, "m1", "web", JsonPatch([steps.op_add("/status", status)]))
            return


async def _show_what_never_was(scene: Scene) -> None:
    principal = scene.fleet.hub_as(PRINCIPAL)
    await principal.patch(APPLICATIONS, "m1", "web", MergePatch({"status": {"health": {"status": "Lost"}}}))


async def _refuse_in_silence(scene: Scene) -> None:
    scene.fleet.start(PRINCIPAL)
    await trio.sleep(1)
    hears = scene.fleet.network.on_arrival
    assert hears is not None
    record = Record(Key(Kind.APPLICATION, NAMESPACE, "web"), "u1", "d1", "1", b"{}")
    hears("m1", False, codec.encode(messages.RecordMessage(7, record)))
    hears("m1", True, codec.encode(messages.Results((Result(7, Outcome.REJECTED, "no"),))))
    for _ in range(10):
        scene.monitors.sample()


@pytest.mark.parametrize(
    ("forgery", "invariants"),
    [
        (_delete_live_copy, ("I3:", "W1:")),
        (_forge_marker, ("I1:", "I2:")),
        (_drop_request, ("L3:",)),
        (_let_go_too_early, ("I3b:",)),
        (_touch_a_local_object, ("I11:",)),
        (_edit_what_the_hub_owns, ("I11:",)),
        (_write_outside_all_scopes, ("it is no agent's", "not in the agent's namespace")),
        (_refuse_in_silence, ("I12: m1:",)),
        (_show_an_older_status, ("I2: Application m1/web",)),
        (_show_what_never_was, ("I1: Application m1/web",)),
        (_say_what_is_not_so, ("I8: m1: a record of", "I5: m1:")),
    ],
)
def test_a_forged_write_is_found(forgery: Forgery, invariants: tuple[str, ...]) -> None:
    """A write in the product's name that breaks a rule is named with the rule."""
    seen: list[str] = []

    async def story(scene: Scene) -> None:
        await _stopped(scene)
        await forgery(scene)
        with pytest.raises(AssertionError) as caught:
            scene.monitors.check()
        seen.append(str(caught.value))
        scene.monitors.violations.clear()
        scene.spoke.world.prunes.clear()

    play(story)
    assert all(invariant in seen[0] for invariant in invariants)


def test_a_condition_that_says_what_is_over_is_found() -> None:
    """It would send people looking for what is not there."""

    async def story(scene: Scene) -> None:
        await _stopped(scene)
        app = scene.on_hub("web")
        assert app is not None
        step = conditions.show(app, "no", "2026-01-01T00:00:00Z")
        assert step is not None
        await scene.fleet.hub_as(PRINCIPAL).patch(APPLICATIONS, "m1", "web", JsonPatch(step.operations))
        assert any("says what is over" in line for line in scene.monitors.unsettled())

    play(story)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("side", ["hub", "spoke"])
@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"source": {"targetRevision": "other"}}},
        {"metadata": {"labels": {"extra": "x"}}},
        {"metadata": {"annotations": {"example.com/extra": "x"}}},
        {"status": {"health": {"status": "Lost"}}},
        {"operation": {"sync": {"revision": "other"}}},
    ],
)
def test_any_difference_is_seen(mode: Mode, side: str, change: dict[str, object]) -> None:
    """One field that is not alike on both sides is a difference, whichever side it is on."""

    async def story(scene: Scene) -> None:
        await _stopped(scene)
        scene.fleet.crash(scene.spoke.controller)
        await trio.sleep(1)
        assert not scene.fleet.differences()
        cluster, namespace = (scene.hub, scene.spoke.name) if side == "hub" else (scene.there, NAMESPACE)
        await cluster.patch(APPLICATIONS, namespace, "web", MergePatch(change))
        assert scene.fleet.differences()

    play(story, mode=mode)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_missing_copy_and_an_orphan_are_seen(mode: Mode) -> None:
    """What one side alone has is a difference."""

    async def story(scene: Scene) -> None:
        await _stopped(scene, cascade=False)
        scene.fleet.crash(scene.spoke.controller)
        await trio.sleep(1)
        owner = (scene.hub, "m1") if mode is Mode.MANAGED else (scene.there, NAMESPACE)
        await owner[0].delete(APPLICATIONS, owner[1], "web")
        assert any("is a copy of nothing" in line for line in scene.fleet.differences())
        await scene.create("web")
        await scene.create("web2")
        assert any("web2: has no copy" in line for line in scene.fleet.differences())
        assert any("the copy is of" in line for line in scene.fleet.differences())

    play(story, mode=mode)


def test_a_proof_that_never_moves_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """L4: a feed that says it is proven as of long ago, although all is at rest."""
    monkeypatch.setattr(Outlet, "consistent_as_of", lambda self: "1")
    report = run_plan(draw_plan(1, Options(agents=1, apps=3, seconds=30.0, faults=())))
    assert [line.partition(":")[0] for line in report.violations] == ["L4"] * 2


@pytest.mark.parametrize("again", [False, True])
def test_what_the_last_link_refused_is_not_asked_of_the_next(again: bool) -> None:
    """An answer comes when the principal has given the link up, and on the next link nothing is refused."""
    key = Key(Kind.APPLICATION, NAMESPACE, "web")
    record = messages.RecordMessage(1, Record(key, "u1", "d1", "5", b"{}"))
    refused = messages.Results((Result(1, Outcome.REJECTED, "no such thing"),))

    async def story(scene: Scene) -> None:
        await scene.create("web")
        await scene.agree()
        name, visible = scene.spoke.name, scene.monitors._visible
        visible.on_arrival(name, True, codec.encode(record))
        visible.on_event(PRINCIPAL, Event("link-down", name, "the link has ended"))
        visible.on_arrival(name, False, codec.encode(refused))
        if again:
            visible.on_event(name, Event("link-up", name, "connected"))
        for _ in range(30):
            scene.monitors.sample()
            await trio.sleep(1)
        assert any("I12" in line for line in scene.monitors.violations) is not again
        scene.monitors.violations.clear()

    play(story, mode=Mode.AUTONOMOUS)
