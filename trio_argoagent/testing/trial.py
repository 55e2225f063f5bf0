"""One plan from its beginning to its judgement: work and trouble, then calm, agreement, and silence.

A seed draws a plan (see ``plan``), and a plan and a revision of this code are a whole bug report.

L1: once the trouble has stopped, both sides agree within ``AGREEMENT`` seconds. L2: once Argo CD has stopped
as well, no write and no record follow for ``SILENCE`` seconds. I9: by then nothing is dirty, in flight or
waiting, no continuous check has ever found the replica elsewhere than thought, no body has referred to what
was not there, and every record that was sent is accounted for. The rest is in ``monitors``.
"""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import attrs
import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.errors import leaves
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.sync.selection import is_ignored
from trio_argoagent.sync.source import SourceStatistics
from trio_argoagent.testing.chaos import FAULTS, HUB, WIRE_FAULTS
from trio_argoagent.testing.digging import Diggers
from trio_argoagent.testing.fleet import NAMESPACE, Fleet, Spoke, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.plan import Options, Plan, draw_plan
from trio_argoagent.testing.scheduling import simulate, steps_taken, stream
from trio_argoagent.testing.stage import Item, Stage
from trio_argoagent.testing.steps import Recorder
from trio_argoagent.testing.workload import Site, Workload

__all__ = ["FAULTS", "Item", "Moment", "Options", "Plan", "Report", "draw_plan", "run_plan", "run_trial"]

AGREEMENT: Final = 300.0
"""Seconds until both sides agree."""
SETTLING: Final = 180.0
"""Seconds until a watch that fell silent is given up, and the last cosmetic status has travelled after it."""
SILENCE: Final = 60.0
TAKEN_BACK: Final = MergePatch({"metadata": {"labels": {names.IGNORE_SYNC: None}}})
"""What a person does who wants it to end."""
SAMPLE: Final = 1.0
"""Seconds between two looks at the counters."""


@attrs.frozen
class Moment:
    """Something that has happened, for timelines and traces.

    Attributes:
        at: virtual seconds from the beginning.
        cluster: where: ``hub`` or an agent's name.
        actor: who.
        what: ``trouble``, ``trouble-ends``, ``action``, ``write`` or ``violation``.
        text: one line for people.
        entry: of a write, as the API server has logged it.
        item: of a trouble or an action.
    """

    at: float
    cluster: str
    actor: str
    what: str
    text: str
    entry: LogEntry | None = None
    item: Item | None = None


Trace = Callable[[Moment], None]


@attrs.frozen
class Report:
    """What a trial has seen.

    Attributes:
        seed: its seed.
        agreed_after: seconds from the end of the trouble until both sides agreed; -1: they never did.
        seconds: of virtual time, in all.
        steps: of the scheduler.
        writes: that the product made.
        intents: that were started.
        widest: the most objects that the product deleted within ten minutes.
        actions: what users did, and how often.
        faults: what befell the fleet, by name, and how often.
        calls: the calls that went wrong, by how they did.
        violations: what did not hold, a line each.
        digest: of every write on every cluster: equal digests are equal histories.
    """

    seed: int
    agreed_after: float
    seconds: float
    steps: int
    writes: int
    intents: int
    widest: int
    actions: Counter[str]
    faults: Counter[str]
    calls: Counter[str]
    violations: tuple[str, ...]
    digest: str

    def check(self) -> None:
        """Raise what did not hold.

        Raises:
            AssertionError: something did not; the text says what, when, and the seed.
        """
        if self.violations:
            raise AssertionError("\n  ".join((f"seed {self.seed}:", *self.violations)))


def run_trial(seed: int, options: Options | None = None) -> Report:
    """Draw a seed's plan, run it, and insist on its being flawless.

    Args:
        seed: which.
        options: what may be drawn.

    Raises:
        AssertionError: something did not hold.
    """
    report = run_plan(draw_plan(seed, options or Options()))
    report.check()
    return report


def run_plan(plan: Plan, *, trace: Trace | None = None, recorder: Recorder | None = None) -> Report:
    """Run a plan to its end, or to the first thing that cannot go on.

    Args:
        plan: what happens.
        trace: told of everything as it happens.
        recorder: notes every step, if determinism is in question.
    """
    return simulate(_Trial(plan, trace, recorder).run, seed=plan.seed)


