"""Races of deletions: what goes, what is pruned, and what must stay."""

from __future__ import annotations

from typing import Any, Final

import trio

from trio_argoagent.apiserver.core.values import LogEntry, Verb
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project, application, automated
from trio_argoagent.testing.argocd.names import FAMILY, Settings
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, PRINCIPAL

from ..helpers import Scene, exists, has_project, state
from .judging import Race

_HOOK: Final = "post-delete-finalizer.argocd.argoproj.io"


async def _synced(scene: Scene, **more: Any) -> None:
    await scene.create("web", **{"syncPolicy": automated(), **more})
    await scene.synced("web")


async def _restart(scene: Scene, program: str, seconds: float = 1.0) -> None:
    scene.fleet.crash(program)
    await trio.sleep(seconds)
    scene.fleet.start(program)


async def _finalizer_taken_off(scene: Scene) -> None:
    """A user takes the finalizer off, and deletes: the workload is to stay."""
    await _synced(scene)
    await scene.cut()
    await scene.change(scene.hub, "web", {"finalizers": []})
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await scene.heal()
    assert scene.on_spoke("web") is None and scene.deployed("web") == 2


async def _cascade_unseen(scene: Scene) -> None:
    """Argo CD's default delete adds the finalizer first: the copy has none yet when the cascade comes."""
    await _synced(scene, cascade=False)
    await argocd_server.delete(scene.argocd, "m1", "web")
    await scene.agree()
    assert scene.on_hub("web") is None and scene.deployed("web") == 0, "nothing was pruned"


async def _family_revived(scene: Scene) -> None:
    """A controller's stale list puts the finalizer back between the two writes of a burial."""
    await _synced(scene)
    revived: list[str] = []

    def watch(entry: LogEntry) -> None:
        stripped = (
            entry.new is not None and entry.actor == "agent" and not entry.new.metadata.get("finalizers")
        )
        if stripped and not revived:
            revived.append(entry.name)
            nursery.start_soon(revive)

    async def revive() -> None:
        await trio.sleep(1)  # The request to delete is on its way by now.
        await scene.change(scene.there, "web", {"finalizers": [FAMILY]})

    scene.fleet.clients["m1"].faults = Faults(slow=2.0)
    async with trio.open_nursery() as nursery:
        scene.spoke.server.subscribe(watch)
        await scene.change(scene.hub, "web", {"labels": {names.IGNORE_SYNC: "true"}})
        await scene.until(lambda: bool(revived) and scene.on_spoke("web") is None)
        nursery.cancel_scope.cancel()
    assert revived and scene.deployed("web") == 2, "the workload was pruned"


async def _deleted_while_created(scene: Scene) -> None:
    """An Application is deleted with cascade while its copy is being created."""
    await scene.agree()
    scene.fleet.clients["m1"].faults = Faults(slow=4.0)
    await scene.create("web", syncPolicy=automated())
    await trio.sleep(2)
    await argocd_server.delete(scene.argocd, "m1", "web")
    await trio.sleep(60)
    scene.fleet.clients["m1"].faults = NONE
    await scene.agree()
    assert scene.deployed("web") == 0, "what was deployed meanwhile was not pruned"


async def _with_hooks(scene: Scene) -> None:
    """The hub's object carries the finalizer of a delete hook, which nobody on the hub would run."""
    await scene.create("web", syncPolicy=automated(), metadata={"finalizers": [FAMILY, _HOOK]})
    await scene.change(scene.hub, "web", {"finalizers": [FAMILY, _HOOK]})
    await scene.synced("web")
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await scene.until(lambda: scene.on_hub("web") is None)


async def _not_ours_alone(scene: Scene) -> None:
    """Somebody else's finalizer holds the hub's object: it counts as absent, and stays until he is done."""
    await _synced(scene, cascade=False)
    await scene.change(scene.hub, "web", {"finalizers": ["example.com/mine"]})
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await scene.until(lambda: scene.on_spoke("web") is None)
    await trio.sleep(5)
    hub = scene.on_hub("web")
    assert hub is not None and list(hub.finalizers) == ["example.com/mine"], "it was not ours to let go"
    await scene.change(scene.hub, "web", {"finalizers": None})
    await scene.until(lambda: scene.on_hub("web") is None)


