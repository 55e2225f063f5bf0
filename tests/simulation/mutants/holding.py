"""Races of what is held: copies and statuses, and who else writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio
import trio.lowlevel

from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.names import FAMILY, Settings
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, PRINCIPAL

from ..helpers import Scene, operation_state
from .judging import Race

_LOCAL: Final = {"initiatedBy": {"username": "local"}, "sync": {"revision": "HEAD"}}
_SLOW: Final = Faults(slow=1.0)


def _ran(scene: Scene, count: int) -> Callable[[], bool]:
    """Have that many attempts begun and ended?"""
    return lambda: len(scene.spoke.world.attempts) == count


async def _plain(scene: Scene) -> None:
    await scene.create("web", cascade=False)
    await scene.agree()


async def _replaced_while_it_ends(scene: Scene) -> None:
    """A running sync ends; while the hub is being told, somebody puts a new request in its place."""
    await _plain(scene)
    scene.fleet.clients[PRINCIPAL].faults = Faults(slow=2.0)
    attempts = scene.spoke.world.attempts
    for number in range(6):
        done = len(attempts)
        await argocd_server.sync(scene.argocd, "m1", "web")
        await scene.until(_ran(scene, done + 2))
        await trio.sleep(0.7 * number)
        await scene.hub.patch(APPLICATIONS, "m1", "web", MergePatch({"operation": _LOCAL}))
        await scene.until(_ran(scene, done + 4), 60)
        await trio.sleep(20)


async def _copy_stolen_while_running(scene: Scene) -> None:
    """The copy goes while a sync of the hub runs on it: what is mirrored is not started once more."""
    await _plain(scene)
    await argocd_server.sync(scene.argocd, "m1", "web")
    await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Running")
    await trio.sleep(3)
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
    await trio.sleep(60)
    begun = [each for each in scene.spoke.world.attempts if each.phase == "Running"]
    assert len(begun) == 1, "one request has run twice"


async def _label_in_between(scene: Scene) -> None:
    """Somebody labels the copy while a new value is on its way to it."""
    await _plain(scene)
    scene.fleet.clients["m1"].faults = _SLOW
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await trio.sleep(0.6)
    await scene.change(scene.there, "web", {"labels": {"local": "x"}, "finalizers": ["example.com/mine"]})
    await trio.sleep(10)
    copy = scene.on_spoke("web")
    assert copy is not None and not copy.labels and list(copy.finalizers) == ["example.com/mine"]
    await scene.change(scene.there, "web", {"finalizers": None})


async def _finalizer_in_between(scene: Scene) -> None:
    """Somebody adds a finalizer of his own to the copy while ours is on its way to it."""
    await _plain(scene)
    scene.fleet.clients["m1"].faults = _SLOW
    await scene.change(scene.hub, "web", {"finalizers": [FAMILY]})
    await trio.sleep(0.6)
    await scene.change(scene.there, "web", {"finalizers": ["example.com/mine"]})
    await trio.sleep(10)
    copy = scene.on_spoke("web")
    assert copy is not None and set(copy.finalizers) == {"example.com/mine", FAMILY}
    await scene.change(scene.hub, "web", {"finalizers": None})
    await trio.sleep(10)
    copy = scene.on_spoke("web")
    assert copy is not None and list(copy.finalizers) == ["example.com/mine"]
    await scene.change(scene.there, "web", {"finalizers": None})


async def _late_write(scene: Scene) -> None:
    """A write that was given up lands after a newer value has been written."""
    await _plain(scene)
    for number in range(6):
        scene.fleet.clients["m1"].faults = Faults(late=1.0)
        await scene.edit("web", {"source": {"targetRevision": f"old{number}"}})
        await trio.sleep(0.5)
        scene.fleet.clients["m1"].faults = NONE
        await scene.edit("web", {"source": {"targetRevision": f"new{number}"}})
        await trio.sleep(12)


async def _rewritten_by_argocd(scene: Scene) -> None:
    """A spec in a form that Argo CD rewrites: nobody has to write it twice."""
    await scene.create("web", cascade=False, project="", syncPolicy={})
    await trio.sleep(20)
    await scene.agree()
    written = [e for e in scene.spoke.server.log if (e.actor, e.name) == ("agent", "web")]
    assert len(written) == 1, "the copy was fought over"


async def _operation_alone(scene: Scene) -> None:
    """Only ``.operation`` changes on the spoke: the hub shows it."""
    await _plain(scene)
    scene.fleet.crash(scene.spoke.controller)
    await trio.sleep(1)
    await scene.there.patch(APPLICATIONS, NAMESPACE, "web", MergePatch({"operation": _LOCAL}))
    await scene.until(
        lambda: (app := scene.on_hub("web")) is not None and app.get("operation") is not None, 20
    )
    scene.fleet.start(scene.spoke.controller)
    await trio.sleep(5)


async def _drift(scene: Scene) -> None:
    """Copies are put back while the link is down, also by a process that did not make them."""
    await _plain(scene)
    await scene.cut()
    for restart in (False, True):
        if restart:
            scene.fleet.crash("m1")
            await trio.sleep(1)
            scene.fleet.start("m1")
            await trio.sleep(5)
        await scene.change(scene.there, "web", {"labels": {"made": "here"}})
        await scene.until(lambda: (app := scene.on_spoke("web")) is not None and not app.labels, 10)
        await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
        await scene.until(lambda: scene.on_spoke("web") is not None, 10)


async def _contested(scene: Scene) -> None:
    """Another controller wants the copy otherwise, for ten minutes: we do not fight for ever, nor give up."""
    await _plain(scene)
    log = scene.spoke.server.log
    before = sum(entry.actor == "agent" for entry in log)
    with trio.move_on_after(600):
        while True:
            copy = scene.on_spoke("web")
            if copy is not None and not copy.labels:
                await scene.change(scene.there, "web", {"labels": {"rival": "x"}})
            await trio.sleep(1)
    writes = sum(entry.actor == "agent" for entry in log) - before
    assert 5 < writes < 30, f"{writes} writes against a rival"
    await trio.sleep(400)
    copy = scene.on_spoke("web")
    assert copy is not None and not copy.labels, "the copy stays as the rival left it"


async def _time_stamps(scene: Scene) -> None:
    """Mere time stamps travel once a minute; when a sync has just ended, at once."""
    await _plain(scene)
    await argocd_server.cli_sync(scene.argocd, "m1", "web")
    ended = operation_state(scene.on_hub("web"))["finishedAt"]
    await trio.sleep(8)
    hub = scene.on_hub("web")
    assert hub is not None and hub.get("status")["reconciledAt"] > ended, "nobody has seen it reconciled"
    await trio.sleep(60)
    before = scene.records
    await trio.sleep(240)
    assert scene.records - before <= 6, "time stamps travel each time"


async def _refreshed_once(scene: Scene) -> None:
    """The answer to a refresh is lost with its link: it is not done again on the next one."""
    await _plain(scene)
    scene.fleet.network.half_open("m1", up=True, down=False)
    await argocd_server.refresh(scene.argocd, "m1", "web", env=scene.fleet.env, wait=False)
    await trio.sleep(120)
    asked = [
        entry for entry in scene.spoke.server.log
        if entry.actor == "agent" and entry.new is not None
        and names.REFRESH in (entry.new.metadata.get("annotations") or {})
    ]  # fmt: skip
    assert len(asked) == 1, f"the refresh was done {len(asked)} times"


async def _terminated_while_cut(scene: Scene) -> None:
    """A terminate that was set while the link was down is not cleared by the next status."""
    await _plain(scene)
    await argocd_server.sync(scene.argocd, "m1", "web")
    await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Running")
    await scene.cut()
    await argocd_server.terminate(scene.argocd, "m1", "web")
    await scene.there.patch(
        APPLICATIONS, NAMESPACE, "web", MergePatch({"status": {"operationState": {"message": "on its way"}}})
    )
    scene.fleet.clients["m1"].faults = Faults(refused=1.0)
    scene.fleet.network.heal("m1")
    await trio.sleep(20)
    scene.fleet.clients["m1"].faults = NONE
    await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Failed", 60)


async def _asked_of_a_slow_spoke(scene: Scene) -> None:
    """A sync that waits is not answered by the state of an earlier one."""
    await _plain(scene)
    await argocd_server.cli_sync(scene.argocd, "m1", "web")
    await scene.agree()
    earlier = operation_state(scene.on_hub("web"))["startedAt"]
    scene.fleet.clients["m1"].faults = Faults(slow=5.0)
    await argocd_server.sync(scene.argocd, "m1", "web")
    scene.spoke.world.degrade("Deployment", "web", "guestbook-ui")
    await trio.sleep(4)
    assert not operation_state(scene.on_hub("web")), "an earlier state is shown as the answer"
    scene.fleet.clients["m1"].faults = NONE
    await scene.until(lambda: operation_state(scene.on_hub("web")).get("startedAt", "") > earlier)


async def _labels_go(scene: Scene) -> None:
    """What the owner takes away goes from the copy; annotations of the spoke's own stay."""
    await scene.create("web", cascade=False, metadata={"labels": {"a": "1"}, "annotations": {"x/y": "1"}})
    await scene.agree()
    await scene.change(scene.there, "web", {"annotations": {names.LAST_APPLIED: "{}"}})
    await trio.sleep(2)
    await scene.change(scene.hub, "web", {"labels": {"a": None, "b": "2"}, "annotations": {"x/y": None}})
    await scene.agree()
    copy = scene.on_spoke("web")
    assert copy is not None and dict(copy.labels) == {"b": "2"} and "x/y" not in copy.annotations
    assert names.LAST_APPLIED in copy.annotations, "an annotation of the spoke's own is gone"


