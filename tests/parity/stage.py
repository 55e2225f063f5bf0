"""The stage of a scenario: a principal, agents, a simulated Argo CD on each spoke, and short words for users.

All of it speaks to its clusters through the port alone, so that a story cannot tell embedded servers from
real ones. Programs run in this process and are killed by cancelling them; the network between them is in
memory, for what goes over a wire has tests of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs
import trio

from trio_argoagent.agent import Agent
from trio_argoagent.errors import NotFound
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES, SECRETS, Resource
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import Principal
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.runtime.config import AgentConfig, PrincipalConfig
from trio_argoagent.sync.destinations import DestinationMapping
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.patterns import NONE, Patterns
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.application_controller import run_application_controller
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.fleet import EVERYWHERE
from trio_argoagent.testing.networks import make_network
from trio_argoagent.testing.programs import Program
from trio_argoagent.testing.redisfake import FakeRedis
from trio_argoagent.testing.scheduling import stream

PATIENCE: Final = 120.0
"""Seconds for anything to come true: on a slow machine a real server takes its time."""
POLL: Final = 0.2
"""Seconds between two looks."""
COUNT_EVERY: Final = 1.0
"""Seconds between two looks of an agent at what its cluster holds."""
QUICK: Final = Settings(operation=0.2, progressing=0.2, pruning=0.2)
"""A real server's time is real: nobody wants to wait for a deployment that is none."""


@attrs.frozen
class Backing:
    """What a stage stands on.

    Attributes:
        hub: the hub's API.
        spoke: an agent's API, by the agent's name; agents may share a cluster.
        env: of a program, by its name.
        tag: ends the names of this story's namespaces, and so makes them its own where clusters outlive it;
            may be empty.
    """

    hub: Cluster
    spoke: Callable[[str], Cluster]
    env: Callable[[str], Env]
    tag: str = ""


@attrs.frozen
class _Controller:
    side: Side

    async def run(self) -> None:
        side = self.side
        await run_application_controller(
            side.cluster,
            side.namespace,
            env=side.env,
            world=side.world,
            settings=attrs.evolve(QUICK, namespaces=side.tenants.patterns),
        )


class Side:
    """One agent: its name, which is its namespace on the hub, and its cluster."""

    def __init__(self, stage: Stage, name: str, mode: Mode) -> None:
        self.stage, self.name, self.mode = stage, name, mode
        self.namespace = f"argocd-{name}"
        """Argo CD's on the spoke."""
        self.cluster = stage.backing.spoke(name)
        self.env = stage.backing.env(f"{name} cluster")
        self.world = World()
        self.redis = FakeRedis()
        """Argo CD's on the spoke."""
        self.mapping = stage.principal_config.mapping(name, mode, self.namespace)
        self.tenants = self.mapping.allowed if isinstance(self.mapping, DestinationMapping) else NONE
        """The further namespaces whose Applications take part."""
        self.controller: Program[Any] = Program(f"{name}/controller", lambda start: _Controller(self))
        self.agent: Program[Agent] = Program(name, partial(stage.make_agent, self))

    # What a user does and sees

    def owner(self) -> tuple[Cluster, str]:
        """Where this agent's Applications are owned: cluster and namespace."""
        return (self.cluster, self.namespace) if self.mapping.autonomous else (self.stage.hub, self.name)

    async def create(self, name: str, **more: Any) -> Object:
        """Create an Application where it is owned; see ``application``."""
        cluster, namespace = self.owner()
        return await cluster.create(APPLICATIONS, application(name, namespace=namespace, **more))

    async def on_hub(self, name: str) -> Object | None:
        """An Application of this agent on the hub."""
        return await find(self.stage.hub, APPLICATIONS, self.name, name)

    async def on_spoke(self, name: str) -> Object | None:
        """An Application of this agent on its cluster."""
        return await find(self.cluster, APPLICATIONS, self.namespace, name)

    async def edit_on_hub(self, name: str, value: Mapping[str, Any]) -> Object:
        """Merge into an Application of this agent on the hub."""
        return await self.stage.hub.patch(APPLICATIONS, self.name, name, MergePatch(value))

    async def edit_on_spoke(self, name: str, value: Mapping[str, Any]) -> Object:
        """Merge into an Application of this agent on its cluster."""
        return await self.cluster.patch(APPLICATIONS, self.namespace, name, MergePatch(value))

    def cut(self) -> None:
        """Break this agent's link, and let it open none until ``heal``."""
        self.stage.network.cut(self.name)

    def heal(self) -> None:
        """End ``cut``."""
        self.stage.network.heal(self.name)

    async def differences(self) -> list[str]:
        """What hub and spoke do not agree about, one line each."""
        hub, stage = self.stage.hub, self.stage
        anywhere = isinstance(self.mapping, DestinationMapping)
        copies = await self.cluster.list(APPLICATIONS, "" if anywhere else self.namespace)
        both = oracle.arrange(
            self.mapping,
            (await hub.list(APPLICATIONS, "" if anywhere else self.name)).items,
            [app for app in copies.items if app.meta.namespace.endswith(stage.backing.tag)],
            (await hub.list(APP_PROJECTS, stage.namespace)).items,
            (await self.cluster.list(APP_PROJECTS, self.namespace)).items,
            {
                row.kind: (
                    oracle.of_kind(row, await listed(hub, row.resource, stage.namespace)),
                    oracle.of_kind(row, await listed(self.cluster, row.resource, self.namespace)),
                )
                for row in oracle.other_rows()
            },
        )
        return oracle.compare(both, self.mapping)


