"""Applications that failed for want of their AppProject, or of credentials, are refreshed when it comes."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent import errors
from trio_argoagent.agent.refresher import Refresher
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.repositories import repo_creds, repository

from ..replication.world import NAMESPACE, World, make_env, open_world


def project(name: str = "default") -> tuple[Kind, dict[str, Any]]:
    """An AppProject."""
    return Kind.APP_PROJECT, app_project(name, namespace=NAMESPACE)


async def refresh(world: World, *came: tuple[Kind, dict[str, Any]]) -> None:
    """Tell a refresher that these (without any: the project of all) have come, and let it work."""
    ours = LocalCluster(world.server, env=make_env(), actor="product", gate=world.script)
    refresher = Refresher(ours, lambda app: True)
    for kind, value in came or (project(),):
        refresher.came(kind, Object.of(value))
    with trio.move_on_after(120):
        await refresher.run(world.known)


async def lacking(world: World, condition: str = "InvalidSpecError") -> None:
    """An Application with such a condition."""
    await world.add()
    conditions: list[dict[str, Any]] = [{"type": condition, "message": "no project"}]
    patch = MergePatch({"status": {"conditions": conditions}})
    await world.users.patch(APPLICATIONS, NAMESPACE, "web", patch)
    await wait_all_tasks_blocked()


@pytest.mark.parametrize("condition", ["InvalidSpecError", "DeletionError"])
async def test_what_lacked_it_is_refreshed(condition: str, autojump_clock: MockClock) -> None:
    """Both what is invalid and what cannot be deleted for want of it."""
    async with open_world() as world:
        await lacking(world, condition)
        await refresh(world)
        assert world.now().annotations[names.REFRESH] == "normal"


async def test_nothing_else_is(autojump_clock: MockClock) -> None:
    """Neither a healthy one nor one of another project."""
    async with open_world() as world:
        await world.add()
        await refresh(world)
        assert names.REFRESH not in world.now().annotations
    async with open_world() as world:
        await lacking(world)
        await refresh(world, project("other"))
        assert names.REFRESH not in world.now().annotations


URL = "https://github.com/argoproj/argocd-example-apps"


@pytest.mark.parametrize(
    ("kind", "value", "helps"),
    [
        (Kind.REPOSITORY, repository("a", namespace=NAMESPACE, url=URL + ".git"), True),
        (Kind.REPO_CREDS, repo_creds("a", namespace=NAMESPACE, url="https://github.com/argoproj"), True),
        (Kind.REPOSITORY, repository("a", namespace=NAMESPACE, url="https://github.com/argoproj"), False),
        (Kind.REPO_CREDS, repo_creds("a", namespace=NAMESPACE, url="https://example.com"), False),
    ],
)
async def test_late_credentials(
    kind: Kind, value: dict[str, Any], helps: bool, autojump_clock: MockClock
) -> None:
    """What failed without the credentials of its own repository is looked at again, once."""
    async with open_world() as world:
        await lacking(world, "ComparisonError")
        await refresh(world, (kind, value), (kind, value | {"metadata": value["metadata"] | {"name": "b"}}))
        assert (names.REFRESH in world.now().annotations) is helps
        assert world.script.calls.count("patch") == int(helps)


@pytest.mark.parametrize(
    "error", [errors.Throttled("busy"), errors.Unavailable("away"), errors.OutcomeUnknown("lost")]
)
async def test_a_server_that_cannot_now_is_asked_again(error: Exception, autojump_clock: MockClock) -> None:
    """Else a deletion that hangs for want of the project hangs on."""
    async with open_world() as world:
        await lacking(world)
        world.script.refuse("patch", error)
        await refresh(world)
        assert world.now().annotations[names.REFRESH] == "normal"


@pytest.mark.parametrize("error", [errors.NotFound("gone"), errors.Forbidden("no")])
async def test_what_cannot_be_refreshed_is_left(error: Exception, autojump_clock: MockClock) -> None:
    """The next one is refreshed all the same."""
    async with open_world() as world:
        await lacking(world)
        world.script.refuse("patch", error)
        await refresh(world)
        await refresh(world)
        assert world.now().annotations[names.REFRESH] == "normal"