async def _project_and_application(scene: Scene) -> None:
    """An Application and its AppProject are deleted together."""
    await scene.hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))
    await _synced(scene, project="team")
    await scene.cut()
    await argocd_server.delete(scene.argocd, "m1", "web")
    await scene.hub.delete(APP_PROJECTS, NAMESPACE, "team")
    await scene.heal()
    assert scene.on_spoke("web") is None and not has_project(scene, "team")
    assert scene.deployed("web") == 0


async def _project_with_finalizer(scene: Scene) -> None:
    """A hub's AppProject with Argo CD's finalizer is deleted while an Application of it still cascades."""
    project = app_project("team", namespace=NAMESPACE, **EVERYWHERE)
    project["metadata"]["finalizers"] = [FAMILY]
    await scene.hub.create(APP_PROJECTS, project)
    await _synced(scene, project="team")
    await scene.cut()
    await argocd_server.delete(scene.argocd, "m1", "web")
    await scene.hub.delete(APP_PROJECTS, NAMESPACE, "team")
    scene.fleet.crash(scene.spoke.controller)
    scene.fleet.network.heal("m1")
    await trio.sleep(20)
    held = scene.on_hub("web"), await scene.hub.list(APP_PROJECTS, NAMESPACE)
    assert held[0] is not None and any(item.meta.name == "team" for item in held[1].items)
    scene.fleet.start(scene.spoke.controller)
    await scene.agree()
    assert scene.deployed("web") == 0


async def _waiting_for_its_project(scene: Scene) -> None:
    """An Application comes before its AppProject, which comes before, and then after, the wait is over."""
    everywhere = app_project("team", namespace=NAMESPACE, **EVERYWHERE)
    for wait in (3.0, 15.0):
        await scene.create("web", project="team", syncPolicy=automated())
        await trio.sleep(wait)
        assert (scene.on_spoke("web") is None) is (wait < 10)
        await scene.hub.create(APP_PROJECTS, everywhere)
        began = trio.current_time()
        await scene.until(lambda: state(scene.on_hub("web")) == ("Synced", "Healthy"))
        assert trio.current_time() - began < 30
        await argocd_server.delete(scene.argocd, "m1", "web")
        await scene.until(lambda: scene.on_hub("web") is None)
        await scene.hub.delete(APP_PROJECTS, NAMESPACE, "team")
        await scene.until(lambda: not has_project(scene, "team"))


async def _slow_start(scene: Scene) -> None:
    """A principal starts, and its first list takes up to a minute; its agent is there before it."""
    await _synced(scene)
    before = scene.on_spoke("web")
    for _ in range(4):
        scene.fleet.clients[PRINCIPAL].faults = Faults(crawls=1.0)
        await _restart(scene, PRINCIPAL)
        await trio.sleep(90)
        scene.fleet.clients[PRINCIPAL].faults = NONE
        await scene.agree()
        after = scene.on_spoke("web")
        assert before is not None and after is not None and after.meta.uid == before.meta.uid


async def _recreated(scene: Scene) -> None:
    """One name, another object: a seen deletion makes a new copy, an unseen one of equal spec none."""
    await _synced(scene)
    first = scene.on_spoke("web")
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    await _replace(scene)
    scene.fleet.start(PRINCIPAL)
    await scene.agree()
    second = scene.on_spoke("web")
    await scene.cut()
    await _replace(scene)
    await scene.heal()
    third = scene.on_spoke("web")
    assert first is not None and second is not None and third is not None
    assert second.meta.uid == first.meta.uid, "a hub that was restored would make a fleet anew"
    assert third.meta.uid != second.meta.uid, "a user's deletion has left the old copy"
    assert not scene.spoke.world.prunes


async def _replace(scene: Scene) -> None:
    await scene.change(scene.hub, "web", {"finalizers": []})
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await scene.create("web", syncPolicy=automated())


async def _late_tombstone(scene: Scene) -> None:
    """A burial waits for the API server; meanwhile a user has put an object of his own in that place."""
    await _synced(scene, cascade=False)
    scene.fleet.clients["m1"].faults = Faults(refused=1.0, breaks=1.0, reads=1.0)
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await trio.sleep(3)
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
    await scene.there.create(APPLICATIONS, application("web", namespace=NAMESPACE, cascade=False))
    scene.spoke.server.compact(scene.spoke.server.rv)
    scene.fleet.clients["m1"].faults = Faults(refused=1.0)
    await trio.sleep(10)
    scene.fleet.clients["m1"].faults = NONE
    await trio.sleep(200)
    assert scene.on_spoke("web") is not None, "a user's own object was removed"