class Stage:
    """See the module. ``play`` makes it.

    Args:
        backing: the clusters.
        modes: the agents by name, and their modes.
        principal_config: changes the principal's settings.
        agent_config: changes each agent's settings.
        strangers: the agents that have no cluster secret.
        tenants: patterns of namespaces whose Applications say by their destination whose they are; none:
            an Application's namespace says it.
    """

    def __init__(
        self,
        backing: Backing,
        modes: Mapping[str, Mode],
        principal_config: Callable[[PrincipalConfig], PrincipalConfig],
        agent_config: Callable[[AgentConfig], AgentConfig],
        strangers: Sequence[str] = (),
        tenants: Sequence[str] = (),
    ) -> None:
        self.backing, self.hub = backing, backing.hub
        self.namespace = f"argocd{backing.tag}"
        """Argo CD's on the hub."""
        self._strangers = tuple(name + backing.tag for name in strangers)
        config = PrincipalConfig(self.namespace)
        if tenants:
            ours = Patterns(tuple(pattern + backing.tag for pattern in tenants))
            config = attrs.evolve(config, style=Style.DESTINATION, allowed_namespaces=ours)
        self.principal_config = principal_config(config)
        self._agent_config = agent_config
        self.network = make_network(1, stream(1, "network"))
        self.principal: Program[Principal] = Program("principal", self._make_principal)
        self.sides = {name: Side(self, name + backing.tag, mode) for name, mode in modes.items()}
        """By the names that the story has given them."""
        self.redis = FakeRedis()
        """Argo CD's on the hub."""

    @property
    def side(self) -> Side:
        """The only agent."""
        (only,) = self.sides.values()
        return only

    def make_agent(self, side: Side, start: int) -> Agent:
        """A fresh agent's process."""
        config = AgentConfig(side.namespace, side.mode, side.name, count_every=COUNT_EVERY)
        style = self.principal_config.style_of(side.mode)
        config = attrs.evolve(config, style=style, allowed_namespaces=side.tenants)
        return Agent(
            self._agent_config(config),
            cluster=side.cluster,
            dialer=self.network.dialer(side.name),
            env=self.backing.env(f"{side.name} {start}"),
            redis=side.redis.server(),
        )

    def _make_principal(self, start: int) -> Principal:
        return Principal(
            self.principal_config,
            cluster=self.hub,
            listener=self.network.listener(),
            env=self.backing.env(f"principal {start}"),
            redis=self.redis.server(),
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Furnish the clusters and run every program while it is wanted, until cancelled."""
        await self._furnish()
        async with trio.open_nursery() as nursery:
            for redis in (self.redis, *(side.redis for side in self.sides.values())):
                nursery.start_soon(redis.run)
            for program in (self.principal, *self._programs()):
                nursery.start_soon(program.run)
                program.start()
            task_status.started()

    def _programs(self) -> Sequence[Program[Any]]:
        return [program for side in self.sides.values() for program in (side.agent, side.controller)]

    async def _furnish(self) -> None:
        """Namespaces and default projects, as somebody who installs all this makes them."""
        for name in (self.namespace, *(side.name for side in self.sides.values())):
            await self.hub.create(NAMESPACES, namespace(name))
        await self.hub.create(APP_PROJECTS, app_project(namespace=self.namespace, **EVERYWHERE))
        for side in self.sides.values():
            if side.name not in self._strangers:
                await self.register(side)
            await side.cluster.create(NAMESPACES, namespace(side.namespace))
            if side.mapping.autonomous:
                await side.cluster.create(APP_PROJECTS, app_project(namespace=side.namespace))

    async def register(self, side: Side) -> None:
        """Make an agent's cluster secret."""
        await self.hub.create(SECRETS, make_secret(side.name, self.namespace))

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it is true.

        Raises:
            trio.TooSlowError: it has not become true in ``PATIENCE`` seconds.
        """
        with trio.fail_after(PATIENCE):
            while not await condition():  # noqa: ASYNC110 (another cluster does not tell us)
                await trio.sleep(POLL)

    async def agree(self) -> None:
        """Wait until hub and spokes agree about every object.

        Raises:
            AssertionError: they do not in ``PATIENCE`` seconds; says about what.
        """
        found: list[str] = ["nothing was compared"]
        with trio.move_on_after(PATIENCE):
            while found:
                found = [line for side in self.sides.values() for line in await side.differences()]
                await trio.sleep(POLL)
        assert found == []


async def find(cluster: Cluster, resource: Resource, where: str, name: str) -> Object | None:
    """An object, or None where there is none."""
    try:
        return await cluster.get(resource, where, name)
    except NotFound:
        return None


async def listed(cluster: Cluster, resource: Resource, where: str) -> dict[str, Object]:
    """The objects of a namespace by name."""
    return {obj.meta.name: obj for obj in (await cluster.list(resource, where)).items}


def namespace(name: str) -> dict[str, Any]:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
