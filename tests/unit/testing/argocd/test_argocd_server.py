"""The simulated argocd-server: its writes in order, and what it refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.apiserver.local import Call, LocalCluster
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.argocd.argocd_server import Refused
from trio_argoagent.testing.argocd.names import (
    FAMILY,
    FAMILY_BACKGROUND,
    FAMILY_FOREGROUND,
    POST_DELETE,
    Dialect,
)

from .conftest import Stage

OPERATION: dict[str, Any] = {"operation": {"sync": {}}}
RUNNING = {"phase": "Running", "startedAt": "2026-09-21T14:13:20Z", "operation": {"sync": {}}}


async def patch(stage: Stage, value: dict[str, Any], name: str = "web") -> None:
    """Write as somebody else."""
    await stage.cluster.patch(APPLICATIONS, "argocd", name, MergePatch(value))


async def refused(code: str, call: Callable[[], Awaitable[Any]], stage: Stage) -> str:
    """The call is refused with that code, and nothing was written."""
    before = len(stage.server.log)
    with pytest.raises(Refused) as caught:
        await call()
    assert caught.value.code == code
    assert len(stage.server.log) == before
    return caught.value.message


async def test_create_normalises_and_leaves_a_skeleton(stage: Stage, autojump_clock: MockClock) -> None:
    """No operation, a normal spec, and what typed Go stores of an empty status."""
    app = application("web", project="", syncPolicy={}) | OPERATION
    made = await argocd_server.create_app(stage.cluster, app)
    assert made.get("operation") is None
    assert made.get("spec")["project"] == "default"
    assert "syncPolicy" not in made.get("spec")
    assert made.get("status")["sync"]["status"] == ""


async def test_create_again(stage: Stage, autojump_clock: MockClock) -> None:
    """The same is found, another is refused, or with upsert replaced."""
    first = await argocd_server.create_app(stage.cluster, application("web"))
    again = await argocd_server.create_app(stage.cluster, application("web"))
    assert again.meta.resource_version == first.meta.resource_version
    other = application("web", "helm-guestbook")
    await refused("InvalidArgument", lambda: argocd_server.create_app(stage.cluster, other), stage)
    changed = await argocd_server.create_app(stage.cluster, other, upsert=True)
    assert changed.get("spec")["source"]["path"] == "helm-guestbook"


async def test_every_call_needs_the_project(stage: Stage, autojump_clock: MockClock) -> None:
    """Deletion, too."""
    await stage.add("web")
    await stage.cluster.delete(APP_PROJECTS, "argocd", "default")
    where = (stage.cluster, "argocd", "web")
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: argocd_server.create_app(stage.cluster, application("other")),
        lambda: argocd_server.set_spec(*where, application("web")["spec"]),
        lambda: argocd_server.sync(*where),
        lambda: argocd_server.rollback(*where, 0),
        lambda: argocd_server.terminate(*where),
        lambda: argocd_server.refresh(*where, env=stage.env),
        lambda: argocd_server.delete(*where),
    ]
    for call in calls:
        await refused("InvalidArgument", call, stage)


async def test_what_the_project_forbids_is_refused(stage: Stage, autojump_clock: MockClock) -> None:
    """A destination outside the project, when creating and when changing."""
    await stage.add("web")
    spec = {"destinations": [{"namespace": "web", "server": "*"}]}
    await stage.cluster.patch(APP_PROJECTS, "argocd", "default", MergePatch({"spec": spec}))
    elsewhere = application("other")
    await refused("InvalidArgument", lambda: argocd_server.create_app(stage.cluster, elsewhere), stage)
    await argocd_server.set_spec(stage.cluster, "argocd", "web", application("web", "apps")["spec"])
    change = lambda: argocd_server.set_spec(stage.cluster, "argocd", "web", elsewhere["spec"])  # noqa: E731
    await refused("InvalidArgument", change, stage)


async def test_update_writes_the_callers_metadata(stage: Stage, autojump_clock: MockClock) -> None:
    """Labels and finalizers become those of the caller's copy: what came between is gone."""
    await stage.add("web", metadata={"labels": {"a": "1"}})
    copy = (await stage.app()).value()
    await patch(stage, {"metadata": {"labels": {"b": "2"}, "finalizers": [FAMILY, POST_DELETE]}})
    updated = await argocd_server.update_app(stage.cluster, copy)
    assert (updated.labels, updated.finalizers) == ({"a": "1"}, (FAMILY,))


