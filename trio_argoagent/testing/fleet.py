"""A whole fleet in one process: the hub, its principal, and spokes with an agent and an Argo CD each.

Each cluster is an embedded API server; each program runs in a cancel scope of its own, reads and writes as a
client of its own, and draws time and chance from an environment of its own. A program that is killed is
cancelled wherever it is and forgets everything. Only the clusters, and what is deployed on them (``World``),
outlive that. What can be done to a fleet is in ``outages``.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs
import trio

from trio_argoagent.agent import Agent
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster, run_collector
from trio_argoagent.errors import UserError
from trio_argoagent.model.rulings import Ruling
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import Principal
from trio_argoagent.principal.gatekeeper import Gatekeeper
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol.negotiation import OURS, Offer
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.patterns import ALL
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.faults import NONE, Faults, FaultyCluster, Limbo
from trio_argoagent.testing.furnishing import EVERYWHERE as EVERYWHERE
from trio_argoagent.testing.furnishing import furnish_hub, furnish_spoke
from trio_argoagent.testing.hindrance import HinderedCluster
from trio_argoagent.testing.networks import STRAIGHT, Way, make_network
from trio_argoagent.testing.operator import run_operator
from trio_argoagent.testing.outages import HUB, Outages
from trio_argoagent.testing.programs import Program
from trio_argoagent.testing.redisfake import FakeRedis
from trio_argoagent.testing.scheduling import EPOCH, make_env, stream
from trio_argoagent.testing.snapshot import Snapshot, take_snapshot
from trio_argoagent.testing.spokes import CONTROLLER as CONTROLLER
from trio_argoagent.testing.spokes import NAMESPACE as NAMESPACE
from trio_argoagent.testing.spokes import Controller
from trio_argoagent.testing.spokes import Spoke as Spoke
from trio_argoagent.testing.spokes import SpokePlan as SpokePlan
from trio_argoagent.testing.user import apply_objects, unsynced
from trio_argoagent.testing.versions import Version, dialing_as, listening_as

PRINCIPAL: Final = "principal"
USER: Final = "user"
"""The actor of what a test does by hand."""
MAX_EVENTS: Final = 10_000
"""Events of the programs that are kept."""
COUNT_EVERY: Final = 10.0
"""Seconds between two looks of an agent at what its cluster holds, where there is Redis."""
POLL: Final = 1.0
"""Seconds between two looks at whether both sides agree."""
PRODUCT: Final = frozenset((PRINCIPAL, "agent"))
"""The actors whose writes are the product's own."""


