"""Test_Repository_*, Test_RepoCreds_*, Test_RepositoryResync_*: credentials follow their AppProject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.repositories import SECRET_TYPE, encoded, repo_creds, repository

from .play import play
from .stage import Side, Stage, find
from .test_resync import PROGRAMS, program_of, unguarded_agent

EVERYBODY: Final = ({"name": "*", "namespace": "*", "server": "*"},)
NOBODY: Final = ({"name": "elsewhere", "namespace": "*", "server": ""},)
Make = Callable[..., dict[str, Any]]
BOTH = pytest.mark.parametrize("make", [repository, repo_creds])


async def project(stage: Stage, name: str = "team", destinations: Any = EVERYBODY) -> None:
    """Create an AppProject for these clusters."""
    value = app_project(
        name, namespace=stage.namespace, destinations=list(destinations), sourceNamespaces=["*"]
    )
    await stage.hub.create(APP_PROJECTS, value)


async def move(stage: Stage, destinations: Any, name: str = "team") -> None:
    """Let an AppProject be for these clusters."""
    change = MergePatch({"spec": {"destinations": list(destinations)}})
    await stage.hub.patch(APP_PROJECTS, stage.namespace, name, change)


async def secret(stage: Stage, make: Make = repository, *, scope: str = "team", **more: str) -> None:
    """Create the credentials ``private``."""
    await stage.hub.create(SECRETS, make("private", namespace=stage.namespace, project=scope, **more))


async def edit(stage: Stage, value: Mapping[str, Any]) -> None:
    """Merge into the credentials."""
    await stage.hub.patch(SECRETS, stage.namespace, "private", MergePatch(value))


async def on_spoke(side: Side) -> Object | None:
    """The copy of the credentials."""
    return await find(side.cluster, SECRETS, side.namespace, "private")


async def has(stage: Stage, side: Side, password: str = "hunter2") -> None:
    """Wait until this side has them, with that password."""

    async def there() -> bool:
        copy = await on_spoke(side)
        return copy is not None and copy.get("data")["password"] == encoded(password)

    await stage.until(there)
    await stage.agree()


async def lacks(stage: Stage, side: Side) -> None:
    """Wait until this side has them no more."""

    async def gone() -> bool:
        return await on_spoke(side) is None

    await stage.until(gone)
    await stage.agree()


async def prepared(stage: Stage, make: Make = repository) -> Side:
    """A project and credentials in it, in step."""
    await project(stage)
    await secret(stage, make)
    await has(stage, stage.side)
    return stage.side


@BOTH
def test_repository_managed(make: Make) -> None:
    """Test_{Repository,RepoCreds}_Managed: created, edited, deleted on the hub; kept on the spoke."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage, make)
        copy = await on_spoke(side)
        assert copy is not None and SECRET_TYPE in copy.labels
        await edit(stage, {"data": {"password": encoded("correct horse")}})
        await has(stage, side, "correct horse")
        theirs = MergePatch({"data": {"password": encoded("mine")}, "metadata": {"labels": {"extra": "x"}}})
        await side.cluster.patch(SECRETS, side.namespace, "private", theirs)
        await has(stage, side, "correct horse")
        await side.cluster.delete(SECRETS, side.namespace, "private")
        await has(stage, side, "correct horse")
        await stage.hub.delete(SECRETS, stage.namespace, "private")
        await lacks(stage, side)

    play(story)


@BOTH
def test_repository_label_is_put_back(make: Make) -> None:
    """A copy that loses the label by which Argo CD knows it gets it again, although no informer shows it."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage, make)
        strip = MergePatch({"metadata": {"labels": {SECRET_TYPE: None}}})
        await side.cluster.patch(SECRETS, side.namespace, "private", strip)

        async def is_back() -> bool:
            copy = await on_spoke(side)
            return copy is not None and SECRET_TYPE in copy.labels

        await stage.until(is_back)
        await stage.agree()

    play(story)


@BOTH
def test_repository_late_appproject_creation(make: Make) -> None:
    """Test_Repository_Late_AppProjectCreation: credentials come with the project that they wait for."""

    async def story(stage: Stage) -> None:
        await secret(stage, make)
        await stage.side.create("guestbook", cascade=False)
        await stage.agree()
        assert await on_spoke(stage.side) is None
        await project(stage)
        await has(stage, stage.side)

    play(story)


@BOTH
def test_repository_appproject_update(make: Make) -> None:
    """Test_{Repository,RepoCreds}_AppProjectUpdate: they follow the clusters that their project is for."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage, make)
        await move(stage, NOBODY)
        await lacks(stage, side)
        await move(stage, EVERYBODY)
        await has(stage, side)

    play(story)


def test_repository_of_two_agents() -> None:
    """What one agent loses, the other gets, and nobody else."""

    async def story(stage: Stage) -> None:
        east, west = stage.sides["east"], stage.sides["west"]
        await project(stage, destinations=[{"name": east.name, "namespace": "*", "server": ""}])
        await secret(stage)
        await has(stage, east)
        assert await on_spoke(west) is None
        await move(stage, [{"name": west.name, "namespace": "*", "server": ""}])
        await has(stage, west)
        await lacks(stage, east)

    play(story, managed=("east", "west"))