async def _overwritten_while_waiting(scene: Scene) -> None:
    """An Application that waits for its project is changed: the newest value comes, in time."""
    await scene.agree()
    await scene.create("web", cascade=False, project="team")
    await trio.sleep(3)
    await scene.edit("web", {"project": "default"})
    await scene.until(lambda: scene.on_spoke("web") is not None, 5)
    await scene.create("other", cascade=False, project="team")
    with trio.move_on_after(12):
        while True:
            await scene.edit("other", {"source": {"targetRevision": f"v{trio.current_time()}"}})
            await trio.sleep(1)
    assert scene.on_spoke("other") is not None, "its wait begins anew with each change"
    await scene.hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))


def _revision(scene: Scene, name: str) -> str:
    app = scene.on_spoke(name)
    return str(app.get("spec")["source"]["targetRevision"]) if app is not None else ""


HOLDING: Final = (
    Race("replaced-while-it-ends", _replaced_while_it_ends),
    Race("copy-stolen-while-running", _copy_stolen_while_running, settings=Settings(operation=30.0)),
    Race("label-in-between", _label_in_between),
    Race("finalizer-in-between", _finalizer_in_between),
    Race("late-write", _late_write),
    Race("rewritten-by-argocd", _rewritten_by_argocd),
    Race("operation-alone", _operation_alone),
    Race("drift", _drift),
    Race("contested", _contested),
    Race("time-stamps", _time_stamps, settings=Settings(resync=5.0, resync_jitter=0.0)),
    Race("refreshed-once", _refreshed_once),
    Race("terminated-while-cut", _terminated_while_cut, settings=Settings(operation=600.0)),
    Race("asked-of-a-slow-spoke", _asked_of_a_slow_spoke),
    Race("labels-go", _labels_go),
    Race("overwritten-while-waiting", _overwritten_while_waiting),
)
