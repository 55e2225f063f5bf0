"""A trial before it is run: every trouble and every action of a user, as a value that can be saved and cut.

A seed becomes a plan, and a plan is run. What an item does is drawn from a stream of its own number, so a
plan with one item dropped is the same plan without that item: that is what makes shrinking possible.

In a file a plan is JSON, one item a line. Reading it is strict: people edit such files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.testing.argocd.names import Dialect, Settings
from trio_argoagent.testing.chaos import FAULTS
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.scheduling import stream
from trio_argoagent.testing.stage import Item

VERSION: Final = 1
"""Of the file."""
ACTIONS: Final[Mapping[str, int]] = {
    "create": 10, "edit": 14, "relabel": 5, "delete": 5, "recreate": 4, "sync": 10, "refresh": 6,
    "terminate": 3, "push": 5, "drift": 4, "tamper": 5, "steal": 3, "ignore": 2, "project": 4, "unproject": 1,
}  # fmt: skip
"""What users do (see ``workload``), and how often beside each other."""
USER_PACES: Final = (0.2, 0.5, 1.0)
"""Seconds between two actions, one drawn for each plan."""
TROUBLE_PACES: Final = (2.0, 4.0, 8.0)
"""Likewise between two troubles."""
LEFT_OUT: Final = (0.2, 0.4)
"""The shares of actions, and of troubles, that a plan does without: what one hides, another plan shows."""


@attrs.frozen
class Options:
    """What a plan is drawn for.

    Attributes:
        agents: how many.
        apps: how many Applications each has at most.
        seconds: of work and trouble.
        faults: names in ``FAULTS`` that may be drawn.
    """

    agents: int = 2
    apps: int = 4
    seconds: float = 60.0
    faults: tuple[str, ...] = tuple(FAULTS)

    def __attrs_post_init__(self) -> None:
        for name, least in (("agents", 1), ("apps", 1), ("seconds", 0)):
            if getattr(self, name) < least:
                raise UserError(f"{name}: must be at least {least}, not {getattr(self, name)}")
        for fault in self.faults:
            if fault not in FAULTS:
                raise UserError(f"faults: there is no {fault!r}; known are {', '.join(FAULTS)}")


@attrs.frozen
class Plan:
    """See the module. ``draw_plan`` makes it.

    Attributes:
        seed: of the schedule, and of whatever the items leave open.
        options: what it was drawn for.
        spokes: of the fleet.
        items: in the order of their times.
    """

    seed: int
    options: Options
    spokes: tuple[SpokePlan, ...]
    items: tuple[Item, ...]

    def to_json(self) -> str:
        """As the text of a file."""
        options = attrs.asdict(self.options)
        head = {
            "version": VERSION,
            "seed": self.seed,
            "options": options | {"faults": list(options["faults"])},
        }
        spokes = [_spoke_json(spoke) for spoke in self.spokes]
        rows = [json.dumps(attrs.asdict(item)) for item in self.items]
        fields = [
            f"{json.dumps(name)}: {json.dumps(value)}" for name, value in (head | {"spokes": spokes}).items()
        ]
        listed = "".join(f"\n  {row}{',' * (row is not rows[-1])}" for row in rows)
        return "{\n" + ",\n".join(fields) + f',\n"items": [{listed}\n]\n' + "}\n"

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read the text of a file.

        Raises:
            UserError: it is not a plan; names the line, or the field.
        """
        try:
            value = json.loads(text)
        except json.JSONDecodeError as exc:
            raise UserError(f"plan: line {exc.lineno}: {exc.msg}") from exc
        top = _fields(
            "plan", value, {"version": int, "seed": int, "options": dict, "spokes": list, "items": list}
        )
        if top["version"] != VERSION:
            raise UserError(f"plan: version: must be {VERSION}, not {top['version']}")
        spokes = tuple(_spoke(f"plan: spokes[{i}]", each) for i, each in enumerate(top["spokes"]))
        if not spokes or len({spoke.name for spoke in spokes}) < len(spokes):
            raise UserError("plan: spokes: must be at least one, and each of another name")
        items = tuple(_item(f"plan: items[{i}]", each, spokes) for i, each in enumerate(top["items"]))
        if len({item.number for item in items}) < len(items):
            raise UserError("plan: items: each must have another number")
        return cls(top["seed"], _options(top["options"]), spokes, tuple(sorted(items, key=_place)))


def draw_plan(seed: int, options: Options = Options()) -> Plan:
    """The plan of a seed: always the same one for the same options.

    Args:
        seed: of everything.
        options: what may be drawn.
    """
    spokes = tuple(_draw_spoke(seed, number) for number in range(1, options.agents + 1))
    items = sorted(
        (*_draw_actions(seed, options, spokes), *_draw_troubles(seed, options, spokes)), key=_place
    )
    return Plan(seed, options, spokes, tuple(items))


def _place(item: Item) -> tuple[float, int]:
    return item.at, item.number


