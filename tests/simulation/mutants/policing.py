"""What is taken over, put back, kept or left alone: rules about objects that stand there already."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import trio

from trio_argoagent.apiserver.core.values import Verb
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, CONFIG_MAPS
from trio_argoagent.principal.program import IDENTITY
from trio_argoagent.sync import conditions, policy
from trio_argoagent.sync.policy import Adoption, Local, Mismatch, Policies
from trio_argoagent.sync.replica import CONTEST_BACKOFF, MAX_REVERTS
from trio_argoagent.sync.source import REFUSED_RETRY
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, PRINCIPAL

from ..helpers import Scene, bulky, bulky_edit, operation_state, restrict
from .judging import Race
from .mutant import Mutant, mutant
from .rewriting import Rewrite

POLICED: Final[tuple[Mutant, ...]] = (
    mutant(
        "never-is-always",
        "what is there already is adopted, whatever the policy says",
        Rewrite(
            "sync.plan:_may_adopt",
            "policy.adoption(place.policies, live.annotations) is policy.Adoption.ALWAYS",
            "True",
        ),
    ),
    mutant(
        "projects-are-recreated",
        "the copy of an AppProject that was made anew on the hub goes first, like an Application's",
        Rewrite("sync.plan:_is_foreign", "place.row.in_place", "False"),
    ),
    mutant(
        "moves-are-recreations",
        "another principal's copies go first",
        Rewrite(
            "sync.plan:_is_foreign",
            'place.principal_uid and live.annotations.get(names.PRINCIPAL_UID, "") != place.principal_uid',
            "False",
        ),
    ),
    mutant(
        "upsert-recreates",
        "the policy upsert is not looked at",
        Rewrite(
            "sync.plan:_is_foreign",
            'policy.mismatch(place.policies, body["annotations"]) is policy.Mismatch.UPSERT',
            "False",
        ),
    ),
    mutant(
        "local-keys-are-reverted",
        "annotations that belong to the cluster are put back like all others",
        Rewrite("sync.policy:Local.shared_annotations", "not _matches(k, self.annotations)", "True"),
    ),
    mutant(
        "what-is-guarded-is-not-buried",
        "a source sends no tombstone for what a replica does not hold but will put back",
        Rewrite("sync.source:Source._settled", "not entry.guarded", "True"),
    ),
    mutant(
        "unreadable-is-absent",
        "an object that cannot be read is taken for one that is not there",
        Rewrite("sync.wants:is_hidden", "bool(obj.unreadable)", "False"),
    ),
    mutant(
        "refused-for-good",
        "what was refused is not offered again",
        Rewrite("sync.source:Source._verdict", "again = want is None or want.listed", "again = False"),
    ),
    mutant(
        "unfinished-state-comes-back",
        "a copy that was deleted amid an operation comes back with it",
        Rewrite("sync.policy:put_back", "recreation is not Recreation.IGNORE or not ended", "False"),
    ),
    mutant(
        "intent-is-lost-with-its-copy",
        "a copy that comes back with its status does not tell which sync it was",
        Rewrite("sync.policy:put_back", "names.INTENT in lost.annotations", "False"),
    ),
)  # fmt: skip


async def _plain(scene: Scene, **more: Any) -> Object:
    await scene.create("web", cascade=False, **more)
    await scene.agree()
    copy = scene.on_spoke("web")
    assert copy is not None
    return copy


async def _not_adopted(scene: Scene) -> None:
    """A spoke's own Application has the name of the hub's: it is left alone until it goes."""
    elsewhere = {"source": {"repoURL": "https://example.com/x", "path": ".", "targetRevision": "v9"}}
    await scene.there.create(
        APPLICATIONS, application("web", namespace=NAMESPACE, cascade=False, **elsewhere)
    )
    await scene.create("web", cascade=False)
    await trio.sleep(20)
    hub = scene.on_hub("web")
    assert hub is not None and policy.NOT_ADOPTED in conditions.said(hub.get("status") or {})
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")


async def _project_made_anew(scene: Scene) -> None:
    """The default project is deleted and made anew on the hub, and looks otherwise."""
    await _plain(scene)

    def uid() -> str:
        return oracle.objects(scene.spoke.server, APP_PROJECTS, NAMESPACE)["default"].meta.uid

    before = uid()
    await scene.cut()
    await scene.hub.delete(APP_PROJECTS, NAMESPACE, "default")
    await scene.hub.create(APP_PROJECTS, app_project(namespace=NAMESPACE, description="x", **EVERYWHERE))
    await scene.heal()
    assert uid() == before, "every Application was without its project for a moment"


async def _another_principal(scene: Scene) -> None:
    """A hub that was built anew, with other uids and another identity, takes the fleet over."""
    before = await _plain(scene)
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    await scene.hub.delete(CONFIG_MAPS, NAMESPACE, IDENTITY)
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await scene.create("web", "kustomize-guestbook", cascade=False)
    scene.fleet.start(PRINCIPAL)
    await scene.agree()
    after = scene.on_spoke("web")
    assert after is not None and after.meta.uid == before.meta.uid, "a fleet was made anew"


async def _upserted(scene: Scene) -> None:
    """An Application is deleted and made anew, and looks otherwise."""
    before = await _plain(scene)
    await scene.cut()
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await scene.create("web", "kustomize-guestbook", cascade=False)
    await scene.heal()
    after = scene.on_spoke("web")
    assert after is not None and after.meta.uid == before.meta.uid


async def _notes(scene: Scene) -> None:
    """Somebody keeps notes on a copy, and the hub's has a like one."""
    await _plain(scene, metadata={"annotations": {"notes/b": "hub's"}})
    await scene.change(scene.there, "web", {"annotations": {"notes/a": "1"}})
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await scene.agree()
    copy = scene.on_spoke("web")
    assert copy is not None and copy.annotations.get("notes/a") == "1" and "notes/b" not in copy.annotations


