"""What a metric is: its name, its labels and their bounds, and where its figure comes from."""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import attrs

OURS: Final = "trio_argoagent_"
"""How the names of our own metrics begin."""
OTHER: Final = "_other"
"""The label value of whatever is not named: agents beyond ``MAX_AGENTS``, and values that nobody has listed.
No agent is called like that (its name is a DNS label), nor is any value of an enumeration."""
MAX_AGENTS: Final = 5_000
"""Agents that have series of their own; what is measured of more is put together under ``OTHER``."""


class Kind(enum.StrEnum):
    """The types of the text format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Program(enum.Flag):
    """Who has it."""

    PRINCIPAL = enum.auto()
    AGENT = enum.auto()
    BOTH = PRINCIPAL | AGENT


@attrs.frozen
class Label:
    """One label.

    Attributes:
        name: of it.
        values: all that it can have beside ``OTHER``.
        open: why it may have values that are not listed, and what bounds them; empty: it may not.
    """

    name: str
    values: tuple[str, ...] = ()
    open: str = ""

    def shown(self, value: str) -> str:
        """What is written for this value: what is not listed never reaches a label."""
        return value if self.open or value in self.values else OTHER


AGENT_NAME: Final = Label("agent_name", open=f"names of agents, {MAX_AGENTS} of them at most")
"""As argocd-agent calls it."""


def add(one: float, other: float) -> float:
    """How most values of two agents are put together."""
    return one + other


@attrs.frozen(cache_hash=True)
class Row:
    """One metric. It is looked up for each value of each scrape.

    Attributes:
        name: of it.
        kind: of it.
        help: one sentence.
        field: of the statistics that its figure comes from; empty: it is told otherwise.
        labels: beside the agent's name.
        per_agent: does a principal tell it of each agent? Else of all together.
        programs: that have it.
        peer: is it argocd-agent's (or a library's of both), with the same meaning?
        fold: how values under the same labels are put together.
        bounds: of a histogram's buckets, without the infinite one.
    """

    name: str
    kind: Kind
    help: str
    field: str = ""
    labels: tuple[Label, ...] = ()
    per_agent: bool = False
    programs: Program = Program.BOTH
    peer: bool = False
    fold: Callable[[float, float], float] = add
    bounds: tuple[float, ...] = ()

    def labels_in(self, program: Program) -> tuple[Label, ...]:
        """The labels that one program's series have: an agent need not say who it is."""
        return (AGENT_NAME, *self.labels) if self.per_agent and program is Program.PRINCIPAL else self.labels


def _ours(kind: Kind, name: str, text: str, field: str = "", **more: Any) -> Row:
    return Row(OURS + name, kind, text, field, **more)


counter: Final = partial(_ours, Kind.COUNTER)
gauge: Final = partial(_ours, Kind.GAUGE)
histogram: Final = partial(_ours, Kind.HISTOGRAM)
each_counter: Final = partial(_ours, Kind.COUNTER, per_agent=True)
each_gauge: Final = partial(_ours, Kind.GAUGE, per_agent=True)


def peer(kind: Kind, name: str, text: str, programs: Program = Program.BOTH, **more: Any) -> Row:
    """A metric whose name others have given."""
    return Row(name, kind, text, programs=programs, peer=True, **more)
