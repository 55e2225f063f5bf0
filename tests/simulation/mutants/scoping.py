"""Races of credentials and the projects that they are scoped to: nobody confirms but the story itself."""

from __future__ import annotations

from typing import Any, Final

import trio

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.repositories import SECRET_TYPE, repo_creds, repository
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, PRINCIPAL

from ..helpers import Scene
from .judging import Race

_NAMES: Final = ("first", "second", "third")
_NOWHERE: Final[list[Any]] = [{"name": "elsewhere", "namespace": "*", "server": ""}]
_SOON: Final = 30.0
"""Seconds in which what needs nobody's word has happened."""


def _copies(scene: Scene) -> dict[str, Object]:
    return oracle.objects(scene.spoke.server, SECRETS, NAMESPACE)


async def _scoped(scene: Scene, *projects: str) -> None:
    """These projects, and in the first of them three credentials, in step."""
    scene.fleet.confirming = False
    for name in projects:
        await scene.hub.create(APP_PROJECTS, app_project(name, namespace=NAMESPACE, **EVERYWHERE))
    for name in _NAMES:
        make = repo_creds if name == "third" else repository
        await scene.hub.create(SECRETS, make(name, namespace=NAMESPACE, project=projects[0]))
    await scene.until(lambda: len(_copies(scene)) == len(_NAMES))
    await scene.agree()


async def _destinations(scene: Scene, project: str, found: list[Any]) -> None:
    change = MergePatch({"spec": {"destinations": found}})
    await scene.hub.patch(APP_PROJECTS, NAMESPACE, project, change)


async def _credentials_moved(scene: Scene) -> None:
    """A project loses the agent: so do its credentials, at once."""
    await _scoped(scene, "team")
    await _destinations(scene, "team", _NOWHERE)
    await scene.until(lambda: not _copies(scene), _SOON)
    await scene.agree()


async def _credentials_of_nobody(scene: Scene) -> None:
    """What is scoped to no project stays on the hub."""
    await scene.hub.create(SECRETS, repository("own", namespace=NAMESPACE))
    await scene.create("web", cascade=False)
    await scene.agree()
    assert not _copies(scene), "the hub's own credentials have left it"


async def _credentials_denied_unseen(scene: Scene) -> None:
    """A project loses the agent while no principal runs: what stands says so, and nobody has to confirm."""
    await _scoped(scene, "team")
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    await _destinations(scene, "team", _NOWHERE)
    scene.fleet.start(PRINCIPAL)
    await scene.until(lambda: not _copies(scene), _SOON)
    await scene.agree()


async def _projects_lost(scene: Scene) -> None:
    """The projects are gone when a principal comes back: the credentials stay until a person says a word."""
    await _scoped(scene, "team", "other")
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    kept = await scene.hub.get(APP_PROJECTS, NAMESPACE, "team")
    for name in ("team", "other"):
        await scene.hub.delete(APP_PROJECTS, NAMESPACE, name)
    scene.fleet.start(PRINCIPAL)
    await trio.sleep(60)
    assert len(_copies(scene)) == len(_NAMES), "nobody has decided that they go"
    await scene.hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **kept.get("spec")))
    await scene.hub.create(APP_PROJECTS, app_project("other", namespace=NAMESPACE, **EVERYWHERE))
    await scene.agree()


async def _type_taken_off(scene: Scene) -> None:
    """Somebody takes the type off a copy: no watch shows it any more, and it is put back all the same."""
    await _scoped(scene, "team")
    strip = MergePatch({"metadata": {"labels": {SECRET_TYPE: None}}})
    await scene.there.patch(SECRETS, NAMESPACE, "first", strip)
    await scene.until(lambda: SECRET_TYPE in _copies(scene)["first"].labels, _SOON)
    await scene.agree()


async def _secret_of_the_spoke(scene: Scene) -> None:
    """The spoke has a Secret of its own of that name, which is no repository's."""
    own = repository("first", namespace=NAMESPACE)
    del own["metadata"]["labels"]
    before = await scene.there.create(SECRETS, own)
    await scene.hub.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, **EVERYWHERE))
    await scene.hub.create(SECRETS, repository("first", namespace=NAMESPACE, project="team"))
    await trio.sleep(_SOON)
    assert _copies(scene)["first"].meta.resource_version == before.meta.resource_version, "it was changed"
    await scene.there.delete(SECRETS, NAMESPACE, "first")
    await scene.agree()


SCOPING: Final = (
    Race("credentials-moved", _credentials_moved),
    Race("credentials-of-nobody", _credentials_of_nobody),
    Race("credentials-denied-unseen", _credentials_denied_unseen),
    Race("projects-lost", _projects_lost),
    Race("type-taken-off", _type_taken_off),
    Race("secret-of-the-spoke", _secret_of_the_spoke),
)
