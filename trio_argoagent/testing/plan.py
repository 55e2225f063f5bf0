"""A trial before it is run: every trouble and every action of a user, as a value that can be saved and cut.

A seed becomes a plan, and a plan is run. What an item does is drawn from a stream of its own number, so a
plan with one item dropped is the same plan without that item: that is what makes shrinking possible.

In a file a plan is JSON, one item a line. Reading it is strict: people edit such files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.sync.mapping import Style
from trio_argoagent.testing import planfile
from trio_argoagent.testing.argocd.names import Dialect, Settings
from trio_argoagent.testing.chaos import WIRE_FAULTS, faults_at, usual_at
from trio_argoagent.testing.fleet import SpokePlan
from trio_argoagent.testing.networks import LEVELS
from trio_argoagent.testing.scheduling import stream
from trio_argoagent.testing.stage import Item

VERSION: Final = 1
"""Of the file."""
MOVES: Final[Mapping[str, int]] = {"move": 4}
"""What users do besides where the destination says whose an Application is."""
ACTIONS: Final[Mapping[str, int]] = {
    "create": 10, "edit": 14, "relabel": 5, "delete": 5, "recreate": 4, "sync": 10, "refresh": 6,
    "terminate": 3, "push": 5, "drift": 4, "tamper": 5, "steal": 3, "ignore": 2, "project": 4, "unproject": 1,
}  # fmt: skip
"""What users do (see ``workload``), and how often beside each other."""
CREDENTIALS: Final[Mapping[str, int]] = {"entrust": 12, "rescope": 8, "revoke": 4, "keys": 4, "pilfer": 4}
"""Likewise with credentials and keys (see ``custodian``), where a plan is drawn for them."""
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
        faults: names in ``chaos.faults_at(level)`` that may be drawn; the usual ones unless told otherwise.
        level: of the network; see ``networks``.
        mapping: how Applications find the managed agents. By destination, they also move between them.
        credentials: do users also work with repositories' credentials and GPG keys?
        tunnels: are there tunnels to the spokes, too (see ``digging``)?
    """

    agents: int = 2
    apps: int = 4
    seconds: float = 60.0
    level: int = attrs.field(default=1, kw_only=True)
    mapping: Style = attrs.field(default=Style.NAMESPACE, converter=Style, kw_only=True)
    credentials: bool = attrs.field(default=False, kw_only=True)
    tunnels: bool = attrs.field(default=False, kw_only=True)
    faults: tuple[str, ...] = attrs.field(
        default=attrs.Factory(lambda self: usual_at(self.level), takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        if self.level not in LEVELS:
            raise UserError(f"level: must be {' or '.join(map(str, LEVELS))}, not {self.level}")
        for name, least in (("agents", 1), ("apps", 1), ("seconds", 0)):
            if getattr(self, name) < least:
                raise UserError(f"{name}: must be at least {least}, not {getattr(self, name)}")
        known = faults_at(self.level)
        for fault in self.faults:
            if fault not in known:
                raise UserError(f"faults: there is no {fault!r}; known are {', '.join(known)}")


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
        return planfile.write_text(head | {"spokes": spokes}, self.items)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read the text of a file.

        Raises:
            UserError: it is not a plan; names the line, or the field.
        """
        shape = {"seed": int, "options": dict, "spokes": list, "items": list}
        top = planfile.read_text(text, shape, VERSION)
        spokes = tuple(_spoke(f"plan: spokes[{i}]", each) for i, each in enumerate(top["spokes"]))
        if not spokes or len({spoke.name for spoke in spokes}) < len(spokes):
            raise UserError("plan: spokes: must be at least one, and each of another name")
        options = _options(top["options"])
        names = [spoke.name for spoke in spokes]
        targets: dict[str, Sequence[str]] = {
            kind: names for kind in (*actions_of(options.mapping), *CREDENTIALS)
        }
        targets |= {name: fault.targets(spokes) for name, fault in faults_at(options.level).items()}
        return cls(top["seed"], options, spokes, planfile.read_items(top["items"], targets))


def actions_of(style: Style) -> Mapping[str, int]:
    """What users do where Applications find their agents like this."""
    return {**ACTIONS, **MOVES} if style is Style.DESTINATION else ACTIONS


def draw_plan(seed: int, options: Options = Options()) -> Plan:
    """The plan of a seed: always the same one for the same options.

    Args:
        seed: of everything.
        options: what may be drawn.
    """
    spokes = tuple(_draw_spoke(seed, number) for number in range(1, options.agents + 1))
    items = sorted(
        (*_draw_actions(seed, options, spokes), *_draw_troubles(seed, options, spokes)), key=planfile.place
    )
    return Plan(seed, options, spokes, tuple(items))


def _draw_spoke(seed: int, number: int) -> SpokePlan:
    chance = stream(seed, "spoke", number)
    mode = chance.choice(list(Mode))
    settings = Settings(dialect=chance.choice(list(Dialect)), think=chance.choice((0.0, 0.0, 0.05)))
    return SpokePlan(f"{'m' if mode is Mode.MANAGED else 'a'}{number}", mode, settings)


def _draw_actions(seed: int, options: Options, spokes: Sequence[SpokePlan]) -> Iterator[Item]:
    chance = stream(seed, "actions")
    known = {**actions_of(options.mapping), **(CREDENTIALS if options.credentials else {})}
    kinds = planfile.draw_kept(seed, tuple(known), LEFT_OUT[0])
    weights = [known[kind] for kind in kinds]
    pace = chance.choice(USER_PACES)
    for number, at in enumerate(planfile.draw_times(chance, pace, options.seconds)):
        kind = chance.choices(kinds, weights)[0]
        yield Item(2 * number, at, kind, chance.choice(spokes).name)


def _draw_troubles(seed: int, options: Options, spokes: Sequence[SpokePlan]) -> Iterator[Item]:
    if not options.faults:
        return
    chance = stream(seed, "troubles")
    kinds = planfile.draw_kept(seed, options.faults, LEFT_OUT[1])
    weights = [WIRE_FAULTS[kind].weight for kind in kinds]
    pace = chance.choice(TROUBLE_PACES)
    for number, at in enumerate(planfile.draw_times(chance, pace, options.seconds)):
        fault = WIRE_FAULTS[chance.choices(kinds, weights)[0]]
        target = chance.choice(fault.targets(spokes))
        lasts = round(min(chance.expovariate(1 / fault.lasts), 4 * fault.lasts), 3)
        yield Item(2 * number + 1, at, fault.name, target, lasts, round(chance.random(), 6))


# Reading


def _spoke_json(spoke: SpokePlan) -> dict[str, Any]:
    settings = spoke.settings
    return {
        "name": spoke.name, "mode": spoke.mode.value,
        "dialect": settings.dialect.value, "think": settings.think,
    }  # fmt: skip


def _spoke(where: str, value: Any) -> SpokePlan:
    shape: planfile.Shape = {"name": str, "mode": str, "dialect": str, "think": planfile.NUMBER}
    found = planfile.read_fields(where, value, shape)
    for name, kind in (("mode", Mode), ("dialect", Dialect)):
        known = [each.value for each in kind]
        if found[name] not in known:
            raise UserError(f"{where}: {name}: must be one of {', '.join(known)}")
    settings = Settings(dialect=Dialect(found["dialect"]), think=found["think"])
    return SpokePlan(found["name"], Mode(found["mode"]), settings)


def _options(value: Any) -> Options:
    where = "plan: options"
    shape: planfile.Shape = {
        "agents": int, "apps": int, "seconds": planfile.NUMBER, "level": int, "mapping": str,
        "credentials": bool, "tunnels": bool, "faults": list,
    }  # fmt: skip
    # A plan of before there were these is one of level 1, by namespace, without credentials and tunnels.
    usual = {"level": 1, "mapping": Style.NAMESPACE.value, "credentials": False, "tunnels": False}
    found = planfile.read_fields(where, usual | value if isinstance(value, dict) else value, shape)
    styles = [style.value for style in Style]
    if found["mapping"] not in styles:
        raise UserError(f"{where}: mapping: must be one of {', '.join(styles)}")
    read = {"mapping": Style(found["mapping"]), "faults": tuple(map(str, found["faults"]))}
    try:
        return Options(**found | read)
    except UserError as exc:
        raise UserError(f"{where}: {exc}") from exc
