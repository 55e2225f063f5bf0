"""What befalls a fleet: a table of troubles, each with a name, a weight, and a way to make it.

A trouble is made by an async function that undoes it before it returns, however it ends; cancelling all of
them leaves a fleet with nothing wrong. What users do is in ``workload``, when what happens in ``plan``.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import attrs
import trio

from trio_argoagent.agent import Agent
from trio_argoagent.errors import AlreadyExists, ApiError, LinkError, Unavailable
from trio_argoagent.model.resources import NAMESPACES
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.testing import rollouts
from trio_argoagent.testing.conditions import Tear
from trio_argoagent.testing.faults import Faults, FaultyCluster
from trio_argoagent.testing.fleet import CONTROLLER, NAMESPACE, PRINCIPAL, SpokePlan
from trio_argoagent.testing.pipes import Bottleneck
from trio_argoagent.testing.scheduling import make_env, stream
from trio_argoagent.testing.stage import NEVER, Item, Stage

HUB: Final = "hub"
DAY: Final = 86_400.0
"""Seconds."""
SLOWEST: Final = 1024.0
"""Bytes a second of the slowest link."""
TORN_WITHIN: Final = 2000.0
"""Bytes, within which a connection that is torn ends."""
NAMESPACE_WAIT: Final = 30.0
"""Seconds that a namespace is given to be gone."""


class Aim(enum.Enum):
    """What a trouble strikes."""

    AGENT = "an agent's link"
    PRODUCT = "the principal or an agent"
    CONTROLLER = "an application-controller"
    PRINCIPAL = "the principal"
    CLUSTER = "a cluster"


Make = Callable[[Stage, Item], Awaitable[None]]


@attrs.frozen
class Fault:
    """One kind of trouble.

    Attributes:
        name: for plans and people.
        what: one line.
        aim: what it strikes.
        weight: how often it is drawn beside the others.
        lasts: seconds on average.
        make: makes it, waits for as long as it lasts, and undoes it.
        usual: is it drawn unless others are named? One that came later is not: it would change what each seed
            plans.
    """

    name: str
    what: str
    aim: Aim
    weight: int
    lasts: float
    make: Make
    usual: bool = True

    def targets(self, spokes: Sequence[SpokePlan]) -> list[str]:
        """What it can strike in a fleet of these spokes."""
        names = [spoke.name for spoke in spokes]
        match self.aim:
            case Aim.AGENT:
                return names
            case Aim.PRODUCT:
                return [PRINCIPAL, *names]
            case Aim.PRINCIPAL:
                return [PRINCIPAL]
            case Aim.CONTROLLER:
                return [f"{name}/{CONTROLLER}" for name in names]
            case Aim.CLUSTER:
                return [HUB, *names]


# The network


async def _cut(stage: Stage, item: Item) -> None:
    with stage.cut(item.target):
        await trio.sleep(item.lasts)


async def _reset(stage: Stage, item: Item) -> None:
    with stage.cut(item.target):
        await trio.lowlevel.checkpoint()


async def _flap(stage: Stage, item: Item) -> None:
    with trio.move_on_after(item.lasts):
        while True:
            with stage.cut(item.target):
                await trio.sleep(0.1)
            await trio.sleep(0.1)


async def _half_open(stage: Stage, item: Item) -> None:
    stage.fleet.network.half_open(item.target)
    await trio.lowlevel.checkpoint()


async def _one_way(stage: Stage, item: Item) -> None:
    up = item.strength < 0.5
    stage.fleet.network.half_open(item.target, up=up, down=not up)
    await trio.lowlevel.checkpoint()


async def _refuse(stage: Stage, item: Item) -> None:
    with stage.refused(item.target), stage.cut(item.target):
        await trio.lowlevel.checkpoint()
    with stage.refused(item.target):
        await trio.sleep(item.lasts)


async def _latency(stage: Stage, item: Item) -> None:
    chance, most = stage.chance(item), 5.0 * item.strength
    with stage.late(item.target, lambda up, size: chance.uniform(0.0, most)):
        await trio.sleep(item.lasts)


async def _slow_link(stage: Stage, item: Item) -> None:
    rate = SLOWEST * (1.0 + 7.0 * (1.0 - item.strength))
    lines = {True: Bottleneck(rate), False: Bottleneck(rate)}
    with stage.late(item.target, lambda up, size: lines[up].lateness(size)):
        await trio.sleep(item.lasts)


async def _stall(stage: Stage, item: Item) -> None:
    until = trio.current_time() + item.lasts
    with stage.late(item.target, lambda up, size: max(0.0, until - trio.current_time())):
        await trio.sleep(item.lasts)


async def _deaf(stage: Stage, item: Item) -> None:
    deaf = item.strength < 0.5
    with stage.late(item.target, lambda up, size: NEVER if up is deaf else 0.0):
        await trio.sleep(item.lasts)


async def _second_link(stage: Stage, item: Item) -> None:
    """Somebody with the agent's certificate connects, and says nothing."""
    try:
        async with stage.fleet.network.dialer(item.target).dial():
            await trio.sleep(item.lasts)
    except LinkError:
        await trio.lowlevel.checkpoint()


