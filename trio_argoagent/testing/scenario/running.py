"""Runs a scenario in virtual time: fleet, workload, timeline, and then the judgement.

The monitors judge every write as they do in ``trial``; a step that fails ends the timeline. What was waited
for in vain, expected in vain, or violated comes back as lines, in the order of time.
"""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.testing.fleet import Fleet, run_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.outages import HUB
from trio_argoagent.testing.scenario import crowd
from trio_argoagent.testing.scenario.counting import Counting
from trio_argoagent.testing.scenario.doing import Doer, furnish
from trio_argoagent.testing.scenario.filling import filled
from trio_argoagent.testing.scenario.judging import Judge, Never
from trio_argoagent.testing.scenario.telling import Failed, Outcome, Teller
from trio_argoagent.testing.scenario.values import START, Condition, Scenario, Step, Where
from trio_argoagent.testing.scheduling import simulate, steps_taken
from trio_argoagent.testing.stage import Stage
from trio_argoagent.testing.trial import SAMPLE, SETTLING, SILENCE, told
from trio_argoagent.testing.user import apply_objects

POLL: Final = 0.1
"""Seconds between two looks at a condition."""
WHOLE_POLL: Final = 1.0
"""Likewise at one of the whole fleet, which costs more."""
SETTLE: Final = 300.0
"""Seconds in which the workload must have settled, and both sides agree in the end."""


def run(scenario: Scenario, *, seed: int | None = None, level: int = 1) -> Outcome:
    """Run a scenario once, from its beginning to its judgement.

    Args:
        scenario: what happens, and what must be so.
        seed: of everything that is drawn; None: the scenario's own.
        level: of the network; see ``Fleet``.
    """
    chosen = scenario.seed if seed is None else seed

    async def main() -> Outcome:
        return await _Run(scenario, Fleet(chosen, scenario.spokes, level=level)).run()

    return simulate(main, seed=chosen)


class _Run:
    def __init__(self, scenario: Scenario, fleet: Fleet) -> None:
        self._scenario, self._fleet = scenario, fleet
        self._teller = Teller(scenario.name, fleet)
        self._monitors = Monitors(fleet)
        self._judge = Judge(Counting(fleet))
        self._began = 0.0

    async def run(self) -> Outcome:
        """Everything; nothing that goes wrong ends it without being told."""
        try:
            async with run_fleet(self._fleet, start=False):
                await self._play()
        except Exception as exc:
            for text in told(exc):
                self._teller.fail(text)
        for violation in self._monitors.found():
            self._teller.fail(violation)
        return self._teller.outcome(steps_taken())

    async def _play(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._sample)
            stage = Stage(self._fleet, nursery)
            self._monitors.doubled = stage.doubled
            doer = Doer(stage)
            furnish(self._fleet, doer, self._scenario.stopped)
            try:
                await self._prepare()
                await self._follow(doer)
                await self._end()
            except* Failed:
                pass  # It may have come out of a nursery.
            nursery.cancel_scope.cancel()

    async def _sample(self) -> None:
        while True:
            self._monitors.sample()
            await trio.sleep(SAMPLE)

    # Before the timeline

    async def _prepare(self) -> None:
        """The objects of the workload, and time for them to settle."""
        for batch in self._scenario.objects:
            for n in range(1, batch.times + 1):
                applied = filled(batch.applied, n)
                with self._teller.refusals(batch.where, "the object"):
                    await apply_objects(self._fleet.cluster(applied.cluster), applied.value)
        await self._wait_whole(self._scenario.settle, "workload.settle")
        self._began = trio.current_time()
        self._judge.marks[START] = self._judge.counting.mark()
        for condition in self._scenario.never:
            Never(self._judge, condition, self._found_never)

    def _found_never(self, condition: Condition, when: str) -> None:
        self._teller.fail_at(condition.where, f"{condition.text}, {when}")

    # The timeline

    async def _follow(self, doer: Doer) -> None:
        """Every step; then what goes on in the background has its end."""
        async with trio.open_nursery() as nursery:
            if self._scenario.users is not None:
                nursery.start_soon(crowd.work, self._fleet, self._scenario.users, self._teller.action)
            for step in self._scenario.timeline:
                if step.at is not None:
                    await trio.sleep_until(self._began + step.at)
                else:
                    await trio.sleep(step.after)
                if step.background:
                    nursery.start_soon(self._do, step, doer)
                else:
                    await self._step(step, doer)

    async def _step(self, step: Step, doer: Doer) -> None:
        arguments = step.arguments
        match step.action:
            case "wait" if arguments["condition"] is None:
                await trio.sleep(arguments["seconds"])
            case "wait":
                await self._wait(arguments["condition"], arguments["within"])
            case "check":
                self._check(arguments["conditions"])
            case "mark":
                self._judge.marks[arguments["name"]] = self._judge.counting.mark()
            case _:
                await self._do(step, doer)

    async def _do(self, step: Step, doer: Doer) -> None:
        for n in range(1, step.times + 1):
            if n > 1:
                await trio.sleep(step.every)
            self._teller.action(HUB, filled(step.text, n))
            with self._teller.refusals(step.where, step.action, expected=step.refused):
                await doer.do(step.action, filled(step.arguments, n))

    async def _wait(self, condition: Condition, within: float) -> None:
        until = trio.current_time() + within
        while reason := self._judge.why_not(condition):
            if trio.current_time() >= until:
                text = f"after {within:g} s not yet: {condition.text}: {reason}"
                self._teller.fail_at(condition.where, text)
                raise Failed
            await trio.sleep(POLL if condition.arguments else WHOLE_POLL)

    async def _wait_whole(self, kind: str, field: str) -> None:
        """Wait for a condition that the file does not spell out; ``nothing`` is none."""
        if kind != "nothing":
            await self._wait(Condition(kind, {}, Where(1, field), kind), SETTLE)

    def _check(self, conditions: tuple[Condition, ...]) -> None:
        for condition in conditions:
            reason = self._judge.why_not(condition)
            if reason:
                self._teller.fail_at(condition.where, f"not so: {condition.text}: {reason}")

    # After it

    async def _end(self) -> None:
        silent = self._scenario.ends == "silent"
        await self._wait_whole("consistent" if silent else self._scenario.ends, "ends")
        self._check(self._scenario.expect)
        if silent:
            await self._silence()

    async def _silence(self) -> None:
        """Without Argo CD nothing changes any more: then nothing is written, and nothing is in flight."""
        for controller in self._fleet.controllers:
            self._fleet.kill(controller)
        await trio.sleep(SETTLING)
        before = self._monitors.writes
        await trio.sleep(SILENCE)
        for line in self._monitors.unsettled():
            self._teller.fail(line)
        if self._monitors.writes != before:
            self._teller.fail(f"L2: {self._monitors.writes - before} writes while nothing changed")
