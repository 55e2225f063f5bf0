"""Runs what shows a mutant: a drawn seed, or a race that is written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import attrs
import trio

from trio_argoagent.errors import leaves
from trio_argoagent.model.identity import Mode
from trio_argoagent.sync.policy import DEFAULTS, Policies
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.faults import NONE
from trio_argoagent.testing.fleet import Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.trial import AGREEMENT, FAULTS, SETTLING, SILENCE, Options, draw_plan, run_plan

from ..helpers import Scene, Story
from .mutant import Mutant
from .rewriting import all_applied

MAX_STEPS: Final = 80_000
"""Steps of the scheduler after which a run is taken to have no end: seeds here take some thousands."""
_CALLS: Final = tuple(
    name for name in FAULTS
    if name in ("conflict", "throttled", "error-before", "error-after", "lost-request", "lost-answer",
                "late-write", "failing-reads", "slow-api", "webhook")
)  # fmt: skip
_VIEWS: Final = tuple(
    name for name in FAULTS
    if name.endswith(("-watch", "-list", "-event")) or name in ("unserved", "forbidden", "gone-410", "crash")
)  # fmt: skip
PROFILES: Final[Mapping[str, Options]] = {
    "calm": Options(agents=1, apps=2, seconds=30.0, faults=()),
    "cuts": Options(agents=1, apps=2, seconds=30.0, faults=("cut", "reset", "crash", "crash-both")),
    "calls": Options(agents=1, apps=2, seconds=30.0, faults=_CALLS),
    "views": Options(agents=1, apps=2, seconds=30.0, faults=_VIEWS),
    "all": Options(agents=1, apps=3, seconds=40.0),
    "two": Options(agents=2, apps=3, seconds=40.0),
}
"""What a seed is drawn from: small fleets, so that a seed runs in about a second; the quickest first."""


@attrs.frozen
class Drawn:
    """A seed of a profile."""

    profile: str
    seed: int


@attrs.frozen
class Race:
    """A situation that is made on purpose, step by step: it needs no luck, and survives other draws.

    Attributes:
        name: for tables.
        story: what happens; it may assert what users must see.
        mode: of the one spoke.
        settings: of its Argo CD.
        seed: of the schedule.
        policies: of its agent.
    """

    name: str
    story: Story
    mode: Mode = Mode.MANAGED
    settings: Settings = attrs.field(factory=Settings)
    seed: int = 1
    policies: Policies = DEFAULTS


@attrs.frozen
class Staged:
    """A situation that plays on a stage of its own making: of any mapping, with any agents.

    Attributes:
        name: for tables.
        play: raises what does not hold.
    """

    name: str
    play: Callable[[], None]


Case = Drawn | Race | Staged


def violations(case: Case, mutant: Mutant | None = None) -> Sequence[str]:
    """What does not hold in this case, with a mutant or with the product as it is; empty: all is well."""
    with all_applied(mutant.patches if mutant is not None else ()):
        if isinstance(case, Staged):
            return _run_staged(case)
        if isinstance(case, Race):
            return _run_race(case)
        return run_plan(draw_plan(case.seed, PROFILES[case.profile])).violations


class _Bound(trio.abc.Instrument):
    """Ends a run that makes steps for ever."""

    def __init__(self) -> None:
        self.steps = 0
        self.scope = trio.CancelScope()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += 1
        if self.steps == MAX_STEPS:
            self.scope.cancel()


def _bounded(main: Callable[[], Awaitable[object]], seed: int) -> Sequence[str]:
    """What a run has raised, or that it has no end."""

    async def run() -> None:
        bound = _Bound()
        trio.lowlevel.add_instrument(bound)
        with bound.scope:
            await main()
        if bound.scope.cancelled_caught:
            raise AssertionError(f"there is no end of it after {MAX_STEPS} steps")

    return _raised(lambda: simulate(run, seed=seed))


def _run_staged(case: Staged) -> Sequence[str]:
    return _raised(case.play)


def _raised(play: Callable[[], None]) -> Sequence[str]:
    try:
        play()
    except Exception as exc:
        return [f"{type(leaf).__name__}: {leaf}" for leaf in leaves(exc)]
    return []


def _run_race(race: Race) -> Sequence[str]:
    name = "m1" if race.mode is Mode.MANAGED else "a1"
    plan = SpokePlan(name, race.mode, race.settings, race.policies)
    found: list[str] = []

    async def main() -> None:
        async with open_fleet([plan], seed=race.seed, start=False) as fleet:
            monitors = Monitors(fleet)
            scene = Scene(fleet, monitors)
            fleet.start()
            try:
                await race.story(scene)
                await _calm(fleet, monitors)
            finally:
                found.extend(monitors.found())

    raised = _bounded(main, race.seed)
    return [*found, *raised]


async def _calm(fleet: Fleet, monitors: Monitors) -> None:
    """As a trial ends: nothing is wrong any more, both sides agree, and then nobody writes."""
    fleet.set_faults(NONE)
    fleet.network.shape = lambda agent, up, size: 0.0
    for name in fleet.spokes:
        fleet.network.heal(name)
    fleet.start()
    await trio.sleep(1.0)
    await fleet.wait_consistent(AGREEMENT)
    for controller in fleet.controllers:
        fleet.crash(controller)
    await trio.sleep(SETTLING)
    writes = monitors.writes
    await trio.sleep(SILENCE)
    found = list(monitors.unsettled())
    if monitors.writes != writes:
        found.append(f"L2: {monitors.writes - writes} writes while nothing changed")
    if found:
        raise AssertionError("; ".join(found))
