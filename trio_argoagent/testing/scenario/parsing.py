"""The text of a scenario file -> a ``Scenario``, or one line that says what is wrong in which line and field.

The whole file is checked: names of agents, clusters, programs, faults, kinds and marks, types, ranges, and
every object as its API server would. So a scenario that begins does not end on a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.testing.argocd.names import Dialect, Settings
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, SpokePlan
from trio_argoagent.testing.outages import HUB
from trio_argoagent.testing.plan import ACTIONS as USER_ACTIONS
from trio_argoagent.testing.scenario import readers
from trio_argoagent.testing.scenario.actions import ACTIONS, ALONE
from trio_argoagent.testing.scenario.conditions import read_condition, read_never
from trio_argoagent.testing.scenario.nodes import Node, Problem, nearest, read
from trio_argoagent.testing.scenario.objects import make_scratch, read_object
from trio_argoagent.testing.scenario.readers import Field, Known, Shape
from trio_argoagent.testing.scenario.values import (
    START,
    Batch,
    Condition,
    Scenario,
    Step,
    Users,
    Where,
)

MAX_AGENTS: Final = 100
MAX_SEED: Final = 2**63 - 1
_ENDS: Final = ("consistent", "synced", "silent", "nothing")


def parse(text: str, name: str = "scenario") -> Scenario:
    """Read and check a whole file.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        UserError: ``NAME:LINE: FIELD: what is wrong``.
    """
    try:
        return _scenario(read(text), name)
    except Problem as exc:
        field = f"{exc.field}: " if exc.field else ""
        raise UserError(f"{name}:{exc.line}: {field}{' '.join(exc.text.split())}") from exc


def _raw(node: Node, known: Known) -> Node:
    return node


_TOP: Final = Shape(
    title=Field(readers.text),
    seed=Field(readers.whole(0, MAX_SEED), 1),
    fleet=Field(_raw),
    workload=Field(_raw, None),
    timeline=Field(_raw, None),
    ends=Field(readers.choice(*_ENDS), "consistent"),
    expect=Field(_raw, None),
)


def _scenario(root: Node, name: str) -> Scenario:
    nobody = Known({}, {})
    found = _TOP(root, nobody)
    spokes, stopped = _fleet(found["fleet"])
    known = Known({each.name: each for each in spokes}, make_scratch(spokes))
    for node in stopped:
        readers.program(node, known)
    objects, settle, users = _workload(found["workload"], known)
    known.marks[START] = None
    timeline = _timeline(found["timeline"], known)
    expect, never = _expect(found["expect"], known)
    return Scenario(
        name, found["title"], found["seed"], spokes, tuple(node.value for node in stopped),
        objects, settle, users, timeline, found["ends"], expect, never,
    )  # fmt: skip


# The fleet


_SPOKE: Final = Shape(
    "mode",
    mode=Field(readers.choice(*(mode.value for mode in Mode)), Mode.MANAGED.value),
    dialect=Field(readers.choice(*(dialect.value for dialect in Dialect)), Dialect.V36.value),
    operation=Field(readers.seconds, 2.0),
    progressing=Field(readers.seconds, 3.0),
    pruning=Field(readers.seconds, 1.0),
    think=Field(readers.seconds, 0.0),
)
_FLEET: Final = Shape("agents", agents=Field(_raw), stopped=Field(_raw, None))


def _fleet(node: Node) -> tuple[tuple[SpokePlan, ...], Sequence[Node]]:
    nobody = Known({}, {})
    # Bare: the agents alone.
    bare = isinstance(node.value, dict) and "agents" not in node.value
    found: dict[str, Any] = {"agents": node, "stopped": None} if bare else _FLEET(node, nobody)
    agents: Node = found["agents"]
    if not isinstance(agents.value, dict) or not 0 < len(agents.value) <= MAX_AGENTS:
        raise agents.problem(f"must be a mapping of 1 to {MAX_AGENTS} agents, not {agents.shape}")
    spokes = tuple(_spoke(name, each, nobody) for name, each in agents.value.items())
    return spokes, _nodes(found["stopped"], "programs")


def _spoke(name: str, node: Node, nobody: Known) -> SpokePlan:
    readers.label(Node(node.line, node.field, name), nobody)
    if name in (HUB, PRINCIPAL, NAMESPACE):
        raise node.problem(f"an agent cannot be called {name!r}: choose another name")
    found = _SPOKE(Node(node.line, node.field, {}) if node.value is None else node, nobody)
    mode, dialect = Mode(found.pop("mode")), Dialect(found.pop("dialect"))
    return SpokePlan(name, mode, Settings(dialect=dialect, **found))


def _nodes(node: Node | None, what: str) -> Sequence[Node]:
    """The items of a list that may be missing."""
    if node is None or node.value is None:
        return ()
    if not isinstance(node.value, tuple):
        raise node.problem(f"must be a list of {what}, not {node.shape}")
    items: Sequence[Node] = node.value
    return items


# What is there, and who acts


_USERS: Final = Shape(
    pace=Field(readers.seconds, 1.0),
    for_=Field(readers.seconds),
    apps=Field(readers.whole(1, 1000), 4),
    actions=Field(readers.several(readers.choice(*USER_ACTIONS)), tuple(USER_ACTIONS)),
)
_WORKLOAD: Final = Shape(
    objects=Field(_raw, None),
    settle=Field(readers.choice("consistent", "synced", "nothing"), "consistent"),
    users=Field(_USERS, None),
)


def _workload(node: Node | None, known: Known) -> tuple[tuple[Batch, ...], str, Users | None]:
    found: dict[str, Any] = {"objects": None, "settle": "consistent", "users": None}
    if node is not None:
        found = _WORKLOAD(node, known)
    objects = tuple(_batch(each, known) for each in _nodes(found["objects"], "objects"))
    users = found["users"]
    if users is None:
        return objects, found["settle"], None
    if not users["pace"]:
        raise node.value["users"].problem("pace must be more than 0")  # type: ignore[union-attr]
    return objects, found["settle"], Users(users["pace"], users["for"], users["apps"], users["actions"])


_TIMES: Final = readers.whole(1, readers.MAX_TIMES)


def _batch(node: Node, known: Known) -> Batch:
    rest = dict(node.value) if isinstance(node.value, dict) else {}
    times = _TIMES(rest.pop("times"), known) if "times" in rest else 1
    inner = Node(node.line, node.field, rest) if rest else node
    return Batch(read_object(inner, known), Where(node.line, node.field), times)


# The timeline


_STEP: Final = {
    "at": readers.seconds, "after": readers.seconds, "times": _TIMES, "every": readers.seconds,
    "background": readers.flag, "refused": readers.flag,
}  # fmt: skip


def _timeline(node: Node | None, known: Known) -> tuple[Step, ...]:
    steps, latest = [], 0.0
    for each in _nodes(node, "steps"):
        step = _step(each, known)
        if step.at is not None and step.at < latest:
            raise each.value["at"].problem(f"an earlier step is at {latest:g}: put the steps in their order")
        latest = latest if step.at is None else step.at
        steps.append(step)
    return tuple(steps)


def _step(node: Node, known: Known) -> Step:
    if not isinstance(node.value, dict):
        raise node.problem(f"must be a step such as 'cut: east', not {node.shape}")
    names = [name for name in node.value if name not in _STEP]
    for name in names:
        if name not in ACTIONS:
            raise node.value[name].problem(f"there is no such action: {nearest(name, ACTIONS)}")
    if len(names) != 1:
        raise node.problem(f"must have exactly one action, not {' and '.join(names) or 'none'}")
    action = names[0]
    options = {name: _STEP[name](each, known) for name, each in node.value.items() if name in _STEP}
    _check_options(node, action, options)
    said = node.value[action]
    return Step(action, ACTIONS[action](said, known), Where(said.line, said.field), _text(said), **options)


def _check_options(node: Node, action: str, options: dict[str, Any]) -> None:
    if "at" in options and "after" in options:
        raise node.value["after"].problem("must not stand beside 'at'")
    if "every" in options and "times" not in options:
        raise node.value["every"].problem("needs 'times' beside it")
    for name in ("times", "background", "refused"):
        if name in options and action in ALONE:
            raise node.value[name].problem(f"has no meaning for {action!r}")


def _text(node: Node) -> str:
    """A step as one line for people."""
    name, plain = node.field.rpartition(".")[2], node.plain()
    if isinstance(plain, dict):
        plain = ", ".join(f"{key} {value}" for key, value in plain.items() if not isinstance(value, dict))
    text = f"{name} {plain}"
    return text if len(text) <= 100 else f"{text[:97]}..."


# The end


def _expect(node: Node | None, known: Known) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    expect, never = [], []
    for each in _nodes(node, "conditions"):
        if isinstance(each.value, dict) and list(each.value) == ["never"]:
            never.append(read_never(each.value["never"], known))
        else:
            expect.append(read_condition(each, known))
    return tuple(expect), tuple(never)
