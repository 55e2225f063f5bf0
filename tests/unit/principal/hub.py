"""A principal over a hub in process, and agents that are spoken by hand."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import attrs
import trio
from msgspec import structs

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import LinkBroken, NotFound
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Evidence, Holding, Outcome, Record, Result
from trio_argoagent.model.resources import (
    APP_PROJECTS,
    APPLICATIONS,
    CONFIG_MAPS,
    NAMESPACES,
    SECRETS,
    Resource,
)
from trio_argoagent.model.rulings import Ruling
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import Principal
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.runtime.config import PrincipalConfig, SelfRegistration
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.sync import buckets
from trio_argoagent.testing.network import MemoryLink, Network

from ..replication.world import Script

EMPTY = buckets.Buckets().root()
HUB = "argocd"


def make_env(seed: int = 3) -> Env:
    """Virtual time, and chance from a seed."""
    chance = random.Random(seed)
    return Env(now=trio.current_time, random=chance, entropy=chance.randbytes)


def hello(**more: Any) -> messages.Hello:
    """An agent's first message."""
    plain = messages.Hello(
        (1, 1), (), "1", "i", "c1", Mode.MANAGED, "argocd", "namespace", "", 1, EMPTY
    )
    return structs.replace(plain, **more)


def app_key(name: str = "web", kind: Kind = Kind.APPLICATION, namespace: str = "argocd") -> Key:
    """A key in the spoke's names."""
    return Key(kind, namespace, name)


def copy_body(**parts: Any) -> dict[str, Any]:
    """A copy projection of an Application."""
    spec = {
        "project": "default",
        "destination": {"name": "in-cluster"},
        "source": {"repoURL": "https://example.org/r", "path": "."},
    }
    return {"annotations": {}, "finalizers": [], "labels": {}, "spec": spec} | parts


def project_body(**parts: Any) -> dict[str, Any]:
    """A copy projection of an AppProject."""
    spec = {"destinations": [{"name": "x", "namespace": "*"}], "sourceRepos": ["*"]}
    return {"annotations": {}, "finalizers": [], "labels": {}, "spec": spec} | parts


def value(key: Key, body: Any, uid: str = "spoke-uid", digest: str = "D1") -> Record:
    """A record of an agent."""
    return Record(key, uid, digest, "7", body if isinstance(body, bytes) else canonical(body))


def tombstone(key: Key, uid: str) -> Record:
    """A record of an agent that something is gone."""
    return Record(key, uid, "", "7", None, Evidence.WITNESSED)


class Agent:
    """The far side of a link, spoken by hand."""

    def __init__(self, link: MemoryLink) -> None:
        self.link = link
        self.heard: list[messages.Message] = []
        self.ended = False
        self._changed = trio.Event()
        self._numbers = 0

    def say(self, message: messages.Message) -> None:
        """Send one message."""
        self.link.send_nowait(codec.encode(message))

    async def listen(self) -> None:
        """Keep what comes until the link ends."""
        try:
            while frames := await self.link.receive():
                for message in map(codec.decode, frames):
                    assert message is not None
                    self.heard.append(message)
                    if isinstance(message, messages.Ping):
                        self.say(messages.Pong(message.token))
                self._wake()
        except LinkBroken:
            pass  # An end like another, seen from here.
        finally:
            self.ended = True
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def wait_change(self) -> None:
        """Return when more has been heard, or the link has ended."""
        await self._changed.wait()

    async def hear(self, kind: type[Any]) -> Any:
        """The first message of that kind, waiting for it if need be."""
        with trio.fail_after(300):
            while not (found := [message for message in self.heard if isinstance(message, kind)]):
                assert not self.ended, f"the link has ended after {self.heard}"
                await self._changed.wait()
        return found[0]

    async def wait_end(self) -> None:
        """Return once the principal has ended the link."""
        with trio.fail_after(300):
            while not self.ended:
                await self._changed.wait()

    async def send(self, record: Record) -> int:
        """Send a record; returns its number."""
        self._numbers += 1
        self.say(messages.RecordMessage(self._numbers, record))
        return self._numbers

    async def ask(self, record: Record, *, final: bool = True) -> Result:
        """Send a record and wait for an answer to it; ``final``: not for ``pending``."""
        number = await self.send(record)
        with trio.fail_after(300):
            while not (found := self._answers(number, final=final)):
                assert not self.ended, f"the link has ended after {self.heard}"
                await self._changed.wait()
        return found[0]

    def _answers(self, number: int, *, final: bool) -> list[Result]:
        found = [r for r in self.results() if r.number == number]
        return [r for r in found if not (final and r.outcome is Outcome.PENDING)]

    def results(self) -> list[Result]:
        """All answers so far."""
        return [r for message in self.heard if isinstance(message, messages.Results) for r in message.results]

    async def list_held(self) -> dict[Key, Holding]:
        """What the principal holds, all of it."""
        self.say(messages.Buckets(b"\1" * (messages.BUCKETS * messages.BUCKET_SIZE)))
        with trio.fail_after(300):
            while not any(isinstance(message, messages.Leaf) and message.last for message in self.heard):
                await self._changed.wait()
        leaves = [message for message in self.heard if isinstance(message, messages.Leaf)]
        self.heard = [message for message in self.heard if not isinstance(message, messages.Leaf)]
        return {key: holding for leaf in leaves for key, holding in leaf.entries}