async def test_sync_sets_the_operation_and_clears_the_state(stage: Stage, autojump_clock: MockClock) -> None:
    """One PUT; the revision is resolved."""
    await stage.add("web")
    await patch(stage, {"status": {"operationState": RUNNING | {"phase": "Succeeded"}}})
    info = [{"name": "n", "value": "v"}]
    app = await argocd_server.sync(
        stage.cluster, "argocd", "web", git=stage.world.git, options={"prune": True}, info=info
    )
    operation = app.get("operation")
    assert "operationState" not in app.get("status")
    assert (operation["initiatedBy"], operation["info"]) == ({"username": "admin"}, info)
    assert operation["sync"]["prune"] is True
    assert len(operation["sync"]["revision"]) == 40


async def test_sync_is_refused(stage: Stage, autojump_clock: MockClock) -> None:
    """Over another operation, in a closed window, at another revision under auto-sync, while deleting."""
    await stage.add("web", syncPolicy=automated())
    where = (stage.cluster, "argocd", "web")
    other = {"revision": "v1"}
    window = lambda: argocd_server.sync(*where, window_closed=True)  # noqa: E731
    await refused("PermissionDenied", window, stage)
    await refused("FailedPrecondition", lambda: argocd_server.sync(*where, options=other), stage)
    await patch(stage, OPERATION)
    await refused("FailedPrecondition", lambda: argocd_server.sync(*where), stage)
    await patch(stage, {"operation": None})
    await stage.cluster.delete(APPLICATIONS, "argocd", "web")
    assert "deleting" in await refused("FailedPrecondition", lambda: argocd_server.sync(*where), stage)


@attrs.define
class Meddler:
    """A gate: somebody else writes the Application before each of the next few PUTs."""

    stage: Stage
    times: int

    async def before(self, call: Call) -> None:
        """Write first, if it is a PUT and there is mischief left."""
        if call.verb == "replace" and self.times:
            self.times -= 1
            await patch(self.stage, {"metadata": {"labels": {f"n{self.times}": "x"}}})

    async def after(self, call: Call) -> None:
        """Nothing."""
        await trio.lowlevel.checkpoint()


def meddled(stage: Stage, times: int) -> LocalCluster:
    """The cluster as one sees it whose next PUTs meet that many conflicts."""
    return LocalCluster(stage.server, env=stage.env, actor="server", gate=Meddler(stage, times))


async def test_sync_tries_for_ever(stage: Stage, autojump_clock: MockClock) -> None:
    """However many conflicts there are, it gets through."""
    await stage.add("web")
    await argocd_server.sync(meddled(stage, 25), "argocd", "web")
    app = await stage.app()
    assert app.get("operation") is not None
    assert len(app.labels) == 25


async def test_an_update_tries_ten_times(stage: Stage, autojump_clock: MockClock) -> None:
    """Nine conflicts do no harm, ten are too many."""
    await stage.add("web")
    spec = application("web", "apps")["spec"]
    await argocd_server.set_spec(meddled(stage, 9), "argocd", "web", spec)
    assert (await stage.app()).get("spec") == spec
    with pytest.raises(Refused, match="Too many conflicts"):
        await argocd_server.set_spec(meddled(stage, 10), "argocd", "web", application("web")["spec"])
    assert (await stage.app()).get("spec") == spec


async def test_a_terminate_tries_ten_times(stage: Stage, autojump_clock: MockClock) -> None:
    """With a pause after each conflict."""
    await stage.add("web")
    await patch(stage, OPERATION | {"status": {"operationState": RUNNING}})
    began = trio.current_time()
    with pytest.raises(Refused, match="Too many conflicts"):
        await argocd_server.terminate(meddled(stage, 10), "argocd", "web")
    assert trio.current_time() - began == pytest.approx(1.0)


async def test_terminate(stage: Stage, autojump_clock: MockClock) -> None:
    """It needs both .operation and operationState."""
    await stage.add("web")
    where = (stage.cluster, "argocd", "web")
    await refused("InvalidArgument", lambda: argocd_server.terminate(*where), stage)
    await patch(stage, OPERATION)
    await refused("InvalidArgument", lambda: argocd_server.terminate(*where), stage)
    await patch(stage, {"status": {"operationState": RUNNING}})
    app = await argocd_server.terminate(*where)
    assert app.get("status")["operationState"]["phase"] == "Terminating"
    await patch(stage, {"operation": None})
    await refused("InvalidArgument", lambda: argocd_server.terminate(*where), stage)