def test_repository_change_appproject() -> None:
    """Test_Repository_Change_AppProject: moved to the project of another agent."""

    async def story(stage: Stage) -> None:
        east, west = stage.sides["east"], stage.sides["west"]
        for side in (east, west):
            await project(stage, f"for-{side.name}", [{"name": side.name, "namespace": "*", "server": ""}])
        await secret(stage, scope=f"for-{east.name}")
        await has(stage, east)
        await edit(stage, {"data": {"project": encoded(f"for-{west.name}")}})
        await has(stage, west)
        await lacks(stage, east)
        await edit(stage, {"data": {"project": encoded("of-nobody")}})
        await lacks(stage, west)

    play(story, managed=("east", "west"))


def test_repository_change_reference_same_agent() -> None:
    """Test_Repository_Change_Reference_SameAgent: from one of its projects to another; never without."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        before = await on_spoke(side)
        await project(stage, "other")
        await edit(stage, {"data": {"project": encoded("other")}})

        async def is_told() -> bool:
            copy = await on_spoke(side)
            return copy is not None and copy.get("data")["project"] == encoded("other")

        await stage.until(is_told)
        after = await on_spoke(side)
        assert before is not None and after is not None and before.meta.uid == after.meta.uid
        await stage.agree()

    play(story)


@BOTH
def test_repocreds_without_appproject(make: Make) -> None:
    """Test_RepoCreds_without_AppProject: what is scoped to no project goes nowhere, and leaves when it is."""

    async def story(stage: Stage) -> None:
        await secret(stage, make, scope="")
        await stage.side.create("guestbook", cascade=False)
        await stage.agree()
        assert await on_spoke(stage.side) is None
        await project(stage)
        await edit(stage, {"data": {"project": encoded("team")}})
        await has(stage, stage.side)
        await edit(stage, {"data": {"project": None}})
        await lacks(stage, stage.side)

    play(story)


@BOTH
@pytest.mark.parametrize("label", [{SECRET_TYPE: None}, {names.IGNORE_SYNC: "true"}])
def test_repository_skip_sync(make: Make, label: dict[str, str | None]) -> None:
    """Test_Repository_SkipSync; and Argo CD itself 'deletes' credentials by taking off the type."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage, make)
        await edit(stage, {"metadata": {"labels": label}})
        await lacks(stage, side)

    play(story)


def test_repository_becomes_repo_creds() -> None:
    """Another type is another kind under the same name: it is never put back to what it was."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        await edit(stage, {"metadata": {"labels": {SECRET_TYPE: "repo-creds"}}})

        async def is_other() -> bool:
            copy = await on_spoke(side)
            return copy is not None and copy.labels[SECRET_TYPE] == "repo-creds"

        await stage.until(is_other)
        await stage.agree()

    play(story)


def test_a_secret_of_the_spoke_is_left_alone() -> None:
    """The hub's credentials do not replace a Secret of that name which is none."""

    async def story(stage: Stage) -> None:
        side = stage.side
        own = repository("private", namespace=side.namespace, password="the spoke's own")
        del own["metadata"]["labels"]
        before = await side.cluster.create(SECRETS, own)
        await project(stage)
        await secret(stage)
        await side.create("guestbook", cascade=False)

        async def is_there() -> bool:
            return await side.on_spoke("guestbook") is not None

        await stage.until(is_there)
        after = await on_spoke(side)
        assert after is not None and after.meta.resource_version == before.meta.resource_version
        await side.cluster.delete(SECRETS, side.namespace, "private")
        await has(stage, side)

    play(story)


@BOTH
@pytest.mark.parametrize("program", PROGRAMS)
def test_repository_resync_on_appproject_update(make: Make, program: str) -> None:
    """Test_RepositoryResync_OnAppProjectUpdate: its project lost the agent while a program was down."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage, make)
        program_of(stage, program).crash()
        await move(stage, NOBODY)
        program_of(stage, program).start()
        # Nobody's word is asked: what stands on the hub says that they are not this agent's.
        await lacks(stage, side)

    play(story)


@pytest.mark.parametrize("program", PROGRAMS)
def test_repository_resync_on_creation(program: str) -> None:
    """Test_RepositoryResync_OnCreation: it was created while a program was down."""

    async def story(stage: Stage) -> None:
        await project(stage)
        program_of(stage, program).crash()
        await secret(stage)
        program_of(stage, program).start()
        await has(stage, stage.side)

    play(story)


@pytest.mark.parametrize("program", PROGRAMS)
def test_repository_resync_on_update(program: str) -> None:
    """Test_RepositoryResync_OnUpdate: it was edited while a program was down."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        program_of(stage, program).crash()
        await edit(stage, {"data": {"password": encoded("correct horse")}})
        program_of(stage, program).start()
        await has(stage, side, "correct horse")

    play(story)


@pytest.mark.parametrize("program", PROGRAMS)
def test_repository_resync_on_deletion(program: str) -> None:
    """Test_RepositoryResync_OnDeletion: argocd-agent keeps such an orphan, and its test accepts it."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        program_of(stage, program).crash()
        await stage.hub.delete(SECRETS, stage.namespace, "private")
        program_of(stage, program).start()
        await lacks(stage, side)

    play(story, agent=unguarded_agent)