async def _withdrawn_while_contested(scene: Scene) -> None:
    """Somebody keeps deleting a copy; the link is busy when the original goes, too."""
    await _plain(scene)
    chance = Random("big")
    for number in range(24):
        await scene.create(f"app{number}", cascade=False, metadata=bulky(chance))
    await scene.agree()
    free = {True: 0.0, False: 0.0}

    def lateness(agent: str, up: bool, size: int) -> float:
        free[up] = max(trio.current_time(), free[up]) + (0.0 if up else size / 16_000)
        return free[up] - trio.current_time()

    scene.fleet.network.shape = lateness
    for number in range(24):
        await bulky_edit(scene, f"app{number}", "v1", chance)
    await trio.sleep(1)
    for _ in range(MAX_REVERTS + 1):
        await scene.until(lambda: scene.on_spoke("web") is not None)
        await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
        await trio.sleep(0.2)
    assert scene.on_spoke("web") is None
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    at = scene.fleet.env.now()
    await trio.sleep(CONTEST_BACKOFF + 10)
    log = scene.spoke.server.log
    assert not [e for e in log if e.name == "web" and e.verb is Verb.CREATE and e.at > at], "it is back"


async def _too_deep(scene: Scene) -> None:
    """An Application cannot be read for a while, and the principal starts anew meanwhile."""
    before = await _plain(scene)
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"deeper": deep}
    await scene.edit("web", {"source": {"helm": {"valuesObject": deep}}})
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    scene.fleet.start(PRINCIPAL)
    await trio.sleep(60)
    after = scene.on_spoke("web")
    assert after is not None and after.meta.uid == before.meta.uid, "it was taken for deleted"
    await scene.edit("web", {"source": {"helm": None, "targetRevision": "v2"}})


async def _older_definition(scene: Scene) -> None:
    """The spoke's definitions are older than the hub's, and are brought up to date."""
    await _plain(scene)
    installer, path = scene.fleet.spoke_as("m1", "installer"), ("spec", "source", "targetRevision")
    await restrict(installer, path, ("HEAD",))
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await trio.sleep(20)
    await restrict(installer, path, ("HEAD", "v2"))
    await trio.sleep(REFUSED_RETRY)
    copy = scene.on_spoke("web")
    assert copy is not None and copy.get("spec")["source"]["targetRevision"] == "v2"


async def _deleted_while_it_runs(scene: Scene) -> None:
    """A copy is deleted amid a sync, and comes back: nothing on it says for ever that something runs."""
    await _plain(scene)
    await argocd_server.sync(scene.argocd, "m1", "web")
    await scene.until(lambda: operation_state(scene.on_spoke("web")).get("phase") == "Running")
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
    await scene.agree()
    assert operation_state(scene.on_spoke("web")).get("phase") != "Running"


async def _deleted_when_it_has_ended(scene: Scene) -> None:
    """A copy is deleted when its sync has ended, before the hub could hear of that."""
    await _plain(scene)
    scene.fleet.network.shape = lambda agent, up, size: 20.0 if up else 0.0
    await argocd_server.sync(scene.argocd, "m1", "web")
    await scene.until(lambda: operation_state(scene.on_spoke("web")).get("phase") == "Running")
    await scene.cut()
    scene.fleet.network.shape = lambda agent, up, size: 0.0
    await scene.until(lambda: operation_state(scene.on_spoke("web")).get("phase") == "Succeeded")
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
    await scene.until(lambda: scene.on_spoke("web") is not None)
    await scene.heal()
    await trio.sleep(20)
    assert list(scene.monitors.intents.values()) == [1], "it was carried out twice"


POLICING: Final = (
    Race("not-adopted", _not_adopted, policies=Policies(adoption=Adoption.NEVER)),
    Race("project-made-anew", _project_made_anew),
    Race("another-principal", _another_principal),
    Race("upserted", _upserted, policies=Policies(mismatch=Mismatch.UPSERT)),
    Race("notes", _notes, policies=Policies(local=Local(("notes/*",)))),
    Race("withdrawn-while-contested", _withdrawn_while_contested),
    Race("too-deep", _too_deep),
    Race("older-definition", _older_definition),
    Race("deleted-while-it-runs", _deleted_while_it_runs),
    Race("deleted-when-it-has-ended", _deleted_when_it_has_ended),
)