def _tear(how: Tear) -> Make:
    async def run(stage: Stage, item: Item) -> None:
        stage.fleet.tear(item.target, int(TORN_WITHIN * item.strength), how)
        await trio.lowlevel.checkpoint()

    return run


# Calls of a program to its API server


def _calls(make: Callable[[float], Faults]) -> Make:
    async def run(stage: Stage, item: Item) -> None:
        with stage.rule(item.target, make(item.strength), stage.chance(item)):
            await trio.sleep(item.lasts)

    return run


def _relisting(make: Callable[[float], Faults]) -> Make:
    """Likewise, and every watch must list again: what spoils lists is idle otherwise."""

    async def run(stage: Stage, item: Item) -> None:
        with stage.rule(item.target, make(item.strength), stage.chance(item)):
            _forget_all(stage, HUB if item.target == PRINCIPAL else item.target)
            await trio.sleep(item.lasts)

    return run


# Clusters


def _forget_all(stage: Stage, cluster: str) -> None:
    server = stage.fleet.hub if cluster == HUB else stage.fleet.spokes[cluster].server
    server.compact(server.rv)
    server.drop_watches(Unavailable("the simulated server restarts"))


async def _gone(stage: Stage, item: Item) -> None:
    _forget_all(stage, item.target)
    await trio.lowlevel.checkpoint()


async def _restart_server(stage: Stage, item: Item) -> None:
    server = stage.fleet.hub if item.target == HUB else stage.fleet.spokes[item.target].server
    server.drop_watches()
    await trio.lowlevel.checkpoint()


async def _namespace(stage: Stage, item: Item) -> None:
    """An agent's namespace on the hub goes with all that is in it, and is made again."""
    hub = stage.fleet.hub_as("installer")
    try:
        await hub.delete(NAMESPACES, "", item.target)
        with trio.move_on_after(item.lasts):
            await trio.sleep_forever()
    except ApiError:
        await trio.lowlevel.checkpoint()
    finally:
        stage.nursery.start_soon(_make_namespace, stage, item.target)


async def _make_namespace(stage: Stage, name: str) -> None:
    hub = stage.fleet.hub_as("installer")
    value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    with trio.move_on_after(10 * NAMESPACE_WAIT):
        while True:
            try:
                await hub.create(NAMESPACES, value)
            except AlreadyExists:
                if not any(n.name == name and n.deleting for n in stage.fleet.hub.list(NAMESPACES, "").items):
                    return
            await trio.sleep(1.0)


# Programs


def _crash(*more: str) -> Make:
    async def run(stage: Stage, item: Item) -> None:
        with stage.crashed(*dict.fromkeys((item.target, *more))):
            await trio.sleep(item.lasts if item.strength < 0.5 else 0.0)

    return run


async def _zombie(stage: Stage, item: Item) -> None:
    """A program dies, and what it has just sent lands when its successor is at work."""
    with stage.rule(item.target, Faults(late=0.8), stage.chance(item)):
        await trio.sleep(item.lasts)
        with stage.crashed(item.target):
            await trio.lowlevel.checkpoint()


async def _pause(stage: Stage, item: Item) -> None:
    """A program makes no step that anybody could see, and goes on as if no time had passed."""
    agents = list(stage.fleet.spokes) if item.target == PRINCIPAL else [item.target]
    until = trio.current_time() + item.lasts
    with stage.rule(item.target, Faults(frozen=1.0), stage.chance(item)):
        await _stalled(stage, agents, until)