class _Trial:
    def __init__(self, plan: Plan, trace: Trace | None, recorder: Recorder | None) -> None:
        self._plan, self._trace, self._recorder = plan, trace, recorder
        self._actions: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._violations: list[str] = []
        self._agreed_after = -1.0
        self._served: tuple[Fleet, Monitors] | None = None

    async def run(self) -> Report:
        plan = self._plan
        if self._recorder is not None:
            trio.lowlevel.add_instrument(self._recorder)
        try:
            level, style = plan.options.level, plan.options.mapping
            spokes, seed = plan.spokes, plan.seed
            async with open_fleet(spokes, seed=seed, start=False, level=level, style=style) as fleet:
                monitors = Monitors(fleet)
                self._served = fleet, monitors
                self._listen(fleet)
                if self._recorder is not None:
                    self._recorder.attach(fleet)
                fleet.start()
                await self._play(fleet, monitors)
        except Exception as exc:
            for text in told(exc):
                self._violate(text)
        assert self._served is not None
        fleet, monitors = self._served
        for violation in monitors.found():
            self._violate(violation)
        return self._report(fleet, monitors, steps_taken())

    async def _play(self, fleet: Fleet, monitors: Monitors) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_sample, monitors)
            stage = Stage(fleet, nursery)
            monitors.doubled = stage.doubled
            diggers = Diggers(fleet, stream(self._plan.seed, "tunnels"), self._violate)
            if self._plan.options.tunnels:
                nursery.start_soon(diggers.run, self._plan.options.seconds)
            await self._trouble(stage)
            await self._settle(fleet)
            await self._agree(fleet)
            if self._plan.options.tunnels:
                await diggers.fill()
            await self._silence(fleet, monitors)
            nursery.cancel_scope.cancel()

    # Trouble

    async def _trouble(self, stage: Stage) -> None:
        with trio.move_on_at(self._plan.options.seconds):
            async with trio.open_nursery() as nursery:
                for item in self._plan.items:
                    await trio.sleep_until(item.at)
                    nursery.start_soon(self._carry_out, stage, item)
                await trio.sleep_forever()

    async def _carry_out(self, stage: Stage, item: Item) -> None:
        fault = WIRE_FAULTS.get(item.kind)
        if fault is None:
            await self._act(stage.fleet, item)
            return
        self._faults[item.kind] += 1
        self._tell("trouble", item, f"{item.kind}: {fault.what}")
        try:
            await fault.make(stage, item)
        finally:
            self._tell("trouble-ends", item, item.kind)

    async def _act(self, fleet: Fleet, item: Item) -> None:
        """One action, by a user who draws from the item's own stream alone."""
        self._tell("action", item, item.kind)
        user = self._user(fleet, item.target, item.number)
        await user.act(item.kind)
        self._actions.update(user.done)

    def _user(self, fleet: Fleet, agent: str, number: int) -> Workload:
        spoke = fleet.spokes[agent]
        cluster = fleet.spoke_as(agent, "spoke-user")
        site = Site(agent, spoke.plan.mode, cluster, spoke.apps_in, spoke.world, _destinations(fleet, spoke))
        hub, chance = fleet.hub_as("argocd-server"), stream(self._plan.seed, "user", number)
        return Workload(hub, NAMESPACE, (site,), chance, fleet.env, self._plan.options.apps)

    # Calm

    async def _settle(self, fleet: Fleet) -> None:
        """Nothing is wrong any more, and nobody waits for a project that is not there, or for a person."""
        fleet.start()
        for agent in fleet.spokes:
            await self._user(fleet, agent, -1).settle()
        user = fleet.hub_as("argocd-server")
        for app in left_hanging(fleet.hub):
            await user.patch(APPLICATIONS, app.meta.namespace, app.meta.name, TAKEN_BACK)

    async def _agree(self, fleet: Fleet) -> None:
        try:
            self._agreed_after = await fleet.wait_consistent(AGREEMENT)
        except AssertionError:
            for line in fleet.differences() or ["requests are still on their way"]:
                self._violate(f"{trio.current_time():.3f} s: L1: {line}")

    async def _silence(self, fleet: Fleet, monitors: Monitors) -> None:
        for controller in fleet.controllers:
            fleet.crash(controller)
        await trio.sleep(SETTLING)
        writes, records = monitors.writes, _records(fleet)
        await trio.sleep(SILENCE)
        for line in monitors.unsettled():
            self._violate(line)
        if unreadable := sum(source.unreadable for source in _sources(fleet)):
            self._violate(f"I9: {unreadable} records referred to bodies that were not there any more")
        if monitors.writes != writes:
            self._violate(f"L2: {monitors.writes - writes} writes while nothing changed")
        if _records(fleet) != records:
            self._violate(f"L2: {_records(fleet) - records} records while nothing changed")

    # Telling

    def _listen(self, fleet: Fleet) -> None:
        if self._trace is None:
            return
        for name, server in _servers(fleet):
            for entry in server.log:
                self._tell_write(name, entry)
            server.subscribe(lambda entry, name=name: self._tell_write(name, entry))  # type: ignore[misc]

    def _tell(self, what: str, item: Item, text: str) -> None:
        if self._trace is not None:
            actor = item.target if item.kind in WIRE_FAULTS else "user"
            self._trace(Moment(trio.current_time(), item.target, actor, what, text, item=item))

    def _tell_write(self, cluster: str, entry: LogEntry) -> None:
        assert self._trace is not None
        text = f"{entry.verb.value} {entry.resource.kind} {entry.namespace}/{entry.name}"
        self._trace(Moment(trio.current_time(), cluster, entry.actor, "write", text, entry))

    def _violate(self, text: str) -> None:
        self._violations.append(text)
        if self._trace is not None:
            self._trace(Moment(trio.current_time(), "", "", "violation", text))

    def _report(self, fleet: Fleet, monitors: Monitors, steps: int) -> Report:
        calls = sum((Counter(client.injected) for client in fleet.clients.values()), Counter[str]())
        return Report(
            self._plan.seed, self._agreed_after, trio.current_time(), steps, monitors.writes,
            sum(monitors.intents.values()), monitors.widest, self._actions, self._faults, calls,
            tuple(self._violations), history_digest(fleet),
        )  # fmt: skip


