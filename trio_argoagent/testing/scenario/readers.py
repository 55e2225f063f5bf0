"""Readers of single values: each takes a node and what is known so far, and returns a value or a ``Problem``.

A ``Shape`` reads a mapping with known keys. Where it has a main key, the bare value may stand for the
mapping: ``cut: east`` is ``cut: {agent: east}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import Resource
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, SpokePlan
from trio_argoagent.testing.outages import HUB
from trio_argoagent.testing.scenario.nodes import Node, nearest
from trio_argoagent.testing.scenario.values import Path, Ref

LONGEST: Final = 7 * 86_400.0
"""Seconds: no time in a scenario is longer."""
MAX_TIMES: Final = 20_000
"""Repetitions of one step."""
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_TIME: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")


@attrs.define
class Known:
    """What the names in a scenario may mean.

    Attributes:
        spokes: by the agent's name.
        scratch: an API server for each cluster, with its namespaces, that judges objects.
        marks: that were made so far.
    """

    spokes: Mapping[str, SpokePlan]
    scratch: Mapping[str, ApiServer]
    marks: dict[str, None] = attrs.field(factory=dict)

    @property
    def programs(self) -> list[str]:
        """As ``Fleet`` calls them."""
        return [PRINCIPAL, *self.spokes, *(f"{name}/application-controller" for name in self.spokes)]

    def home(self, agent: str) -> tuple[str, str]:
        """The cluster and the namespace in which this agent's Applications are owned."""
        owned = self.spokes[agent].mode is Mode.AUTONOMOUS
        return (agent, NAMESPACE) if owned else (HUB, agent)


Reader = Callable[[Node, Known], Any]


@attrs.frozen
class Field:
    """One key of a shape.

    Attributes:
        read: its value.
        default: of a key that is not there; ``...``: it must be.
    """

    read: Reader
    default: Any = ...


class Shape:
    """A mapping with these keys, and no others.

    Args:
        main: the key that a bare value stands for; empty: none.
        fields: by key.
    """

    def __init__(self, main: str = "", /, **fields: Field) -> None:
        self.main = main
        self.fields = {name.rstrip("_"): field for name, field in fields.items()}

    def __call__(self, node: Node, known: Known) -> dict[str, Any]:
        """The values by their keys; a key that is not there has its default."""
        found = self._mapping(node)
        for name, each in found.items():
            if name not in self.fields:
                raise each.problem(f"there is no such key here: {nearest(name, self.fields)}")
        for name, field in self.fields.items():
            if field.default is ... and name not in found:
                raise node.problem(f"{name} is missing")
        return {
            name: field.read(found[name], known) if name in found else field.default
            for name, field in self.fields.items()
        }

    def _mapping(self, node: Node) -> dict[str, Node]:
        if isinstance(node.value, dict):
            return node.value
        if not self.main:
            raise node.problem(f"must be a mapping of {', '.join(self.fields)}, not {node.shape}")
        return {self.main: node}


class Wrapping(Shape):
    """A shape whose main value may be a mapping itself: one with none of the shape's keys."""

    def _mapping(self, node: Node) -> dict[str, Node]:
        found = super()._mapping(node)
        return found if any(name in self.fields for name in found) else {self.main: node}


# Scalars


def text(node: Node, known: Known) -> str:
    """A text that is not empty. A number is none: 3.10 would become 3.1."""
    if not isinstance(node.value, str) or not node.value:
        quotes = "; put it in quotes" if isinstance(node.value, int | float) else ""
        raise node.problem(f"must be a text, not {node.shape}{quotes}")
    return node.value


def flag(node: Node, known: Known) -> bool:
    """True or false."""
    if not isinstance(node.value, bool):
        raise node.problem(f"must be true or false, not {node.shape}")
    return node.value


def yes(node: Node, known: Known) -> bool:
    """``true``, for keys that say something by standing there."""
    if node.value is not True:
        raise node.problem("must be true, or not be here")
    return True


def whole(least: int, most: int) -> Reader:
    """A whole number of that range."""

    def read(node: Node, known: Known) -> int:
        if isinstance(node.value, bool) or not isinstance(node.value, int):
            raise node.problem(f"must be a whole number, not {node.shape}")
        if not least <= node.value <= most:
            raise node.problem(f"must be {least} to {most}, not {node.value}")
        return node.value

    return read


