"""The actions of a timeline and what each is told; ``doing`` carries them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.testing.chaos import FAULTS
from trio_argoagent.testing.scenario import readers
from trio_argoagent.testing.scenario.conditions import read_condition
from trio_argoagent.testing.scenario.nodes import Node
from trio_argoagent.testing.scenario.objects import read_object
from trio_argoagent.testing.scenario.readers import Field, Known, Shape, Wrapping

WITHIN: Final = 300.0
"""Seconds that a condition is waited for, unless the step says otherwise."""
_BY: Final = Field(readers.text, "user")
_AGENT: Final = Shape("agent", agent=Field(readers.agent))
_PROGRAMS: Final = Shape("programs", programs=Field(readers.several(readers.program)))
_APPLICATION: Final = Shape("object", object=Field(readers.application))
_RESOURCE: Final = {
    "agent": Field(readers.agent),
    "kind": Field(readers.text),
    "namespace": Field(readers.text),
    "name": Field(readers.text),
}


def _wait(node: Node, known: Known) -> dict[str, Any]:
    """A time, a condition, or a condition with a limit of its own."""
    if isinstance(node.value, int | float) or _is_time(node):
        return {"seconds": readers.seconds(node, known), "condition": None, "within": 0.0}
    within, inner = WITHIN, node
    if isinstance(node.value, dict):
        rest = dict(node.value)
        if "within" in rest:
            within = readers.seconds(rest.pop("within"), known)
        inner = rest["until"] if list(rest) == ["until"] else attrs.evolve(node, value=rest)
    return {"seconds": 0.0, "condition": read_condition(inner, known), "within": within}


def _is_time(node: Node) -> bool:
    return isinstance(node.value, str) and node.value[:1].isdigit()


_FAULT: Final = Shape(
    name=Field(readers.choice(*FAULTS)),
    on=Field(readers.text),
    for_=Field(readers.seconds, 0.0),
    strength=Field(readers.share, 1.0),
)


def _fault(node: Node, known: Known) -> dict[str, Any]:
    """A named trouble, on something that it can strike."""
    found = _FAULT(node, known)
    fault = FAULTS[found["name"]]
    targets: Sequence[str] = fault.targets(list(known.spokes.values()))
    readers.choice(*targets)(node.value["on"], known)
    return found


def _half_open(node: Node, known: Known) -> dict[str, Any]:
    found = _HALF_OPEN(node, known)
    if not (found["up"] or found["down"]):
        raise node.problem("must lose what goes up, or what goes down, or both")
    return found


_HALF_OPEN: Final = Shape(
    "agent", agent=Field(readers.agent), up=Field(readers.flag, True), down=Field(readers.flag, True)
)
ACTIONS: Final[Mapping[str, readers.Reader]] = {
    # Users
    "apply": Wrapping("objects", objects=Field(readers.several(read_object)), by=_BY),
    "patch": Shape(object=Field(readers.ref), change=Field(readers.mapping), by=_BY),
    "delete": Shape("object", object=Field(readers.ref), by=_BY),
    "sync": Shape(
        "object",
        object=Field(readers.application),
        prune=Field(readers.flag, False),
        dry_run=Field(readers.flag, False),
    ),
    "refresh": Shape("object", object=Field(readers.application), hard=Field(readers.flag, False)),
    "terminate": _APPLICATION,
    "app_delete": Shape(
        "object",
        object=Field(readers.application),
        cascade=Field(readers.flag, True),
        propagation=Field(readers.choice("foreground", "background"), ""),
    ),
    "push": Shape("path", path=Field(readers.text)),
    "degrade": Shape(healthy=Field(readers.flag, False), **_RESOURCE),
    "drift": Shape(**_RESOURCE),
    "operator": Shape("confirms", confirms=Field(readers.flag)),
    # The network
    "cut": _AGENT,
    "heal": _AGENT,
    "slow": Shape(agent=Field(readers.agent), seconds=Field(readers.seconds)),
    "half_open": _half_open,
    "expire_certificate": _AGENT,
    "renew_certificate": _AGENT,
    # Programs
    "kill": _PROGRAMS,
    "restart": _PROGRAMS,
    "pause": Shape(program=Field(readers.program), for_=Field(readers.seconds)),
    "skew_clock": Shape(program=Field(readers.program), ahead=Field(readers.ahead)),
    # API servers
    "throttle_api": Shape(
        "cluster",
        cluster=Field(readers.cluster),
        share=Field(readers.share, 0.0),
        seconds=Field(readers.seconds, 0.0),
    ),
    "break_watch": Shape("cluster", cluster=Field(readers.cluster)),
    "fault": _fault,
    # The timeline itself
    "wait": _wait,
    "check": Wrapping("conditions", conditions=Field(readers.several(read_condition))),
    "mark": Shape("name", name=Field(readers.new_mark)),
}
"""What a step can be."""
ALONE: Final = ("wait", "check", "mark")
"""Actions about the timeline: they can neither be repeated nor refused, nor run in the background."""
