"""Test_AppProject_*, Test_RevertAppProjectUpdatesManagedMode, Test_RevertAppProjectUpdatesAutonomousMode."""

from __future__ import annotations

from trio_argoagent.sync import names
from trio_argoagent.testing.fleet import EVERYWHERE

from .play import play
from .projects import OTHER, ROLE, copied, is_gone, is_there, owned, policies, prepared
from .stage import Stage


def test_app_project_managed() -> None:
    """It comes as this agent may see it, follows edits, goes with its destinations, and ends."""

    async def story(stage: Stage) -> None:
        mine, copy = await prepared(stage, roles=policies("team"))
        spec = await copy.spec()
        here = {"name": "in-cluster", "namespace": "*", "server": "https://kubernetes.default.svc"}
        assert spec["destinations"] == [here]
        assert not spec.get("sourceNamespaces") and not spec.get("roles")
        await mine.edit(OTHER)
        await stage.agree()
        assert (await copy.spec())["description"] == "another"
        await mine.edit({"spec": {"destinations": [{"name": "nobody", "namespace": "*", "server": "*"}]}})
        await is_gone(stage, copy)
        await mine.edit({"spec": {"destinations": EVERYWHERE["destinations"]}})
        await is_there(stage, copy)
        await stage.agree()
        await mine.delete()
        await is_gone(stage, mine, copy)

    play(story)


def test_app_project_autonomous() -> None:
    """Its mirror has the agent's prefix, admits the agent's namespace and cluster only, follows and goes."""

    async def story(stage: Stage) -> None:
        name = stage.side.name
        mine, mirror = await prepared(stage)
        spec = await mirror.spec()
        assert spec["sourceNamespaces"] == [name]
        assert [(each["name"], each["server"]) for each in spec["destinations"]] == [(name, "*")]
        await mine.edit(OTHER)
        await stage.agree()
        assert (await mirror.spec())["description"] == "another"
        await mine.delete()
        await is_gone(stage, mine, mirror)

    play(story, autonomous=("edge",))


def test_app_project_autonomous_create_with_project_role() -> None:
    """All is rewritten to the mirror's names; argocd-agent leaves what is not about Applications alone."""

    async def story(stage: Stage) -> None:
        _, mirror = await prepared(stage, roles=policies("team"))
        (role,) = (await mirror.spec())["roles"]
        new, agent = mirror.name, stage.side.name
        assert role["policies"] == [
            f"p, proj:{new}:{ROLE}, applications, sync, {new}/{agent}/*, allow",
            f"p, proj:{new}:{ROLE}, clusters, get, {new}/*, allow",
        ]

    play(story, autonomous=("edge",))


def test_app_project_default_managed() -> None:
    """The project that Argo CD installs on the spoke becomes the copy in place."""

    async def story(stage: Stage) -> None:
        copy, mine = copied(stage, stage.side, "default"), owned(stage, stage.side, "default")
        await is_there(stage, copy)  # Else the agent might make it when it is no more.
        stage.side.agent.crash()
        await copy.delete()
        await copy.create(description="installed")
        before = await copy.get()
        stage.side.agent.start()
        await stage.agree()
        after, hub = await copy.get(), await mine.get()
        assert before is not None and after is not None and hub is not None
        assert after.meta.uid == before.meta.uid
        assert after.annotations[names.SOURCE_UID] == hub.meta.uid
        assert "description" not in after.get("spec")

    play(story)


def test_app_project_default_autonomous() -> None:
    """It is mirrored like any other, beside the hub's own default project."""

    async def story(stage: Stage) -> None:
        await is_there(stage, copied(stage, stage.side, "default"))
        await stage.agree()
        hub = await owned(stage, stage.side, "default").get()
        assert hub is not None and names.SOURCE_UID not in hub.annotations

    play(story, autonomous=("edge",))


async def _is_reverted(stage: Stage) -> None:
    _, other = await prepared(stage)
    before = await other.spec()
    await other.edit(OTHER)
    await stage.agree()
    assert await other.spec() == before
    await other.delete()
    await is_there(stage, other)
    await stage.agree()


def test_revert_app_project_updates_managed_mode() -> None:
    """A copy that is changed or deleted on the spoke is put back."""
    play(_is_reverted)


def test_revert_app_project_updates_autonomous_mode() -> None:
    """A mirror that is changed or deleted on the hub is put back."""
    play(_is_reverted, autonomous=("edge",))