def _destinations(fleet: Fleet, spoke: Spoke) -> tuple[str, ...]:
    """What an Application of this spoke may name: itself, and where it may move to."""
    if spoke.app_namespaces:
        return ()
    others = (each.name for each in fleet.spokes.values() if not each.app_namespaces and each is not spoke)
    return (spoke.name, *others)


async def _sample(monitors: Monitors) -> None:
    while True:
        monitors.sample()
        await trio.sleep(SAMPLE)


def told(exc: BaseException) -> Iterator[str]:
    """What ended a run, one line for each exception that a group holds."""
    return map(_line, leaves(exc))


def _line(exc: BaseException) -> str:
    where = traceback.extract_tb(exc.__traceback__)
    place = (
        f" ({where[-1].name}, line {where[-1].lineno} of {where[-1].filename.rpartition('/')[2]})"
        if where
        else ""
    )
    return f"it has failed: {type(exc).__name__}: {exc}{place}"


def left_hanging(hub: ApiServer) -> list[Object]:
    """The hub's Applications that are to go, and that a label keeps out of replication.

    Nobody takes their finalizers off. A namespace that is to go waits for them, and so do the copies of what
    else was in it: they are kept as long as it is being deleted.
    """
    leaving = {each.name for each in hub.list(NAMESPACES, "").items if each.deleting}
    apps = [Object.parse(each.json) for each in hub.list(APPLICATIONS, "").items]
    return [app for app in apps if is_ignored(app) and (app.deleting or app.meta.namespace in leaving)]


def _servers(fleet: Fleet) -> list[tuple[str, ApiServer]]:
    return [(HUB, fleet.hub), *((spoke.name, spoke.server) for spoke in fleet.spokes.values())]


def _records(fleet: Fleet) -> int:
    return sum(source.records for source in _sources(fleet))


def _sources(fleet: Fleet) -> Iterator[SourceStatistics]:
    principal = fleet.principal.instance
    if principal is not None:
        yield from (peer.desired for peer in principal.status())
    agents = [program.instance for program in fleet.agents.values()]
    yield from (agent.status().observed for agent in agents if agent is not None)


def history_digest(fleet: Fleet) -> str:
    """A digest of every write on every cluster: who, when, what, and what it made."""
    hasher = hashlib.sha256()
    for server, _ in fleet.clusters():
        for entry in server.log:
            head = (entry.rv, entry.at, entry.actor, entry.verb, str(entry.resource))
            hasher.update(canonical([*head, entry.subject.value]))
    return hasher.hexdigest()
