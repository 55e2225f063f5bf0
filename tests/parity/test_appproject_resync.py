"""Test_AppProjectResync_*: what happened to a project while a program was down is caught up with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from trio_argoagent.testing.fleet import EVERYWHERE

from .play import play
from .projects import OTHER, Place, copied, is_gone, is_there, owned, policies, prepared
from .stage import Stage
from .test_resync import program_of, unguarded_agent, unguarded_principal

Change = Callable[[Place, Place], Awaitable[None]]


def _while_down(program: str, change: Change, *, stays: bool, autonomous: bool, **spec: Any) -> None:
    """A project in step; a program is down; a change; the program is back: both sides agree."""

    async def story(stage: Stage) -> None:
        mine, other = await prepared(stage, **spec)
        process = program_of(stage, program)
        process.crash()
        await change(mine, other)
        process.start()
        if stays:
            await is_there(stage, other)
        else:
            await is_gone(stage, mine, other)
        await stage.agree()

    modes: dict[str, Any] = {"autonomous": ("edge",)} if autonomous else {}
    play(story, principal=unguarded_principal, agent=unguarded_agent, **modes)


async def _nothing(mine: Place, other: Place) -> None:
    assert await mine.get() is not None and await other.get() is not None


async def _edit_owned(mine: Place, other: Place) -> None:
    await mine.edit(OTHER)


async def _edit_other(mine: Place, other: Place) -> None:
    await other.edit(OTHER)


async def _delete_owned(mine: Place, other: Place) -> None:
    await mine.delete()


async def _delete_other(mine: Place, other: Place) -> None:
    await other.delete()


async def _delete_both(mine: Place, other: Place) -> None:
    await mine.delete()
    await other.delete()


async def _other_role(mine: Place, other: Place) -> None:
    await mine.edit({"spec": {"roles": policies(mine.name, "admin")}})


async def _in_cluster(mine: Place, other: Place) -> None:
    here = {"name": "in-cluster", "namespace": "*", "server": "https://kubernetes.default.svc"}
    await mine.edit({"spec": {"destinations": [here]}})


async def _anywhere(mine: Place, other: Place) -> None:
    await mine.edit({"spec": {"destinations": [{"namespace": "web", "server": "https://10.0.0.9:6443"}]}})


def test_app_project_resync_on_create() -> None:
    """One that was made on the hub while the agent was down is there when it is back."""

    async def story(stage: Stage) -> None:
        stage.side.agent.crash()
        await owned(stage, stage.side).create(**EVERYWHERE)
        stage.side.agent.start()
        await is_there(stage, copied(stage, stage.side))
        await stage.agree()

    play(story)


def test_app_project_resync_on_update() -> None:
    """It was changed on the hub."""
    _while_down("agent", _edit_owned, stays=True, autonomous=False)


def test_app_project_resync_on_deletion() -> None:
    """It was deleted on the hub."""
    _while_down("agent", _delete_owned, stays=False, autonomous=False)


def test_app_project_resync_delete_on_agent_delete() -> None:
    """It was deleted on both sides."""
    _while_down("agent", _delete_both, stays=False, autonomous=False)


def test_app_project_resync_create_on_agent_delete() -> None:
    """Its copy was deleted on the spoke: it is made again."""
    _while_down("agent", _delete_other, stays=True, autonomous=False)


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        pytest.param(_nothing, True, id="on_principal_restart"),
        pytest.param(_other_role, True, id="on_principal_restart_with_role_updated_on_agent"),
        pytest.param(_edit_other, True, id="on_principal_restart_with_update_on_principal"),
        pytest.param(_edit_owned, True, id="on_principal_restart_with_update_on_agent"),
        pytest.param(_delete_other, True, id="on_principal_restart_with_delete_on_principal"),
        pytest.param(_delete_owned, False, id="on_principal_restart_with_delete_on_agent"),
        pytest.param(_in_cluster, True, id="on_principal_restart_in_cluster_destination"),
        pytest.param(_anywhere, True, id="on_principal_restart_arbitrary_destination"),
    ],
)
def test_app_project_resync_autonomous_on_principal_restart(change: Change, stays: bool) -> None:
    """The mirror is as the spoke's project is, whoever has changed what while the principal was down."""
    _while_down("principal", change, stays=stays, autonomous=True, roles=policies("team"))


def test_app_project_resync_autonomous_on_principal_restart_with_role_created_on_agent() -> None:
    """The project had no role before."""
    _while_down("principal", _other_role, stays=True, autonomous=True)


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        pytest.param(_nothing, True, id="on_agent_restart"),
        pytest.param(_edit_owned, True, id="on_agent_restart_with_update_on_agent"),
        pytest.param(_edit_other, True, id="on_agent_restart_with_update_on_principal"),
        pytest.param(_delete_owned, False, id="on_agent_restart_with_delete_on_agent"),
        pytest.param(_delete_other, True, id="on_agent_restart_with_delete_on_principal"),
    ],
)
def test_app_project_resync_autonomous_on_agent_restart(change: Change, stays: bool) -> None:
    """Likewise, while the agent was down."""
    _while_down("agent", change, stays=stays, autonomous=True)