@attrs.define
class Hub:
    """See the module."""

    server: ApiServer
    users: LocalCluster
    script: Script
    network: Network
    principal: Principal
    nursery: trio.Nursery
    events: list[Event]
    rulings: list[Ruling]

    async def dial(self, name: str, first: messages.Message | None = None, **more: Any) -> Agent:
        """A link of that agent that has said hello (or ``first``)."""
        agent = Agent(self.network.connect(name))
        agent.say(first if first is not None else hello(**more))
        self.nursery.start_soon(agent.listen)
        return agent

    async def join(self, name: str, **more: Any) -> Agent:
        """A welcomed agent."""
        agent = await self.dial(name, **more)
        await agent.hear(messages.Welcome)
        return agent

    async def autonomous(self, name: str) -> Agent:
        """A welcomed autonomous agent of a cluster of its own."""
        return await self.join(name, mode=Mode.AUTONOMOUS, cluster_uid=f"cluster-{name}")

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """What the hub holds."""
        try:
            return Object.parse(self.server.get(resource, namespace, name).json)
        except NotFound:
            return None

    def app(self, namespace: str, name: str = "web") -> Object | None:
        """An Application of the hub."""
        return self.find(APPLICATIONS, namespace, name)

    def project(self, name: str) -> Object | None:
        """An AppProject of the hub."""
        return self.find(APP_PROJECTS, HUB, name)


@contextlib.asynccontextmanager
async def open_hub(
    *agents: str,
    identity: dict[str, Any] | None = None,
    registration: SelfRegistration | None = None,
    script: Script | None = None,
) -> AsyncIterator[Hub]:
    """A hub with a namespace and a cluster secret for each of these agents, and its principal at work.

    Where a script is given, it may be that it does not get to work.
    """
    env, waits = make_env(), script is None
    script = script or Script()
    server = argocd_server(entropy=env.entropy)
    users = LocalCluster(server, env=env, actor="user")
    for name in (HUB, *agents):
        await users.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for name in agents:
        await users.create(SECRETS, make_secret(name, HUB))
    if identity is not None:
        await users.create(CONFIG_MAPS, identity)
    network = Network(random.Random(5))
    events: list[Event] = []
    rulings: list[Ruling] = []
    principal = Principal(
        PrincipalConfig(HUB, registration=registration),
        cluster=LocalCluster(server, env=env, actor="principal", gate=script),
        listener=network.listener(),
        env=make_env(4),
        observer=events.append,
        audit=rulings.append,
    )

    async def serve(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await principal.run(task_status=task_status)

    async with trio.open_nursery() as nursery:
        if waits:
            await nursery.start(serve)
        else:
            nursery.start_soon(serve)
        yield Hub(server, users, script, network, principal, nursery, events, rulings)
        nursery.cancel_scope.cancel()
    assert network.failures == [], "a handler of a link failed"


REJECTED = Outcome.REJECTED
PENDING = Outcome.PENDING
APPLIED = Outcome.APPLIED