async def _slow_cascade(scene: Scene) -> None:
    """A cascade takes its time: the hub's object stays until the copy has gone."""
    await _synced(scene)
    scene.fleet.crash(scene.spoke.controller)
    await trio.sleep(1)
    await argocd_server.delete(scene.argocd, "m1", "web")
    await trio.sleep(20)
    assert scene.on_hub("web") is not None, "the hub's object was let go too early"
    scene.fleet.start(scene.spoke.controller)
    await scene.until(lambda: scene.on_hub("web") is None, timeout=300)
    assert scene.deployed("web") == 0


async def _cascade_meets_another(scene: Scene) -> None:
    """A cascade meets an object of the spoke's own, which has the name of what was deleted on the hub."""
    await scene.agree()
    await scene.cut()
    await scene.create("web")
    await argocd_server.delete(scene.argocd, "m1", "web")
    local = application("web", namespace=NAMESPACE, syncPolicy=automated())
    await scene.there.create(APPLICATIONS, local)
    await scene.until(lambda: scene.deployed("web") == 2)
    await scene.heal()
    assert scene.on_spoke("web") is not None and scene.deployed("web") == 2


async def _stays_while_deleting(scene: Scene) -> None:
    """A copy that a user has deleted is held by somebody's finalizer while it is wanted, and changed."""
    await _synced(scene, cascade=False)
    await scene.change(scene.there, "web", {"finalizers": ["example.com/mine"]})
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
    await scene.change(scene.hub, "web", {"finalizers": [FAMILY]})
    await trio.sleep(30)
    await scene.change(scene.there, "web", {"finalizers": None})
    await trio.sleep(60)
    copy = scene.on_spoke("web")
    assert copy is not None and not copy.deleting and FAMILY in copy.finalizers
    await scene.synced("web")


async def _mirror_deleted(scene: Scene) -> None:
    """A mirror is deleted with Argo CD's default delete, which adds a finalizer: it is back at once."""
    await _synced(scene)
    before = scene.on_hub("web")
    for online in (True, False):
        if not online:
            await scene.cut()
        await argocd_server.delete(scene.argocd, "a1", "web")
        await trio.sleep(10)
        mirror = scene.on_hub("web")
        assert mirror is not None and not mirror.deleting, "the mirror is gone, or hangs"
        assert before is not None and mirror.meta.uid != before.meta.uid
    await scene.heal()
    assert not scene.spoke.world.prunes


async def _name_taken(scene: Scene) -> None:
    """The hub has an object of its own where a mirror would go."""
    await scene.hub.create(APPLICATIONS, application("web", "helm-guestbook", namespace="a1"))
    before = scene.on_hub("web")
    await scene.create("web")
    await trio.sleep(30)
    after = scene.on_hub("web")
    assert before is not None and after is not None and after.get("spec") == before.get("spec")
    assert after.meta.uid == before.meta.uid and names.SOURCE_UID not in after.annotations
    await scene.hub.patch(APPLICATIONS, "a1", "web", MergePatch({"metadata": {"finalizers": None}}))
    await scene.hub.delete(APPLICATIONS, "a1", "web")


async def _deleted_while_down(scene: Scene) -> None:
    """An Application is deleted while nobody is there to see it."""
    await _synced(scene, cascade=False)
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    scene.fleet.start(PRINCIPAL)
    await scene.until(lambda: scene.on_spoke("web") is None, 60)


async def _deleted_behind_an_edit(scene: Scene) -> None:
    """A cascade comes while an edit is still being written: the answer to that is none to this."""
    await _synced(scene)
    scene.fleet.clients["m1"].faults = Faults(slow=4.0)
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await trio.sleep(2)
    await argocd_server.delete(scene.argocd, "m1", "web")
    await trio.sleep(60)


async def _deleted_while_unserved(scene: Scene) -> None:
    """A cascade comes while the spoke serves no Applications: none is not the same as gone."""
    await _synced(scene)
    scene.fleet.clients["m1"].faults = Faults(unserved=1.0)
    await argocd_server.delete(scene.argocd, "m1", "web")
    await trio.sleep(10)
    assert scene.on_hub("web") is not None
    scene.fleet.clients["m1"].faults = NONE
    await scene.until(lambda: scene.on_hub("web") is None)
    assert scene.deployed("web") == 0