def _draw_spoke(seed: int, number: int) -> SpokePlan:
    chance = stream(seed, "spoke", number)
    mode = chance.choice(list(Mode))
    settings = Settings(dialect=chance.choice(list(Dialect)), think=chance.choice((0.0, 0.0, 0.05)))
    return SpokePlan(f"{'m' if mode is Mode.MANAGED else 'a'}{number}", mode, settings)


def _times(chance: Random, pace: float, seconds: float) -> Iterator[float]:
    at = chance.expovariate(1 / pace)
    while at < seconds:
        yield round(at, 6)
        at += chance.expovariate(1 / pace)


def _kept(seed: int, names: Sequence[str], share: float) -> list[str]:
    kept = [name for name in names if stream(seed, "kept", name).random() >= share]
    return kept or list(names)


def _draw_actions(seed: int, options: Options, spokes: Sequence[SpokePlan]) -> Iterator[Item]:
    chance = stream(seed, "actions")
    kinds = _kept(seed, tuple(ACTIONS), LEFT_OUT[0])
    weights = [ACTIONS[kind] for kind in kinds]
    pace = chance.choice(USER_PACES)
    for number, at in enumerate(_times(chance, pace, options.seconds)):
        kind = chance.choices(kinds, weights)[0]
        yield Item(2 * number, at, kind, chance.choice(spokes).name)


def _draw_troubles(seed: int, options: Options, spokes: Sequence[SpokePlan]) -> Iterator[Item]:
    if not options.faults:
        return
    chance = stream(seed, "troubles")
    kinds = _kept(seed, options.faults, LEFT_OUT[1])
    weights = [FAULTS[kind].weight for kind in kinds]
    pace = chance.choice(TROUBLE_PACES)
    for number, at in enumerate(_times(chance, pace, options.seconds)):
        fault = FAULTS[chance.choices(kinds, weights)[0]]
        target = chance.choice(fault.targets(spokes))
        lasts = round(min(chance.expovariate(1 / fault.lasts), 4 * fault.lasts), 3)
        yield Item(2 * number + 1, at, fault.name, target, lasts, round(chance.random(), 6))


# Reading


def _fields(where: str, value: Any, shape: Mapping[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """An object with exactly these fields, of these types."""
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be an object")
    for name in value:
        if name not in shape:
            raise UserError(f"{where}: {name}: there is no such field")
    for name, kind in shape.items():
        if name not in value:
            raise UserError(f"{where}: {name}: is missing")
        found = value[name]
        if not isinstance(found, kind) or isinstance(found, bool):
            raise UserError(f"{where}: {name}: must be {_SHAPES[kind]}")
    return value


_NUMBER: Final = (int, float)
_SHAPES: Final[Mapping[Any, str]] = {
    int: "a whole number", _NUMBER: "a number", str: "a text", dict: "an object", list: "a list",
}  # fmt: skip


def _spoke_json(spoke: SpokePlan) -> dict[str, Any]:
    settings = spoke.settings
    return {
        "name": spoke.name, "mode": spoke.mode.value,
        "dialect": settings.dialect.value, "think": settings.think,
    }  # fmt: skip


def _spoke(where: str, value: Any) -> SpokePlan:
    found = _fields(where, value, {"name": str, "mode": str, "dialect": str, "think": _NUMBER})
    for name, kind in (("mode", Mode), ("dialect", Dialect)):
        known = [each.value for each in kind]
        if found[name] not in known:
            raise UserError(f"{where}: {name}: must be one of {', '.join(known)}")
    settings = Settings(dialect=Dialect(found["dialect"]), think=found["think"])
    return SpokePlan(found["name"], Mode(found["mode"]), settings)


def _options(value: Any) -> Options:
    where = "plan: options"
    found = _fields(where, value, {"agents": int, "apps": int, "seconds": _NUMBER, "faults": list})
    try:
        return Options(found["agents"], found["apps"], found["seconds"], tuple(map(str, found["faults"])))
    except UserError as exc:
        raise UserError(f"{where}: {exc}") from exc


def _item(where: str, value: Any, spokes: Sequence[SpokePlan]) -> Item:
    numbers, texts = dict.fromkeys(("at", "lasts", "strength"), _NUMBER), {"kind": str, "target": str}
    item = Item(**_fields(where, value, {"number": int, **texts, **numbers}))
    if item.kind not in FAULTS and item.kind not in ACTIONS:
        raise UserError(f"{where}: kind: there is no {item.kind!r}")
    known = FAULTS[item.kind].targets(spokes) if item.kind in FAULTS else [spoke.name for spoke in spokes]
    if item.target not in known:
        raise UserError(f"{where}: target: must be one of {', '.join(known)}")
    for name, least, most in (("at", 0, float("inf")), ("lasts", 0, float("inf")), ("strength", 0, 1)):
        if not least <= getattr(item, name) <= most:
            raise UserError(f"{where}: {name}: is out of bounds")
    return item
