"""One plan from its beginning to its judgement, in real time.

The fleet comes up and agrees about its first objects; then users and troubles act; then all troubles end, and
both sides must agree within ``AGREEMENT`` seconds (L1). The invariants that the API servers' logs tell of are
watched all along (see ``monitors``), and no program may end by itself, unless it was denied memory (P1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import attrs
import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.ports.env import Env
from trio_argoagent.testing import fleet as simulated
from trio_argoagent.testing.machine import NAMESPACE
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.processes.faults import FAULTS
from trio_argoagent.testing.processes.fleet import Fleet, open_fleet
from trio_argoagent.testing.processes.plan import Plan
from trio_argoagent.testing.processes.program import count_events
from trio_argoagent.testing.scheduling import stream
from trio_argoagent.testing.stage import Item
from trio_argoagent.testing.workload import Site, Workload

START: Final = 120.0
"""Seconds until the fleet is up and agrees for the first time."""
AGREEMENT: Final = 300.0
"""Seconds until both sides agree when nothing is wrong any more."""

Tell = Callable[[str], None]


@attrs.frozen
class ProgramReport:
    """What became of one program.

    Attributes:
        starts: processes that it has had.
        deaths: exit codes of those that ended by themselves.
        events: what its log tells, and how often.
    """

    starts: int
    deaths: tuple[int, ...]
    events: Mapping[str, int]


@attrs.frozen
class Report:
    """What a run has seen.

    Attributes:
        seed: of its plan.
        seconds: in all.
        settled_after: seconds from the end of the troubles until both sides had settled.
        actions: what users did, and how often.
        faults: what befell the fleet, and how often.
        proxy: what the proxy did to connections and bytes.
        programs: what became of each.
        writes: that the product made.
        intents: that were started.
        differences: between both sides in the end, a line each.
        violations: of what must hold at any time, a line each.
    """

    seed: int
    seconds: float
    settled_after: float
    actions: Mapping[str, int]
    faults: Mapping[str, int]
    proxy: Mapping[str, int]
    programs: Mapping[str, ProgramReport]
    writes: int
    intents: int
    differences: tuple[str, ...]
    violations: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Did everything hold?"""
        return not self.differences and not self.violations

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {"passed": self.passed, **attrs.asdict(self)}


async def run_plan(plan: Plan, env: Env, folder: Path, logs: Path, tell: Tell) -> Report:
    """Run a plan against real processes.

    Args:
        plan: what happens.
        env: of the machine.
        folder: for keys and kubeconfigs; nobody else may read it.
        logs: for the programs' logs.
        tell: told what happens, a line each.
    """
    fleet = Fleet(plan.seed, plan.spokes, env, folder, logs)
    run = _Run(plan, fleet, tell)
    async with open_fleet(fleet, plan.options.keepalive):
        await run.play()
        report = run.report()
    return report


@attrs.define
class _Judged:
    """The part of a simulated fleet that monitors look at: clusters and their spokes."""

    seed: int
    hub: ApiServer
    spokes: dict[str, simulated.Spoke]
    observers: list[object] = attrs.field(factory=list)
    network: SimpleNamespace = attrs.field(factory=SimpleNamespace)
    """Monitors hook into the frames of a simulated network; between processes nobody sees any."""
    rulings: tuple[()] = ()
    """Likewise what principals decide in memory: of processes it stands in their audit logs."""


class _Run:
    def __init__(self, plan: Plan, fleet: Fleet, tell: Tell) -> None:
        self._plan, self._fleet, self._tell = plan, fleet, tell
        spokes = {name: node.spoke for name, node in fleet.nodes.items()}
        judged = _Judged(plan.seed, fleet.hub.server, spokes)
        self._monitors = Monitors(cast(simulated.Fleet, judged))
        self._actions: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._began, self._settled_after = trio.current_time(), 0.0
        self._violations: list[str] = []

    async def play(self) -> None:
        await self._begin()
        await self._trouble()
        await self._end()

    async def _begin(self) -> None:
        # An Application whose project is missing waits for it, and nobody is to wait before it begins.
        await self._settle()
        for name in self._fleet.nodes:
            for number in range(self._plan.options.apps):
                await self._act(Item(-1 - number, 0.0, "create", name))
        left = await self._fleet.wait_settled(START)
        self._violations += [f"L1: before any trouble: {line}" for line in left]
        self._tell(f"the fleet is up after {trio.current_time() - self._began:.1f} s")

    async def _trouble(self) -> None:
        """Every item at its time; what still lasts in the end is ended."""
        began = trio.current_time()
        with trio.move_on_at(began + self._plan.options.seconds):
            async with trio.open_nursery() as nursery:
                for item in self._plan.items:
                    await trio.sleep_until(began + item.at)
                    if item.kind in FAULTS:
                        nursery.start_soon(self._befall, item)
                    else:
                        nursery.start_soon(self._act, item)
                await trio.sleep_until(began + self._plan.options.seconds)

    async def _befall(self, item: Item) -> None:
        fault = FAULTS[item.kind]
        self._faults[item.kind] += 1
        lasts = f" for {item.lasts:g} s" if item.lasts else ""
        self._tell(f"{item.at:8.3f} s  {item.kind:<14} {item.target}{lasts}: {fault.what}")
        await fault.make(self._fleet, item)

    async def _act(self, item: Item) -> None:
        """One action, by a user who draws from the item's own stream alone."""
        user = self._user(item.target, item.number)
        await user.act(item.kind)
        self._actions.update(user.done)

    def _user(self, agent: str, number: int) -> Workload:
        node, fleet = self._fleet.nodes[agent], self._fleet
        cluster = node.machine.local("spoke-user")
        site = Site(agent, node.spoke.plan.mode, cluster, NAMESPACE, node.spoke.world)
        hub, chance = fleet.hub.local("argocd-server"), stream(self._plan.seed, "user", number)
        return Workload(hub, NAMESPACE, (site,), chance, fleet.env, self._plan.options.apps)

    async def _end(self) -> None:
        self._tell("nothing is wrong any more; waiting until both sides agree ...")
        ended = trio.current_time()
        await self._settle()
        await self._fleet.wait_settled(AGREEMENT)
        self._settled_after = trio.current_time() - ended

    async def _settle(self) -> None:
        for name in self._fleet.nodes:
            await self._user(name, 0).settle()

    def report(self) -> Report:
        programs = self._fleet.programs
        fatal = [str(death) for each in programs.values() for death in each.deaths if not death.excused]
        passages = (*self._fleet.links.values(), *self._fleet.apis.values())
        return Report(
            seed=self._plan.seed,
            seconds=round(trio.current_time() - self._began, 3),
            settled_after=round(self._settled_after, 3),
            actions=dict(sorted(self._actions.items())),
            faults=dict(sorted(self._faults.items())),
            proxy=dict(sorted(sum((each.counted for each in passages), Counter[str]()).items())),
            programs={
                name: ProgramReport(
                    each.starts,
                    tuple(death.code for death in each.deaths),
                    dict(sorted(count_events(each.log).items())),
                )
                for name, each in programs.items()
            },
            writes=self._fleet.writes,
            intents=len(self._monitors.intents),
            differences=tuple(self._fleet.differences()),
            violations=(*self._violations, *self._monitors.found(), *fatal),
        )
