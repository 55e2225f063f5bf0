"""Races of requests: a sync, a refresh or a terminate meets what runs, ends, or is lost at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import trio
import trio.lowlevel

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names, operations
from trio_argoagent.sync.operations import Origin
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.names import Dialect, Settings
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL

from ..helpers import Scene, operation_state, restrict, state
from .judging import Race

_HALF_A_MINUTE: Final = Settings(operation=30.0)
_FOR_EVER: Final = Settings(operation=5000.0)
_LOCAL: Final = {"initiatedBy": {"username": "local"}, "sync": {"revision": "HEAD"}}


async def _on_spoke(scene: Scene, change: Mapping[str, Any]) -> None:
    await scene.there.patch(APPLICATIONS, NAMESPACE, "web", MergePatch(change))


async def _on_hub(scene: Scene, change: Mapping[str, Any]) -> None:
    await scene.hub.patch(APPLICATIONS, scene.spoke.name, "web", MergePatch(change))


async def _running(scene: Scene) -> None:
    """An operation that a user has started on the hub runs, and the hub shows it."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Running")


def _ends(scene: Scene) -> list[tuple[str, str]]:
    """How each operation ended, and who had started it."""
    attempts = scene.spoke.world.attempts
    ended = [each for each in attempts if each.phase != "Running"]
    return [(each.phase, (each.operation.get("initiatedBy") or {}).get("username", "")) for each in ended]


def _ended(scene: Scene, count: int) -> bool:
    return len(_ends(scene)) == count


async def _answer_lost(scene: Scene) -> None:
    """A sync is started, and a refresh done, but their answers are lost with the link."""
    await scene.create("web", cascade=False)
    await scene.agree()
    scene.fleet.network.half_open(scene.spoke.name, up=True, down=False)
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(3)
    await argocd_server.refresh(
        scene.argocd, scene.spoke.name, "web", env=scene.fleet.env, wait=False, dialect=Dialect.V35
    )
    await trio.sleep(120)
    assert _ends(scene) == [("Succeeded", "admin")], _ends(scene)


async def _applied_before_an_older_status(scene: Scene) -> None:
    """A status from before the start is still being written when the start is answered."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
    await scene.synced("web")
    for number in range(4):
        before = operation_state(scene.on_hub("web"))["startedAt"]
        scene.fleet.clients[PRINCIPAL].faults = Faults(slow=1.0)
        scene.fleet.clients[scene.spoke.name].faults = Faults(stalls=1.0, stall=8.0)
        scene.spoke.world.degrade("Deployment", "web", "guestbook-ui", number % 2 == 0)
        await trio.sleep(1 + number)
        found = await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
        assert found["startedAt"] > before, "the state of an earlier operation was shown as the answer"
        scene.fleet.set_faults(NONE)
        await scene.agree()


async def _another_request_around_our_entry(scene: Scene) -> None:
    """Somebody changes what a request asks for, and leaves our entry in it, as a progressive sync does."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
    await scene.cut()
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(1)
    hub = scene.on_hub("web")
    assert hub is not None
    first = hub.get("operation")
    await scene.heal()
    again = first | {"sync": first["sync"] | {"prune": True}}
    await _on_hub(scene, {"operation": again, "status": {"operationState": None}})
    await trio.sleep(30)
    assert len(_ends(scene)) == 3, "the new request was taken for the old one"