async def _never_reconciled(scene: Scene) -> None:
    """A sync reaches a copy that its Argo CD has not come to look at yet: it runs all the same."""
    await scene.agree()
    await scene.create("web", cascade=False)
    await scene.until(lambda: scene.on_spoke("web") is not None)
    await argocd_server.sync(scene.argocd, "m1", "web")
    await scene.until(lambda: bool(scene.spoke.world.attempts), 10)


async def _project_of_the_hub(scene: Scene) -> None:
    """An AppProject that an Application of the hub itself needs is deleted: it stays until that goes."""
    project = app_project("team", namespace=NAMESPACE, **EVERYWHERE)
    project["metadata"]["finalizers"] = [FAMILY]
    await scene.hub.create(APP_PROJECTS, project)
    own = application("own", namespace=NAMESPACE, project="team", cascade=False)
    await scene.hub.create(APPLICATIONS, own)
    await scene.agree()
    await scene.hub.delete(APP_PROJECTS, NAMESPACE, "team")
    await trio.sleep(20)
    assert exists(scene.fleet.hub, APP_PROJECTS, NAMESPACE, "team"), "the hub's own Application has lost it"
    await scene.hub.delete(APPLICATIONS, NAMESPACE, "own")
    await scene.until(lambda: not exists(scene.fleet.hub, APP_PROJECTS, NAMESPACE, "team"))


async def _recreated_unseen(scene: Scene) -> None:
    """An Application is replaced while the watch is broken, and only the next list tells: no new copy."""
    await _synced(scene)
    before = scene.on_spoke("web")
    scene.fleet.clients[PRINCIPAL].faults = Faults(stalls=1.0, breaks=1.0, reads=1.0)
    await scene.change(scene.hub, "web", {"finalizers": []})
    await trio.sleep(6)
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await scene.create("web", syncPolicy=automated())
    scene.fleet.hub.compact(scene.fleet.hub.rv)
    await trio.sleep(20)
    scene.fleet.clients[PRINCIPAL].faults = NONE
    await scene.agree()
    after = scene.on_spoke("web")
    assert before is not None and after is not None and after.meta.uid == before.meta.uid


async def _created_after_its_deletion(scene: Scene) -> None:
    """Applications wait for their project when the link ends, and are deleted before the next link."""
    names_of = [f"web{number}" for number in range(4)]
    for name in names_of:
        await scene.create(name, cascade=False, project="team")
        await trio.sleep(0.3)
    await scene.cut()
    for name in names_of:
        await scene.hub.delete(APPLICATIONS, "m1", name)
    await scene.heal()
    await trio.sleep(30)
    log = scene.spoke.server.log
    assert not [e for e in log if e.verb is Verb.CREATE and e.actor == "agent" and e.name in names_of]


DELETING: Final = (
    Race("finalizer-taken-off", _finalizer_taken_off),
    Race("cascade-unseen", _cascade_unseen),
    Race("family-revived", _family_revived),
    Race("deleted-while-created", _deleted_while_created),
    Race("with-hooks", _with_hooks),
    Race("not-ours-alone", _not_ours_alone),
    Race("project-and-application", _project_and_application),
    Race("project-with-finalizer", _project_with_finalizer),
    Race("waiting-for-its-project", _waiting_for_its_project),
    Race("slow-start", _slow_start),
    Race("recreated", _recreated),
    Race("late-tombstone", _late_tombstone),
    Race("slow-cascade", _slow_cascade),
    Race("cascade-meets-another", _cascade_meets_another),
    Race("stays-while-deleting", _stays_while_deleting),
    Race("mirror-deleted", _mirror_deleted, Mode.AUTONOMOUS),
    Race("name-taken", _name_taken, Mode.AUTONOMOUS),
    Race("deleted-while-down", _deleted_while_down),
    Race("deleted-behind-an-edit", _deleted_behind_an_edit),
    Race("deleted-while-unserved", _deleted_while_unserved),
    Race("never-reconciled", _never_reconciled, settings=Settings(think=30.0)),
    Race("project-of-the-hub", _project_of_the_hub),
    Race("recreated-unseen", _recreated_unseen),
    Race("created-after-its-deletion", _created_after_its_deletion),
)
