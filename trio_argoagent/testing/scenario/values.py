"""What a scenario says, as frozen values; ``parsing`` makes them, ``running`` carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from trio_argoagent.model.resources import Resource
from trio_argoagent.testing.fleet import SpokePlan

START = "start"
"""The mark that every scenario has: the moment at which its timeline begins."""


@attrs.frozen
class Where:
    """A place in the file."""

    line: int
    field: str


@attrs.frozen
class Ref:
    """One object of one cluster: ``hub Application east/web``."""

    cluster: str
    resource: Resource
    namespace: str
    name: str

    def __str__(self) -> str:
        short = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.cluster} {self.resource.kind} {short}"


@attrs.frozen
class Applied:
    """An object as it is to be applied, and the cluster it goes to."""

    cluster: str
    value: Mapping[str, Any]


Path = tuple[str | int, ...]
"""The way to a field: names, and indexes of lists."""


@attrs.frozen
class Condition:
    """Something that is so or not.

    Attributes:
        kind: a name in ``schema.CONDITIONS``.
        arguments: as its shape there says.
        where: in the file.
        text: as people read it.
    """

    kind: str
    arguments: Mapping[str, Any]
    where: Where
    text: str


@attrs.frozen
class Step:
    """One step of the timeline.

    Attributes:
        action: a name in ``schema.ACTIONS``.
        arguments: as its shape there says.
        where: in the file.
        text: as people read it.
        at: seconds from the beginning of the timeline; None: ``after`` the step before.
        after: seconds.
        times: how often; ``{n}`` in its texts counts from 1.
        every: seconds from one time to the next.
        background: go on with the next step at once.
        refused: the server must say no.
    """

    action: str
    arguments: Mapping[str, Any]
    where: Where
    text: str
    at: float | None = None
    after: float = 0.0
    times: int = 1
    every: float = 0.0
    background: bool = False
    refused: bool = False


@attrs.frozen
class Users:
    """People and pipelines who act at random (by the seed) from the beginning of the timeline.

    Attributes:
        pace: seconds between two actions on average.
        seconds: for how long.
        apps: how many Applications each agent has at most.
        actions: names in ``plan.ACTIONS``.
    """

    pace: float
    seconds: float
    apps: int
    actions: tuple[str, ...]


@attrs.frozen
class Batch:
    """Objects that are there when the timeline begins; ``{n}`` in their texts counts from 1."""

    applied: Applied
    where: Where
    times: int = 1


@attrs.frozen
class Scenario:
    """A whole file. ``parsing.parse`` makes it.

    Attributes:
        name: of the file, for messages.
        title: one line for people.
        seed: of everything that is drawn, where nobody asks for another.
        spokes: of the fleet.
        stopped: programs that do not run at first.
        objects: that are there when the timeline begins.
        settle: what is waited for before it begins: ``consistent``, ``synced`` or ``nothing``.
        users: who act meanwhile.
        timeline: the steps in their order.
        ends: what is waited for after it: ``consistent``, ``synced``, ``silent`` or ``nothing``.
        expect: what must be so in the end.
        never: what must not be so at any write after the beginning of the timeline.
    """

    name: str
    title: str
    seed: int
    spokes: tuple[SpokePlan, ...]
    stopped: tuple[str, ...]
    objects: tuple[Batch, ...]
    settle: str
    users: Users | None
    timeline: tuple[Step, ...]
    ends: str
    expect: tuple[Condition, ...]
    never: tuple[Condition, ...]