async def _terminate_after_its_end(scene: Scene) -> None:
    """What was to be terminated has ended meanwhile, and something else runs."""
    await _running(scene)
    await scene.cut()
    await trio.sleep(35)
    await _on_spoke(scene, {"operation": _LOCAL, "status": {"operationState": None}})
    await argocd_server.terminate(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(5)
    await scene.heal()
    await trio.sleep(60)
    assert _ends(scene) == [("Succeeded", "admin"), ("Succeeded", "local")], _ends(scene)


async def _abandoned(scene: Scene) -> None:
    """Somebody removes a running operation on the spoke; later a sync is asked for."""
    await _running(scene)
    await _on_spoke(scene, {"operation": None})
    await scene.cut()
    await _on_hub(scene, {"operation": _LOCAL, "status": {"operationState": None}})
    await trio.sleep(1)
    scene.fleet.network.heal(scene.spoke.name)
    await scene.until(lambda: ("Succeeded", "local") in _ends(scene), timeout=180)


async def _rejected(scene: Scene) -> None:
    """The spoke cannot run what is asked for, and says why; a user sees that until something newer runs."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
    await scene.agree()
    path = ("operation", "initiatedBy", "username")
    await restrict(scene.fleet.spoke_as("m1", "installer"), path, ("nobody",))
    operation = {"initiatedBy": {"username": "admin"}, "sync": {"revision": "HEAD"}}
    await _on_hub(scene, {"operation": operation, "status": {"operationState": None}})
    await trio.sleep(10)
    told = operation_state(scene.on_hub("web"))
    assert told.get("phase") == "Error" and "username" in told.get("message", ""), told.get("phase")
    scene.spoke.world.degrade("Deployment", "web", "guestbook-ui")
    await scene.until(lambda: state(scene.on_hub("web"))[1] == "Degraded")
    assert operation_state(scene.on_hub("web")).get("phase") == "Error", "the answer did not stay"


async def _refreshed_twice(scene: Scene) -> None:
    """Each refresh shows what is in Git by then, however the spoke's watch lags."""
    await _refreshed(scene, Faults(stalls=1.0, stall=4.0))


async def _refreshed_unanswered(scene: Scene) -> None:
    """Likewise where the agent sees its own request before it knows that it has made it."""
    await _refreshed(scene, Faults(unanswered=1.0))


def _refreshes(app: Object | None) -> bool:
    return app is not None and names.REFRESH in app.annotations


async def _refreshed_unseen(scene: Scene) -> None:
    """It is worked off before the agent's watch shows it, and leaves everything as it was."""
    await scene.create("web", cascade=False)
    await scene.agree()
    scene.fleet.crash(scene.spoke.controller)
    scene.fleet.clients[scene.spoke.name].faults = Faults(stalls=1.0, stall=20.0, conflates=1.0)
    await _on_hub(scene, {"metadata": {"annotations": {names.REFRESH: "normal"}}})
    await scene.until(lambda: _refreshes(scene.on_spoke("web")))
    await trio.sleep(5)
    await _on_spoke(scene, {"metadata": {"annotations": {names.REFRESH: None}}})
    await trio.sleep(40)
    assert not _refreshes(scene.on_hub("web")), "a refresh that has ended stands on the hub"


async def _refreshed(scene: Scene, faults: Faults) -> None:
    created = await scene.create("web", cascade=False)
    await scene.agree()
    await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
    await scene.synced("web")
    url = created.get("spec")["source"]["repoURL"]
    for _ in range(2):
        scene.spoke.world.git = scene.spoke.world.git.push(url, "guestbook")
        scene.fleet.clients[scene.spoke.name].faults = faults
        with trio.fail_after(60):
            app = await argocd_server.refresh(
                scene.argocd, scene.spoke.name, "web", env=scene.fleet.env, dialect=Dialect.V35
            )
        scene.fleet.clients[scene.spoke.name].faults = NONE
        assert state(app)[0] == "OutOfSync", "the refresh was answered by a status from before it"
        await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
        await scene.agree()


async def _started_once_each(scene: Scene) -> None:
    """The spoke runs something of its own that its agent has not been told of yet."""
    await scene.create("web", cascade=False)
    await scene.agree()
    scene.fleet.clients[scene.spoke.name].faults = Faults(stalls=1.0, stall=20.0)
    await _on_spoke(scene, {"operation": _LOCAL})
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(25)
    scene.fleet.clients[scene.spoke.name].faults = NONE
    await scene.until(lambda: len(_ends(scene)) == 2, timeout=240)
    assert _ends(scene) == [("Succeeded", "local"), ("Succeeded", "admin")], _ends(scene)


async def _replaced_while_stamped(scene: Scene) -> None:
    """A request is replaced while the principal stamps it."""
    await scene.create("web", cascade=False)
    await scene.agree()
    scene.fleet.clients[PRINCIPAL].faults = Faults(slow=1.0)
    await _on_hub(scene, {"operation": _LOCAL})
    await trio.sleep(0.7)
    await _on_hub(scene, {"operation": {"initiatedBy": {"username": "other"}}})
    await trio.sleep(60)


async def _terminate_behind_a_sync(scene: Scene) -> None:
    """What runs would never end; a sync waits for it, and a user terminates it."""
    await _running(scene)
    await scene.cut()
    await _on_hub(scene, {"operation": _LOCAL})
    await argocd_server.terminate(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(1)
    scene.fleet.network.heal(scene.spoke.name)
    await scene.until(lambda: _ends(scene)[:1] == [("Failed", "admin")])
    await trio.sleep(5)
    await argocd_server.terminate(scene.there, NAMESPACE, "web")


async def _withdrawn(scene: Scene) -> None:
    """A user takes a sync back while it waits for what runs on the spoke."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await scene.cut()
    await _on_spoke(scene, {"operation": _LOCAL})
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(1)
    scene.fleet.network.heal(scene.spoke.name)
    await trio.sleep(10)
    await _on_hub(scene, {"operation": None})
    await trio.sleep(60)
    assert _ends(scene) == [("Succeeded", "local")], "what was taken back has run"


async def _copy_lost_with_its_memory(scene: Scene) -> None:
    """The copy on which a sync was started goes before anybody was told."""
    await scene.create("web", cascade=False)
    await scene.agree()
    scene.fleet.clients["m1"].faults = Faults(stalls=1.0, stall=30.0, breaks=1.0)
    await argocd_server.sync(scene.argocd, "m1", "web")
    await trio.sleep(5)
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
    scene.spoke.server.compact(scene.spoke.server.rv)
    await trio.sleep(40)
    scene.fleet.clients["m1"].faults = NONE
    await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Succeeded")


async def _entry_stripped(scene: Scene) -> None:
    """A request that waits is written again without our entry, as a progressive sync does."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await _on_hub(scene, {"operation": _LOCAL})
    await trio.sleep(0.5)
    await _on_hub(scene, {"operation": _LOCAL | {"info": None}})
    await trio.sleep(60)
    assert _ends(scene) == [("Succeeded", "local")], "one request has run more than once"


async def _deleting_meanwhile(scene: Scene) -> None:
    """A sync is asked for, and then the Application is deleted with cascade, while the link is down."""
    await scene.create("web")
    await scene.agree()
    await scene.cut()
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await argocd_server.delete(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(1)
    await scene.heal()
    assert not scene.monitors.intents, "a sync was started on what is on its way out"


async def _two_of_one_name(scene: Scene) -> None:
    """A request is for an object that is replaced while the spoke still has its predecessor."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await scene.change(scene.there, "web", {"finalizers": ["example.com/slow"]})
    await scene.cut()
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await scene.create("web", "helm-guestbook", cascade=False)
    await argocd_server.sync(scene.argocd, "m1", "web")
    scene.fleet.network.heal("m1")
    await trio.sleep(20)
    assert not scene.monitors.intents, "a sync was started on another object's copy"
    await scene.change(scene.there, "web", {"finalizers": None})
    await scene.until(lambda: _ends(scene) == [("Succeeded", "admin")])


async def _put_back_after_its_answer(scene: Scene) -> None:
    """Somebody puts a request back that has been answered, while the principal is away."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await argocd_server.cli_sync(scene.argocd, "m1", "web")
    await scene.agree()
    stamped = _stamped(scene)
    scene.fleet.crash(scene.spoke.controller)
    await trio.sleep(90)  # Until the last time stamps have travelled: nothing else is on its way up then.
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    await _on_hub(scene, {"operation": stamped})
    scene.fleet.start(PRINCIPAL)
    await scene.agree(40)
    assert _ends(scene) == [("Succeeded", "admin")], "an old request has run once more"


async def _terminated_too_late(scene: Scene) -> None:
    """What is to be terminated has ended, and the agent has not been told yet: it stays as it ended."""
    await _running(scene)
    scene.fleet.clients["m1"].faults = Faults(stalls=1.0, stall=40.0)
    await scene.until(lambda: len(_ends(scene)) == 1)
    await argocd_server.terminate(scene.argocd, "m1", "web")
    await trio.sleep(1)
    assert operation_state(scene.on_spoke("web")).get("phase") == "Succeeded"
    await trio.sleep(10)
    scene.fleet.clients["m1"].faults = NONE
    await scene.agree()
    assert operation_state(scene.on_spoke("web")).get("phase") == "Succeeded"


def _stamped(scene: Scene) -> Mapping[str, Any]:
    """The first request that the principal has stamped, with the entry of its intent."""
    found: Mapping[str, Any] = next(
        entry.new.value["operation"]
        for entry in scene.fleet.hub.log
        if entry.new is not None
        and entry.actor == PRINCIPAL
        and operations.classify(entry.new.value.get("operation")).origin is Origin.INTENT
    )
    return found


async def _terminate_what_is_leaving(scene: Scene) -> None:
    """An Application is deleted while an operation runs that would never end: terminating it lets both go."""
    await scene.create("web")
    await scene.agree()
    await argocd_server.sync(scene.argocd, "m1", "web")
    await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Running")
    await argocd_server.delete(scene.argocd, "m1", "web")
    await trio.sleep(5)
    await argocd_server.terminate(scene.argocd, "m1", "web")
    await scene.until(lambda: scene.on_hub("web") is None)


async def _asked_as_shown(scene: Scene) -> None:
    """A user asks for what the last operation was, as its state shows it: that is a new request."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await argocd_server.cli_sync(scene.argocd, "m1", "web")
    await scene.agree()
    shown = operation_state(scene.on_hub("web"))["operation"]
    await _on_hub(scene, {"operation": shown, "status": {"operationState": None}})
    await trio.sleep(20)
    assert len(_ends(scene)) == 2, "it was taken for the old request"


async def _asked_while_away(scene: Scene) -> None:
    """A request waits to be stamped while no writes are taken; the first that is taken is a status."""
    await scene.create("web", cascade=False)
    await scene.agree()
    await argocd_server.cli_sync(scene.argocd, "m1", "web")
    await scene.synced("web")
    for number in range(4):
        scene.fleet.clients[PRINCIPAL].faults = Faults(refused=1.0)
        await argocd_server.sync(scene.argocd, "m1", "web")
        await trio.sleep(3 + 0.3 * number)
        scene.fleet.clients[PRINCIPAL].faults = NONE
        scene.spoke.world.degrade("Deployment", "web", "guestbook-ui", number % 2 == 0)
        await scene.until(partial(_ended, scene, number + 2), 60)
        await scene.agree()


ASKING: Final = (
    Race("answer-lost", _answer_lost),
    Race("applied-before-an-older-status", _applied_before_an_older_status),
    Race("another-request-around-our-entry", _another_request_around_our_entry),
    Race("terminate-after-its-end", _terminate_after_its_end, settings=_HALF_A_MINUTE),
    Race("abandoned", _abandoned, settings=_HALF_A_MINUTE),
    Race("rejected", _rejected),
    Race("refreshed-twice", _refreshed_twice, settings=Settings(think=0.5)),
    Race("refreshed-unseen", _refreshed_unseen),
    Race("refreshed-unanswered", _refreshed_unanswered, settings=Settings(think=5.0)),
    Race("started-once-each", _started_once_each, settings=_HALF_A_MINUTE),
    Race("put-back-after-its-answer", _put_back_after_its_answer),
    Race("terminated-too-late", _terminated_too_late, settings=Settings(operation=10.0)),
    Race("terminate-what-is-leaving", _terminate_what_is_leaving, settings=_FOR_EVER),
    Race("asked-as-shown", _asked_as_shown),
    Race("asked-while-away", _asked_while_away),
    Race("replaced-while-stamped", _replaced_while_stamped),
    Race("terminate-behind-a-sync", _terminate_behind_a_sync, settings=_FOR_EVER),
    Race("withdrawn", _withdrawn, settings=_HALF_A_MINUTE),
    Race("copy-lost-with-its-memory", _copy_lost_with_its_memory),
    Race("entry-stripped", _entry_stripped, settings=_HALF_A_MINUTE),
    Race("deleting-meanwhile", _deleting_meanwhile),
    Race("two-of-one-name", _two_of_one_name),
)
