"""One API server in process with an informer and an executor over it, whose calls fail by a script."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import Call, LocalCluster
from trio_argoagent.kube.informer import Informer
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES, Resource
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.replication.executor import Executor
from trio_argoagent.replication.known import Known
from trio_argoagent.sync import steps
from trio_argoagent.testing.argocd.applications import application

NAMESPACE = "argocd"


def make_env(seed: int = 7) -> Env:
    """Virtual time, and chance from a seed."""
    chance = random.Random(seed)
    return Env(now=trio.current_time, random=chance, entropy=chance.randbytes)


class Script:
    """A gate that raises what it is told to, once each: before or after a verb has been carried out."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._before: list[tuple[str, Exception]] = []
        self._after: list[tuple[str, Exception]] = []
        self.barred: dict[tuple[str, Resource], Exception] = {}
        """What each such call is answered with, for as long as it stands here."""
        self.waits: dict[str, float] = {}
        """Seconds that each such call takes."""

    def refuse(self, verb: str, error: Exception) -> None:
        """The next such call is answered with this error, and does nothing."""
        self._before.append((verb, error))

    def lose(self, verb: str, error: Exception) -> None:
        """The next such call is carried out, but its caller sees this error."""
        self._after.append((verb, error))

    async def before(self, call: Call) -> None:
        """See ``Gate``."""
        self.calls.append(call.verb)
        await trio.sleep(self.waits.get(call.verb, 0.0))
        if (call.verb, call.resource) in self.barred:
            raise self.barred[call.verb, call.resource]
        self._raise(self._before, call)

    async def after(self, call: Call) -> None:
        """See ``Gate``."""
        self._raise(self._after, call)

    @staticmethod
    def _raise(script: list[tuple[str, Exception]], call: Call) -> None:
        for entry in script:
            if entry[0] == call.verb:
                script.remove(entry)
                raise entry[1]


@attrs.define
class World:
    """See the module."""

    server: ApiServer
    users: LocalCluster
    script: Script
    informer: Informer
    known: Known
    executor: Executor

    async def add(self, name: str = "web", **metadata: Any) -> Object:
        """Create an Application as a user would; the informer has heard of it."""
        made = await self.users.create(APPLICATIONS, application(name, cascade=False, metadata=metadata))
        await wait_all_tasks_blocked()
        return made

    async def edit(self, name: str = "web", **labels: str | None) -> Object:
        """Set labels as a user would; the informer has not heard of it yet."""
        patch = MergePatch({"metadata": {"labels": labels}})
        return await self.users.patch(APPLICATIONS, NAMESPACE, name, patch)

    def now(self, name: str = "web") -> Object:
        """What the server holds."""
        return Object.parse(self.server.get(APPLICATIONS, NAMESPACE, name).json)


@contextlib.asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """A world whose informer runs while the context is open."""
    env, script = make_env(), Script()
    server = argocd_server(entropy=env.entropy)
    users = LocalCluster(server, env=env, actor="user")
    await users.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    ours = LocalCluster(server, env=env, actor="product", gate=script)
    informer = Informer(users, APPLICATIONS, NAMESPACE, env=env)
    known = Known(informer)
    async with trio.open_nursery() as nursery:
        await nursery.start(informer.run)
        yield World(server, users, script, informer, known, Executor(ours, APPLICATIONS, known))
        nursery.cancel_scope.cancel()


class Steps:
    """A plan that names these steps, then is done; ``seen`` is what it was shown."""

    def __init__(self, *steps_: steps.Step) -> None:
        self.seen: list[Object | None] = []
        self.wrote_: list[Object] = []
        self._steps: Iterator[steps.Step] = iter(steps_)

    def step(self, live: Object | None) -> steps.Step:
        """See ``Plan``."""
        self.seen.append(live)
        return next(self._steps, steps.APPLIED)

    def wrote(self, step: steps.Step, obj: Object) -> None:
        """See ``Plan``."""
        self.wrote_.append(obj)


class Label:
    """A plan that wants one label, tested against the version it has seen."""

    def __init__(self, text: str, *, careless: bool = False) -> None:
        self.text, self.careless, self.tries = text, careless, 0

    def step(self, live: Object | None) -> steps.Step:
        """See ``Plan``."""
        if live is None:
            return steps.Create(application("web", cascade=False, metadata={"labels": {"our": self.text}}))
        if live.labels.get("our") == self.text:
            return steps.APPLIED
        self.tries += 1
        guard = [] if self.careless else [steps.at_version(live)]
        return steps.Patch([*guard, *steps.map_changes("labels", live.labels, {"our": self.text})])

    def wrote(self, step: steps.Step, obj: Object) -> None:
        """See ``Plan``."""
