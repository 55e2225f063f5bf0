"""When an Application comes that waits for its credentials: as soon as they have, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.agent.spoke import Spoke
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import Call, LocalCluster
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Record
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES, SECRETS
from trio_argoagent.replication.dependencies import WAIT
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.sync import kinds, projection, wants
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.argocd.repositories import repo_creds, repository

from ..replication.world import NAMESPACE, make_env

ANSWER: Final = 1.0
"""Seconds that a write of a Secret takes, or its answer."""
LOOK: Final = 0.1
"""Seconds between two looks."""
CREDENTIALS: Final = {Kind.REPOSITORY: repository, Kind.REPO_CREDS: repo_creds}


class SlowSecrets:
    """A gate: the API server takes its time with a Secret, before it is written or until it answers.

    Args:
        answers: is it the answers that are late?
    """

    def __init__(self, answers: bool) -> None:
        self._answers = answers

    async def before(self, call: Call) -> None:
        """See ``Gate``."""
        await self._wait(call, not self._answers)

    async def after(self, call: Call) -> None:
        """See ``Gate``."""
        await self._wait(call, self._answers)

    async def _wait(self, call: Call, here: bool) -> None:
        if here and call.resource == SECRETS and call.verb in ("create", "patch"):
            await trio.sleep(ANSWER)


class World:
    """A spoke with the project ``team``, and what its agent has been sent."""

    def __init__(self, server: ApiServer, spoke: Spoke) -> None:
        self._server, self._spoke = server, spoke
        self._sent = 0

    def send(self, kind: Kind, value: dict[str, Any]) -> None:
        """A record of the principal arrives."""
        obj, row = Object.of(value), kinds.BASE[kind]
        body = projection.copy_projection(row, obj)
        key = Key(kind, NAMESPACE, obj.meta.name)
        self._sent += 1
        want = wants.copy(row, f"uid of {key}", body)
        record = Record(key, want.uid, want.digest, str(self._sent), canonical(body))
        self._spoke.workers.record(self._sent, self._spoke.inlet(record))

    def waits_for(self, kind: Kind) -> bool:
        """Is a record of this kind still to be brought about?"""
        return any(key.kind is kind for key in self._spoke.workers.core.waiting())

    def has_application(self) -> bool:
        """Is the Application there?"""
        return bool(oracle.objects(self._server, APPLICATIONS, NAMESPACE))


@asynccontextmanager
async def open_world(late_answers: bool) -> AsyncIterator[World]:
    """An agent's side that is linked, as it were."""
    env = make_env()
    server = argocd_server(entropy=env.entropy)
    users = LocalCluster(server, env=env, actor="user")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    await users.create(NAMESPACES, space)
    await users.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE))
    ours = LocalCluster(server, env=env, actor="product", gate=SlowSecrets(late_answers))
    spoke = Spoke(ours, AgentConfig(NAMESPACE, Mode.MANAGED), env, lambda kind, obj: None)
    async with trio.open_nursery() as nursery:
        await nursery.start(spoke.stores.run)
        await spoke.stores.wait_all()
        nursery.start_soon(spoke.workers.run)
        spoke.workers.core.link_up()
        yield World(server, spoke)
        nursery.cancel_scope.cancel()


def credentials(kind: Kind, password: str = "one") -> dict[str, Any]:
    """Of the Application's repository."""
    return CREDENTIALS[kind]("private", namespace=NAMESPACE, project="team", password=password)


@pytest.mark.parametrize("kind", CREDENTIALS)
@pytest.mark.parametrize("late_answers", [False, True])
@pytest.mark.parametrize("rotated", [False, True])
async def test_an_application_comes_with_its_credentials(
    kind: Kind, late_answers: bool, rotated: bool, autojump_clock: MockClock
) -> None:
    """It does not sit out the time that it would wait at most.

    Args:
        kind: of the credentials.
        late_answers: does the watch tell of them before the API server has answered?
        rotated: are they there already, with another password, so that no watch tells of something new?
        autojump_clock: virtual time.
    """
    async with open_world(late_answers) as world:
        if rotated:
            world.send(kind, credentials(kind))
            await trio.sleep(WAIT)
        world.send(kind, credentials(kind, "two"))
        world.send(
            Kind.APPLICATION, application("web", namespace=NAMESPACE, project="team", cascade=False)
        )
        began = trio.current_time()
        while world.waits_for(kind):
            assert not world.has_application()
            await trio.sleep(LOOK)
        await wait_all_tasks_blocked()
        assert world.has_application()
        assert began < trio.current_time() < began + WAIT