class Fleet(Outages):
    """See the module. ``open_fleet`` makes it and runs it; only running it needs Trio.

    Args:
        seed: of everything that is drawn.
        plans: the spokes.
        level: of the network: 1, whole frames in memory; 2, HTTP/2 over bytes in memory.
        style: how Applications find the managed agents. By destination, all namespaces take part, and agents
            make those that are missing.
        way: what links travel on, at level 2.
        redis: does every cluster have Argo CD's Redis, and does the principal write there what the UI shows?
        offers: what these programs can do on a link, by their names; the others can do all.

    Raises:
        UserError: the spokes' names are not distinct, or one is that of the hub or the principal; or there is
            no such level.
    """

    def __init__(
        self,
        seed: int,
        plans: Sequence[SpokePlan],
        *,
        level: int = 1,
        style: Style = Style.NAMESPACE,
        redis: bool = False,
        way: Way = STRAIGHT,
        offers: Mapping[str, Offer] | None = None,
    ) -> None:
        _check_names([HUB, PRINCIPAL, *(plan.name for plan in plans)])
        network = make_network(level, stream(seed, "network"), way)
        super().__init__(network, partial(stream, seed, "throttle"))
        self.seed = seed
        self.config = PrincipalConfig(NAMESPACE, style=style, allowed_namespaces=ALL)
        self.env = make_env(seed, "hub")
        self.hub = argocd_server(entropy=self.env.entropy, history=0, now=EPOCH)
        self.events: deque[tuple[float, str, Event]] = deque(maxlen=MAX_EVENTS)
        self.rulings: deque[tuple[float, Ruling]] = deque(maxlen=MAX_EVENTS)
        """The principal's security decisions, and when (seconds of virtual time)."""
        self.observers: list[Callable[[str, Event], None]] = []
        """Told what the programs report: which one, and what."""
        self.confirming = True
        """Does somebody confirm whatever deletions are held, as soon as the hub shows them?"""
        self.intent_expiry = 0.0  # Seconds in which a sync must be started, of the next principal; 0: any.
        self.disguises: dict[str, Version] = {}
        """The programs that are of another version when they start next, and which."""
        self.offers = dict(offers or {})
        self.limbo = Limbo()
        self.clients: dict[str, FaultyCluster] = {}
        """Each program's view of its cluster: set ``faults`` there."""
        self.spokes = {plan.name: self._make_spoke(plan) for plan in plans}
        self.servers = {HUB: self.hub, **{name: spoke.server for name, spoke in self.spokes.items()}}
        self.redis = {name: FakeRedis() for name in self.servers if redis}
        """Each cluster's Redis, by the cluster's name."""
        self.principal = Program(PRINCIPAL, self._make_principal)
        self.agents = {spoke.name: self._agent_program(spoke) for spoke in self.spokes.values()}
        self.controllers = {s.controller: self._controller_program(s) for s in self.spokes.values()}
        self.programs = {PRINCIPAL: self.principal, **self.agents, **self.controllers}

    # Building

    def _make_spoke(self, plan: SpokePlan) -> Spoke:
        env = make_env(self.seed, plan.name, "cluster")
        server = argocd_server(entropy=env.entropy, history=0, now=EPOCH)
        mapping = self.config.mapping(plan.name, plan.mode, NAMESPACE)
        return Spoke(plan, server, env, World(), mapping)

    def _client(self, program: str, server: ApiServer, env: Env, actor: str) -> HinderedCluster:
        local = LocalCluster(server, env=env, actor=actor)
        before = self.clients.get(program)
        chance = stream(self.seed, program, "faults")
        client = FaultyCluster(local, self.limbo, chance) if before is None else before
        self.clients[program] = client
        return HinderedCluster(client, self.hindrance_of(program))

    def _env(self, program: str, start: int) -> Env:
        return self.skewed(program, make_env(self.seed, program, start))

    def _offer(self, program: str) -> Offer:
        return self.offers.get(program, OURS)

    def _redis_of(self, cluster: str) -> RedisServer | None:
        return self.redis[cluster].server() if self.redis else None

    def _observe(self, program: str, event: Event) -> None:
        self.events.append((trio.current_time(), program, event))
        for observer in self.observers:
            observer(program, event)

    def _rule(self, ruling: Ruling) -> None:
        self.rulings.append((trio.current_time(), ruling))

    def _make_principal(self, start: int) -> Principal:
        gatekeeper = self.network.gate = Gatekeeper(self._rule)
        principal = Principal(
            attrs.evolve(self.config, intent_expiry=self.intent_expiry, offer=self._offer(PRINCIPAL)),
            cluster=self._client(PRINCIPAL, self.hub, self.env, PRINCIPAL),
            listener=listening_as(self.disguises.get(PRINCIPAL), self.network.listener()),
            env=self._env(PRINCIPAL, start),
            observer=partial(self._observe, PRINCIPAL),
            audit=self._rule,
            gatekeeper=gatekeeper,
            redis=self._redis_of(HUB),
        )
        principal.follow(self.network.freshness(PRINCIPAL))
        return principal

    def _agent_program(self, spoke: Spoke) -> Program[Agent]:
        def make(start: int) -> Agent:
            every = COUNT_EVERY if self.redis else 0.0
            return Agent(
                attrs.evolve(spoke.agent_config(), count_every=every, offer=self._offer(spoke.name)),
                cluster=self._client(spoke.name, spoke.server, spoke.env, "agent"),
                dialer=dialing_as(self.disguises.get(spoke.name), self.network.dialer(spoke.name)),
                env=self._env(spoke.name, start),
                observer=partial(self._observe, spoke.name),
                redis=self._redis_of(spoke.name),
                freshness=self.network.freshness(spoke.name),
            )

        return Program(spoke.name, make)

    def _controller_program(self, spoke: Spoke) -> Program[Controller]:
        def make(start: int) -> Controller:
            client = self._client(spoke.controller, spoke.server, spoke.env, CONTROLLER)
            return Controller(client, self._env(spoke.controller, start), spoke)

        return Program(spoke.controller, make)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the clusters, and each program while it is wanted, until cancelled."""
        await self._furnish()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.limbo.run)
            nursery.start_soon(
                run_operator, self.hub_as("operator"), self.hub, NAMESPACE, self.env, lambda: self.confirming
            )
            for server, env in self.clusters():
                nursery.start_soon(partial(run_collector, server, env=env))
            for redis in self.redis.values():
                nursery.start_soon(redis.run)
            for program in self.programs.values():
                nursery.start_soon(program.run, name=program.name)
            task_status.started()

    def clusters(self) -> Sequence[tuple[ApiServer, Env]]:
        """The hub, and then each spoke, with its wall clock."""
        return [(self.hub, self.env), *((s.server, s.env) for s in self.spokes.values())]

    async def _furnish(self) -> None:
        await furnish_hub(self.hub_as("installer"), NAMESPACE, self.spokes)
        for spoke in self.spokes.values():
            cluster = self.spoke_as(spoke.name, "installer")
            await furnish_spoke(cluster, NAMESPACE, autonomous=spoke.mapping.autonomous)

    # Using

    def hub_as(self, actor: str) -> LocalCluster:
        """The hub as a client of that name sees it, without faults."""
        return LocalCluster(self.hub, env=self.env, actor=actor)

    def spoke_as(self, name: str, actor: str) -> LocalCluster:
        """A spoke as a client of that name sees it, without faults."""
        spoke = self.spokes[name]
        return LocalCluster(spoke.server, env=spoke.env, actor=actor)

    def start(self, *programs: str) -> None:
        """Start these programs; none named: all."""
        for name in programs or self.programs:
            self.programs[name].start()

    async def stop(self, program: str) -> None:
        """Let the principal or an agent take leave, as SIGTERM does; it is down then, until ``restart``."""
        if isinstance(instance := self.programs[program].instance, Agent | Principal):
            await instance.stop()
        self.kill(program)

    def crash(self, program: str) -> None:
        """Another word for ``kill``."""
        self.kill(program)

    async def apply(
        self, objects: Mapping[str, Any] | Sequence[Mapping[str, Any]], cluster: str = HUB, actor: str = USER
    ) -> None:
        """Create objects, or change those that are there already, as ``kubectl apply`` does.

        A field that an object does not name stays as it is. Namespaces must exist: on the hub ``argocd`` and
        one called as each agent, on a spoke ``argocd``.

        Args:
            objects: one Kubernetes object, or several.
            cluster: ``hub`` or an agent's name.
            actor: who does it, for the server's log.

        Raises:
            UserError: there is no such cluster, or an object is of a kind that it does not serve.
            ApiError: the server's own answer to an object that it does not accept.
        """
        await apply_objects(self.cluster(cluster, actor), objects)

    def push(self, path: str = "guestbook") -> None:
        """Commit a change of that path to the example repository; each Argo CD finds it at its next look."""
        for spoke in self.spokes.values():
            spoke.world.git = spoke.world.git.push(EXAMPLES, path)

    def cluster(self, name: str, actor: str = USER) -> LocalCluster:
        """The hub (``hub``) or an agent's cluster as a client of that name sees it, without faults."""
        self._server(name)
        return self.hub_as(actor) if name == HUB else self.spoke_as(name, actor)

    def snapshot(self) -> Snapshot:
        """What every cluster holds now."""
        return take_snapshot(self.servers)

    def set_faults(self, faults: Faults = NONE) -> None:
        """From now on every program's calls to its API server go wrong by these shares."""
        for client in self.clients.values():
            client.faults = faults

    def differences(self, *, cosmetic: bool = False) -> list[str]:
        """What differs between the hub and the spokes; see ``oracle``."""
        spokes = ((each.server, each.mapping, each.plan.policies.local) for each in self.spokes.values())
        return oracle.everywhere(self.hub, spokes, cosmetic=cosmetic)

    async def wait_consistent(self, timeout: float = 300.0, *, cosmetic: bool = False) -> float:
        """Wait until both sides agree everywhere; returns how many seconds it took.

        Raises:
            AssertionError: they still differ after ``timeout`` seconds.
        """
        began = trio.current_time()
        while self.limbo.requests or self.differences(cosmetic=cosmetic):
            if trio.current_time() >= began + timeout:
                self.assert_consistent(cosmetic=cosmetic)
            await trio.sleep(POLL)
        return trio.current_time() - began

    def assert_consistent(self, *, cosmetic: bool = False) -> None:
        """Say what differs, if anything does.

        Raises:
            AssertionError: something does.
        """
        if found := self.differences(cosmetic=cosmetic):
            raise AssertionError(f"seed {self.seed}, {trio.current_time():.1f} s:\n  " + "\n  ".join(found))

    async def wait_synced(self, timeout: float = 300.0) -> float:
        """Wait until every Application on the hub is Synced and Healthy, and both sides agree.

        Args:
            timeout: seconds; an Application that nobody syncs never gets there.

        Returns:
            How many seconds it took.

        Raises:
            AssertionError: it is not so after ``timeout`` seconds; the text names the Applications.
        """
        began = trio.current_time()
        while left := unsynced(self.hub):
            if trio.current_time() >= began + timeout:
                raise AssertionError(f"seed {self.seed}, after {timeout:g} s:\n  " + "\n  ".join(left))
            await trio.sleep(POLL)
        await self.wait_consistent(began + timeout - trio.current_time())
        return trio.current_time() - began

    async def until(self, condition: Callable[[], bool], timeout: float = 120.0, look: float = 0.1) -> None:
        """Wait for a condition that is looked at every ``look`` seconds.

        Raises:
            trio.TooSlowError: it did not come true within ``timeout`` seconds.
        """
        with trio.fail_after(timeout):
            while not condition():  # noqa: ASYNC110 (it may become true in any of several clusters)
                await trio.sleep(look)