async def _stalled(stage: Stage, agents: Sequence[str], until: float) -> None:
    if not agents:
        await trio.sleep_until(until)
        return
    with stage.late(agents[0], lambda up, size: max(0.0, until - trio.current_time())):
        await _stalled(stage, agents[1:], until)


async def _twin(stage: Stage, item: Item) -> None:
    """A rolling update that overlaps: a second process of one agent, on its cluster, in its name."""
    fleet, spoke = stage.fleet, stage.fleet.spokes[item.target]
    env = make_env(fleet.seed, item.target, "twin", item.number)
    local = fleet.spoke_as(item.target, "agent")
    cluster = FaultyCluster(local, fleet.limbo, stream(fleet.seed, item.target, "twin", item.number, "calls"))
    config = AgentConfig(NAMESPACE, spoke.plan.mode, spoke.name)
    stage.doubled[item.target] += 1
    twin = Agent(config, cluster=cluster, dialer=fleet.network.dialer(spoke.name), env=env)
    with trio.move_on_after(item.lasts):
        await twin.run()


async def _skew(stage: Stage, item: Item) -> None:
    """A program's wall clock is up to a day wrong."""
    stage.fleet.skew_clock(item.target, DAY * (2.0 * item.strength - 1.0))
    try:
        await trio.sleep(item.lasts)
    finally:
        stage.fleet.skew_clock(item.target, 0.0)