def share(node: Node, known: Known) -> float:
    """A number from 0 to 1."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | float) or not 0 <= node.value <= 1:
        raise node.problem(f"must be a number from 0 to 1, not {node.shape}")
    return float(node.value)


def seconds(node: Node, known: Known) -> float:
    """A time: a number of seconds, or a number with ms, s, m, h or d."""
    return _seconds(node, 0.0)


def ahead(node: Node, known: Known) -> float:
    """A time that may be negative, and then is a plain number."""
    return _seconds(node, -LONGEST)


def _seconds(node: Node, least: float) -> float:
    found = _TIME.fullmatch(node.value) if isinstance(node.value, str) else None
    value = float(found[1]) * _UNITS[found[2]] if found is not None else node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise node.problem(f"must be a time (30, 30s, 5m, 1h), not {node.shape}")
    if not least <= value <= LONGEST:
        raise node.problem(f"must be {least:g} to {LONGEST:g} seconds, not {value:g}")
    return float(value)


def choice(*names: str) -> Reader:
    """One of these texts."""

    def read(node: Node, known: Known) -> str:
        # A version such as 3.6 is a number for YAML.
        value = str(node.value) if isinstance(node.value, int | float) else node.value
        return _one_of(node, value, names, "there is no")

    return read


def label(node: Node, known: Known) -> str:
    """A name as Kubernetes has them: lower-case letters, digits and hyphens."""
    name = text(node, known)
    if not _LABEL.fullmatch(name):
        raise node.problem(f"must be lower-case letters, digits and hyphens, not {name!r}")
    return name


def _one_of(node: Node, value: Any, names: Sequence[str], what: str) -> str:
    if not isinstance(value, str):
        raise node.problem(f"must be one of {', '.join(names)}, not {node.shape}")
    if value not in names:
        raise node.problem(f"{what} {value!r}: {nearest(value, names)}")
    return value


# Names


def agent(node: Node, known: Known) -> str:
    """An agent's name."""
    return _one_of(node, node.value, list(known.spokes), "there is no agent")


def cluster(node: Node, known: Known) -> str:
    """``hub``, or an agent's name."""
    return _one_of(node, node.value, list(known.scratch), "there is no cluster")


def program(node: Node, known: Known) -> str:
    """A program's name, as ``Fleet`` has it."""
    return _one_of(node, node.value, known.programs, "there is no program")


def mark(node: Node, known: Known) -> str:
    """A mark that was made before."""
    return _one_of(node, node.value, list(known.marks), "there is no mark before this")


def new_mark(node: Node, known: Known) -> str:
    """A mark that is made here."""
    name = label(node, known)
    if name in known.marks:
        raise node.problem(f"the mark {name!r} was made before")
    known.marks[name] = None
    return name


def several(read: Reader) -> Reader:
    """One such value, or a list of them; at least one."""

    def read_all(node: Node, known: Known) -> tuple[Any, ...]:
        nodes = node.value if isinstance(node.value, tuple) else (node,)
        if not nodes:
            raise node.problem("must be at least one")
        return tuple(read(each, known) for each in nodes)

    return read_all


def anything(node: Node, known: Known) -> Any:
    """Any JSON value."""
    return node.plain()


def mapping(node: Node, known: Known) -> dict[str, Any]:
    """Any JSON object."""
    if not isinstance(node.value, dict):
        raise node.problem(f"must be a mapping, not {node.shape}")
    found: dict[str, Any] = node.plain()
    return found


def kind(node: Node, known: Known) -> Resource:
    """A kind that the clusters serve, by its name."""
    kinds = {each.resource.kind: each.resource for each in known.scratch[HUB].resources()}
    return kinds[_one_of(node, node.value, list(kinds), "there is no kind")]


def ref(node: Node, known: Known) -> Ref:
    """An object's name: ``CLUSTER KIND NAMESPACE/NAME``, or ``CLUSTER KIND NAME`` outside of namespaces."""
    words = node.value.split() if isinstance(node.value, str) else []
    if len(words) != 3:
        raise node.problem(
            f"must be CLUSTER KIND NAMESPACE/NAME (hub Application east/web), not {node.shape}"
        )
    parts = [attrs.evolve(node, value=word) for word in words]
    where, resource = cluster(parts[0], known), kind(parts[1], known)
    namespace, _, name = words[2].rpartition("/")
    if bool(namespace) is not resource.namespaced or not name:
        form = "NAMESPACE/NAME" if resource.namespaced else "NAME alone"
        raise node.problem(f"must end in {form}: {resource.kind}, not {words[2]!r}")
    return Ref(where, resource, namespace, name)


def application(node: Node, known: Known) -> Ref:
    """The name of an Application."""
    found = ref(node, known)
    if found.resource.kind != "Application":
        raise node.problem(f"must be an Application, not {found.resource.kind}")
    return found


def path(node: Node, known: Known) -> Path:
    """The way to a field: ``status.history[0].id``, ``metadata.annotations[example.com/x]``."""
    whole_text, at, steps = text(node, known), 0, []
    while at < len(whole_text):
        found = _STEP.match(whole_text, at)
        if found is None or (at == 0) is whole_text.startswith((".", "["), at):
            raise node.problem(f"is no field at {whole_text[at:]!r}: write a.b[0].c[key.with.dots]")
        name = found[1] or found[2]
        steps.append(int(name) if found[2] and name.isdigit() else name)
        at = found.end()
    return tuple(steps)