def _check_names(names: Sequence[str]) -> None:
    if len({*names}) < len(names):
        raise UserError(f"clusters and the principal need names of their own, not: {', '.join(names)}")


@contextlib.asynccontextmanager
async def open_fleet(
    plans: Sequence[SpokePlan],
    *,
    seed: int = 0,
    start: bool = True,
    level: int = 1,
    style: Style = Style.NAMESPACE,
    redis: bool = False,
    way: Way = STRAIGHT,
    offers: Mapping[str, Offer] | None = None,
) -> AsyncIterator[Fleet]:
    """A fleet that runs while the context is open.

    Args:
        plans: the spokes.
        seed: of everything that is drawn.
        start: start every program at once.
        level: of the network; see ``Fleet``.
        style: how Applications find their agents; see ``Fleet``.
        redis: see ``Fleet``.
        way: see ``Fleet``.
        offers: see ``Fleet``.
    """
    fleet = Fleet(seed, plans, level=level, style=style, redis=redis, way=way, offers=offers)
    async with run_fleet(fleet, start=start):
        yield fleet


@contextlib.asynccontextmanager
async def run_fleet(fleet: Fleet, *, start: bool = True) -> AsyncIterator[Fleet]:
    """Run a fleet, once, while the context is open; see ``open_fleet``.

    Raises:
        ExceptionGroup: handlers of links failed in a way that is a bug.
    """
    async with trio.open_nursery() as nursery:
        await nursery.start(fleet.run)
        if start:
            fleet.start()
        yield fleet
        nursery.cancel_scope.cancel()
    if fleet.network.failures:
        raise ExceptionGroup("handlers of links failed", fleet.network.failures)