_A, _P, _C, _S, _H = Aim.AGENT, Aim.PRODUCT, Aim.CONTROLLER, Aim.CLUSTER, Aim.PRINCIPAL
_NETWORK: Final = (
    Fault("cut", "the network is gone, and both sides notice", _A, 6, 8.0, _cut),
    Fault("reset", "the link breaks, and can be opened again at once", _A, 3, 0.1, _reset),
    Fault("flap", "the network comes and goes each 100 ms", _A, 2, 3.0, _flap),
    Fault("half-open", "what the link carries vanishes, and neither side is told", _A, 3, 0.1, _half_open),
    Fault("one-way", "likewise, in one direction only", _A, 3, 0.1, _one_way),
    Fault("refuse", "the agent is turned away", _A, 2, 8.0, _refuse),
    Fault("latency", "frames take up to 5 s", _A, 3, 10.0, _latency),
    Fault("slow-link", "1 to 8 KiB/s", _A, 3, 10.0, _slow_link),
    Fault("stall", "nothing arrives for a while, and then all of it", _A, 3, 8.0, _stall),
    Fault("deaf", "one side never reads", _A, 2, 20.0, _deaf),
    Fault("second-link", "a second, silent connection of the agent", _A, 2, 10.0, _second_link),
    Fault("expired", "an agent's certificate runs out amid a session", _A, 2, 8.0, rollouts.expired),
    Fault("ca-rotated", "no agent's certificate is good any more, until it has another", _H, 1, 8.0,
          rollouts.rotated),
)  # fmt: skip
_CALLS: Final = (
    Fault("conflict", "writes are refused with 409", _P, 3, 10.0, _calls(lambda x: Faults(conflicts=x / 2))),
    Fault("throttled", "429 with a Retry-After", _P, 3, 10.0, _calls(lambda x: Faults(throttled=x))),
    Fault("error-before", "503 or 429, and nothing is written", _P, 3, 10.0,
          _calls(lambda x: Faults(refused=x))),
    Fault("error-after", "500, and it is written all the same", _P, 3, 10.0,
          _calls(lambda x: Faults(failed_after=x / 2))),
    Fault("lost-request", "writes never arrive", _P, 3, 10.0, _calls(lambda x: Faults(lost=x / 2))),
    Fault("lost-answer", "writes are done, and their answers lost", _P, 3, 10.0,
          _calls(lambda x: Faults(unanswered=x / 2))),
    Fault("late-write", "writes land up to 8 s after they were given up", _P, 3, 10.0,
          _calls(lambda x: Faults(late=x / 2))),
    Fault("failing-reads", "reads fail", _P, 3, 10.0, _calls(lambda x: Faults(reads=x))),
    Fault("slow-api", "each call takes up to 2 s more", _P, 2, 10.0, _calls(lambda x: Faults(slow=2 * x))),
    Fault("lagging-watch", "watch events come up to 10 s late", _P, 4, 10.0,
          _calls(lambda x: Faults(stalls=0.5, stall=10 * x))),
    Fault("broken-watch", "watches break", _P, 3, 10.0, _calls(lambda x: Faults(breaks=x / 2))),
    Fault("silent-watch", "watches stay open and show nothing any more", _P, 2, 5.0,
          _calls(lambda x: Faults(silences=x))),
    Fault("duplicate-event", "watch events come twice", _P, 2, 10.0, _calls(lambda x: Faults(repeats=x))),
    Fault("conflated", "watch events never come when later ones do", _P, 3, 10.0,
          _calls(lambda x: Faults(conflates=x))),
    Fault("slow-list", "lists take up to a minute", _P, 2, 10.0, _relisting(lambda x: Faults(crawls=x))),
    Fault("stale-list", "lists show an older state", _P, 2, 10.0, _relisting(lambda x: Faults(stale=x))),
    Fault("empty-list", "lists are empty, and of no resourceVersion", _P, 2, 10.0,
          _relisting(lambda x: Faults(emptied=x))),
    Fault("unserved", "Argo CD's resources answer 404", _P, 2, 10.0,
          _relisting(lambda x: Faults(unserved=1.0))),
    Fault("forbidden", "the program's rights are withdrawn", _P, 2, 10.0,
          _relisting(lambda x: Faults(forbidden=1.0))),
    Fault("webhook", "somebody changes what is written", _P, 2, 10.0, _calls(lambda x: Faults(hooked=x))),
)  # fmt: skip
_CLUSTERS: Final = (
    Fault("gone-410", "a compaction: every watch must list again", _S, 3, 0.1, _gone),
    Fault("restart-server", "every watch of a cluster ends", _S, 2, 0.1, _restart_server),
    Fault("namespace-recreated", "an agent's namespace on the hub is made anew", _A, 1, 5.0, _namespace),
)  # fmt: skip
_PROGRAMS: Final = (
    Fault("crash", "the principal or an agent dies", _P, 6, 8.0, _crash()),
    Fault("crash-both", "the principal and an agent die together", _A, 2, 8.0, _crash(PRINCIPAL)),
    Fault("crash-controller", "an application-controller dies", _C, 2, 8.0, _crash()),
    Fault("zombie", "a program dies, and its last writes land later", _P, 3, 1.0, _zombie),
    Fault("pause", "a program stands still", _P, 3, 20.0, _pause),
    Fault("clock-skew", "a wall clock is up to a day wrong", _P, 2, 20.0, _skew),
    Fault("stale-principal", "an old principal with an old view beside its successor", _H, 2, 15.0,
          rollouts.stale_principal),
    Fault("other-version", "a program is of the next version, or the last", _P, 2, 20.0,
          rollouts.other_version),
    Fault("twin", "a second process of one agent", _A, 2, 15.0, _twin),
    Fault("drained", "an agent is asked for another connection (only where it is named)", _A, 4, 0.1,
          rollouts.drained, usual=False),
    Fault("stopped", "a program takes leave and starts again (only where it is named)", _P, 4, 2.0,
          rollouts.stopped, usual=False),
)  # fmt: skip
_WIRE: Final = (
    Fault("torn", "the connection breaks in the middle of an HTTP/2 frame", _A, 4, 0.1, _tear(Tear.BREAK)),
    Fault("goaway", "the principal's side says GOAWAY and hangs up", _A, 3, 0.1, _tear(Tear.GOAWAY)),
    Fault("reset-stream", "the principal's side resets the link's stream", _A, 3, 0.1, _tear(Tear.RESET)),
)  # fmt: skip
FAULTS: Final[Mapping[str, Fault]] = {
    fault.name: fault for fault in (*_NETWORK, *_CALLS, *_CLUSTERS, *_PROGRAMS)
}
"""Every trouble of level 1, by name."""
WIRE_FAULTS: Final[Mapping[str, Fault]] = {**FAULTS, **{fault.name: fault for fault in _WIRE}}
"""Likewise of level 2: with those that have no meaning where whole frames travel."""


def faults_at(level: int) -> Mapping[str, Fault]:
    """Every trouble there is at a level of the network."""
    return FAULTS if level == 1 else WIRE_FAULTS


def usual_at(level: int) -> tuple[str, ...]:
    """The names of those that are drawn unless others are named."""
    return tuple(fault.name for fault in faults_at(level).values() if fault.usual)
