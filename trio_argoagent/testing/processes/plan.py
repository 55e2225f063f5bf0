"""A run before it is run: troubles and users' actions with their times, from a seed or from a file.

The same plan does the same things at the same seconds, but real programs on a real machine are never at the
same point by then: a plan repeats the trouble, not the history. What ``simulate`` finds it can repeat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.testing import planfile
from trio_argoagent.testing.argocd.names import Dialect, Settings
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.plan import ACTIONS, USER_PACES
from trio_argoagent.testing.planfile import Shape
from trio_argoagent.testing.processes.faults import FAULTS
from trio_argoagent.testing.scheduling import stream
from trio_argoagent.testing.stage import Item

VERSION: Final = 1
"""Of the file."""
TROUBLE_PACES: Final = (1.0, 2.0, 4.0)
"""Seconds between two troubles, one drawn for each plan."""
DAY: Final = 86_400
"""Seconds that a run may last at most."""
MAX_AGENTS: Final = 50
"""Each is a process, and an API server in this one."""


@attrs.frozen
class Options:
    """What a plan is drawn for.

    Attributes:
        agents: how many; every second one is autonomous.
        apps: how many Applications each has at most.
        seconds: of work and trouble.
        keepalive: seconds of silence after which a link is asked whether it lives.
        faults: names in ``FAULTS`` that may be drawn.
    """

    agents: int = 2
    apps: int = 4
    seconds: float = 30.0
    keepalive: float = 4.0
    faults: tuple[str, ...] = tuple(FAULTS)

    def __attrs_post_init__(self) -> None:
        bounds = {"agents": (1, MAX_AGENTS), "apps": (1, 1000), "seconds": (0, DAY), "keepalive": (1, 3600)}
        for name, (least, most) in bounds.items():
            if not least <= getattr(self, name) <= most:
                raise UserError(f"{name}: must be {least} to {most}, not {getattr(self, name):g}")
        for fault in self.faults:
            if fault not in FAULTS:
                raise UserError(f"faults: there is no {fault!r}; known are {', '.join(FAULTS)}")


@attrs.frozen
class Plan:
    """See the module. ``draw_plan`` makes it.

    Attributes:
        seed: of whatever the items leave open.
        options: what it was drawn for.
        items: in the order of their times.
    """

    seed: int
    options: Options
    items: tuple[Item, ...]

    @property
    def spokes(self) -> tuple[SpokePlan, ...]:
        """The fleet's."""
        return tuple(_draw_spoke(self.seed, number) for number in range(1, self.options.agents + 1))

    def to_json(self) -> str:
        """As the text of a file."""
        options = attrs.asdict(self.options)
        options["faults"] = list(options["faults"])
        return planfile.write_text({"version": VERSION, "seed": self.seed, "options": options}, self.items)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read the text of a file.

        Raises:
            UserError: it is not a plan; names the line, or the field.
        """
        top = planfile.read_text(text, {"seed": int, "options": dict, "items": list}, VERSION)
        shape: Shape = {
            "agents": int, "apps": int, "seconds": planfile.NUMBER, "keepalive": planfile.NUMBER,
            "faults": list,
        }  # fmt: skip
        found = planfile.read_fields("plan: options", top["options"], shape)
        try:
            options = Options(**found | {"faults": tuple(map(str, found["faults"]))})
        except UserError as exc:
            raise UserError(f"plan: options: {exc}") from exc
        names = [spoke.name for spoke in cls(top["seed"], options, ()).spokes]
        targets: dict[str, Sequence[str]] = {kind: names for kind in ACTIONS}
        targets |= {name: fault.targets(names) for name, fault in FAULTS.items()}
        return cls(top["seed"], options, planfile.read_items(top["items"], targets))


def draw_plan(seed: int, options: Options = Options()) -> Plan:
    """The plan of a seed: always the same one for the same options."""
    names = [spoke.name for spoke in Plan(seed, options, ()).spokes]
    items = (*_draw_actions(seed, options, names), *_draw_troubles(seed, options, names))
    return Plan(seed, options, tuple(sorted(items, key=planfile.place)))


def _draw_spoke(seed: int, number: int) -> SpokePlan:
    """Both modes in every fleet of two: a run of minutes is not to miss one."""
    chance = stream(seed, "spoke", number)
    settings = Settings(
        dialect=chance.choice(list(Dialect)), operation=0.5, progressing=0.5, pruning=0.3, poll=5.0
    )
    if number % 2:
        return SpokePlan(f"m{number}", Mode.MANAGED, settings)
    return SpokePlan(f"a{number}", Mode.AUTONOMOUS, settings)


def _draw_actions(seed: int, options: Options, names: Sequence[str]) -> Iterator[Item]:
    chance = stream(seed, "actions")
    pace = chance.choice(USER_PACES)
    for number, at in enumerate(planfile.draw_times(chance, pace, options.seconds)):
        kind = chance.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        yield Item(2 * number, at, kind, chance.choice(names))


def _draw_troubles(seed: int, options: Options, names: Sequence[str]) -> Iterator[Item]:
    """By weight, and no kind twice as long as another one has not been drawn: a run is minutes, not hours."""
    chance = stream(seed, "troubles")
    pace = chance.choice(TROUBLE_PACES)
    left: list[str] = []
    for number, at in enumerate(planfile.draw_times(chance, pace, options.seconds)):
        if not options.faults:
            return
        left = left or list(options.faults)
        fault = FAULTS[chance.choices(left, [FAULTS[kind].weight for kind in left])[0]]
        left.remove(fault.name)
        least, most = fault.bounds
        drawn = min(chance.expovariate(1 / fault.lasts), 4 * fault.lasts) if fault.lasts else 0.0
        lasts = round(min(max(drawn, least), most), 3)
        target = chance.choice(fault.targets(names))
        yield Item(2 * number + 1, at, fault.name, target, lasts, round(chance.random(), 6))