@pytest.mark.parametrize(("dialect", "count"), [(Dialect.V35, 2), (Dialect.V36, 4)])
async def test_refresh_always_asks_for_hydration_too(
    stage: Stage, autojump_clock: MockClock, dialect: Dialect, count: int
) -> None:
    """3.6 adds a timestamp to each of the two."""
    await stage.add("web")
    app = await argocd_server.refresh(
        stage.cluster, "argocd", "web", env=stage.env, hard=True, dialect=dialect, wait=False
    )
    assert len(app.annotations) == count
    assert app.annotations["argocd.argoproj.io/refresh"] == "hard"


@pytest.mark.parametrize(
    ("before", "how", "after"),
    [
        ([], {}, (FAMILY,)),
        ([FAMILY], {}, (FAMILY,)),
        ([FAMILY_BACKGROUND], {}, (FAMILY_BACKGROUND, FAMILY)),
        ([], {"propagation": "foreground"}, (FAMILY_FOREGROUND,)),
        ([FAMILY, FAMILY_BACKGROUND, POST_DELETE], {"cascade": False}, (POST_DELETE,)),
    ],
)
async def test_delete_patches_the_finalizers_first(
    stage: Stage,
    autojump_clock: MockClock,
    before: list[str],
    how: dict[str, Any],
    after: tuple[str, ...],
) -> None:
    """That exact finalizer is added, or the whole family taken away; hooks stay."""
    await stage.add("web", cascade=False, metadata={"finalizers": before})
    await argocd_server.delete(stage.cluster, "argocd", "web", **how)
    app = await stage.app()
    assert app.deleting
    assert app.finalizers == after


async def test_rollback(stage: Stage, autojump_clock: MockClock) -> None:
    """To an id of the history, unless auto-sync is on."""
    await stage.start()
    await stage.add("web")
    await stage.reach("OutOfSync", "Missing")
    await argocd_server.cli_sync(stage.cluster, "argocd", "web")
    where = (stage.cluster, "argocd", "web")
    await trio.sleep(30)
    await refused("InvalidArgument", lambda: argocd_server.rollback(*where, 7), stage)
    app = await argocd_server.rollback(*where, 0)
    assert app.get("operation")["sync"]["source"]["path"] == "guestbook"
    await argocd_server.wait(*where)
    await patch(stage, {"spec": {"syncPolicy": automated()}})
    await trio.sleep(30)
    await refused("FailedPrecondition", lambda: argocd_server.rollback(*where, 0), stage)


async def test_the_command_line_crashes_on_a_missing_state(stage: Stage, autojump_clock: MockClock) -> None:
    """Whoever removes .operation and leaves no operationState breaks it."""
    await stage.add("web")

    async def spoil() -> None:
        await trio.sleep(1)
        await patch(stage, {"operation": None})

    async with trio.open_nursery() as nursery:
        nursery.start_soon(spoil)
        with pytest.raises(Refused) as caught:
            await argocd_server.cli_sync(stage.cluster, "argocd", "web")
    assert caught.value.code == "Crash"


async def test_waiting_needs_a_refresh_after_the_end(stage: Stage, autojump_clock: MockClock) -> None:
    """The reconciledAt must not be before finishedAt; a dry run needs none."""
    await stage.add("web")
    ended = RUNNING | {"phase": "Succeeded", "finishedAt": "2026-09-21T14:13:25Z"}
    for state, at, wanted in (
        (RUNNING, "2026-09-21T14:13:25Z", False),
        (ended, None, False),
        (ended, "2026-09-21T14:13:24Z", False),
        (ended, "2026-09-21T14:13:25Z", True),
        (ended | {"operation": {"sync": {"dryRun": True}}}, "2026-09-21T14:13:24Z", True),
    ):
        await patch(stage, {"status": {"operationState": None, "reconciledAt": at}})
        await patch(stage, {"status": {"operationState": state}})
        done = False
        with trio.move_on_after(5):
            await argocd_server.wait(stage.cluster, "argocd", "web")
            done = True
        assert done == wanted
