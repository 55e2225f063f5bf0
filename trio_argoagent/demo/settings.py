"""What the user asks for, parsed and refused whole before anything is started."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode

HUB: Final = "hub"
_NAMES: Final = ("east", "west", "edge", "north", "south", "shore")
HEADLESS_SECONDS: Final = 30.0


@attrs.frozen
class Cut:
    """Cut ``agent``'s link ``at`` seconds after the start for ``seconds``."""

    agent: str
    at: float
    seconds: float


@attrs.frozen
class Restart:
    """Stop and start the program of ``node`` (the hub or an agent) ``at`` seconds after the start."""

    node: str
    at: float


@attrs.frozen
class Settings:
    """One demo.

    Attributes:
        agents: name and mode of each.
        apps: Applications of each agent at the start.
        headless: no screen; a faster workload, and a comparison at the end.
        duration: seconds of workload; 0: until interrupted.
        cuts: of links.
        restarts: of programs.
        files: YAML of the user's own.
        seed: of the workload.
        report: where to write JSON; empty: nowhere.
    """

    agents: tuple[tuple[str, Mode], ...]
    apps: int
    headless: bool
    duration: float
    cuts: tuple[Cut, ...]
    restarts: tuple[Restart, ...]
    files: tuple[str, ...]
    seed: int
    report: str


def agent_names(count: int) -> tuple[tuple[str, Mode], ...]:
    """Names and modes of that many agents: every third one is autonomous."""
    names = [*_NAMES, *(f"spoke-{number}" for number in range(len(_NAMES) + 1, count + 1))][:count]
    return tuple(
        (name, Mode.AUTONOMOUS if index % 3 == 2 else Mode.MANAGED) for index, name in enumerate(names)
    )


def parse_cuts(texts: Iterable[str], agents: Iterable[str], until: float = math.inf) -> tuple[Cut, ...]:
    """``AGENT:AT:SECONDS`` each, before ``until`` seconds.

    Raises:
        UserError: one of them is not.
    """
    known = tuple(agents)
    cuts = []
    for text in texts:
        fields = text.split(":")
        if len(fields) != 3:
            raise UserError(f"--cut {text}: write AGENT:AT:SECONDS, for example {known[0]}:10:5")
        name = _known(f"--cut {text}", fields[0], known)
        at = _moment(f"--cut {text}", fields[1], until)
        cuts.append(Cut(name, at, _seconds(f"--cut {text}", fields[2])))
    return tuple(cuts)


def parse_restarts(
    texts: Iterable[str], agents: Iterable[str], until: float = math.inf
) -> tuple[Restart, ...]:
    """``NODE:AT`` each, before ``until`` seconds.

    Raises:
        UserError: one of them is not.
    """
    known = (HUB, *agents)
    restarts = []
    for text in texts:
        fields = text.split(":")
        if len(fields) != 2:
            raise UserError(f"--restart {text}: write NODE:AT, for example {HUB}:20")
        name = _known(f"--restart {text}", fields[0], known)
        restarts.append(Restart(name, _moment(f"--restart {text}", fields[1], until)))
    return tuple(restarts)


def _known(option: str, name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise UserError(f"{option}: there is no {name!r} here; choose one of {', '.join(known)}")
    return name


def _moment(option: str, text: str, until: float) -> float:
    at = _seconds(option, text)
    if at >= until:
        raise UserError(
            f"{option}: at {at:g} s it is over; choose less than {until:g}, or a longer --duration"
        )
    return at


def _seconds(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1e6:
        raise UserError(f"{option}: {text!r} is no number of seconds")
    return value
