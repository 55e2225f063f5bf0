"""What an operating system and a network can do to real programs: a table of troubles by name.

The same shape as ``testing.chaos``: a trouble is an async function that undoes what it has done before it
returns, however it ends. Contexts of the proxy and of the programs count, so troubles may overlap.

What the programs write is their log, and nothing else: so a full disk is a log that cannot grow
(RLIMIT_FSIZE at its present size; the kernel answers EFBIG where it would answer ENOSPC). A log that is a
pipe which nobody empties blocks its writer: that is ``stop``.
"""

from __future__ import annotations

import enum
import math
import resource
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import Final

import attrs
import trio

from trio_argoagent.testing.fleet import PRINCIPAL
from trio_argoagent.testing.machine import LOOPBACK
from trio_argoagent.testing.processes.fleet import Fleet
from trio_argoagent.testing.processes.proxy import Passage, let_reset
from trio_argoagent.testing.processes.toxics import Toxic
from trio_argoagent.testing.stage import Item

STOP: Final = (2.0, 40.0)
"""Seconds that a program stands still."""
SLOWEST: Final = 2048.0
"""Bytes a second of the slowest link."""
HEADROOM: Final = 8
"""File descriptors that a starved principal may still open: some redialling, and then no more."""
CROWD: Final = 24
"""Strangers who take them: more than there are."""
SPARE: Final = 4 << 20
"""Bytes of memory that a starved agent may still take, at most."""


class Aim(enum.Enum):
    """What a trouble strikes."""

    LINK = "an agent's link"
    PROGRAM = "the principal or an agent"
    PRINCIPAL = "the principal"
    AGENT = "an agent"


Make = Callable[[Fleet, Item], Awaitable[None]]


@attrs.frozen
class Fault:
    """One kind of trouble.

    Attributes:
        name: for plans and people.
        what: one line.
        aim: what it strikes.
        weight: how often it is drawn beside the others.
        lasts: seconds on average.
        make: makes it, waits for as long as it lasts, and undoes it.
        bounds: seconds that it lasts at least and at most.
    """

    name: str
    what: str
    aim: Aim
    weight: int
    lasts: float
    make: Make
    bounds: tuple[float, float] = (0.0, math.inf)

    def targets(self, agents: Sequence[str]) -> list[str]:
        """What it can strike in a fleet of these agents."""
        match self.aim:
            case Aim.LINK | Aim.AGENT:
                return [*agents]
            case Aim.PROGRAM:
                return [PRINCIPAL, *agents]
            case Aim.PRINCIPAL:
                return [PRINCIPAL]


# Wires

Draw = Callable[[Item], Toxic]


async def _cut_off(passage: Passage, seconds: float) -> None:
    with passage.closed():
        passage.cut()
        await trio.sleep(seconds)


async def _cut(fleet: Fleet, item: Item) -> None:
    await _cut_off(fleet.links[item.target], item.lasts)


async def _reset(fleet: Fleet, item: Item) -> None:
    fleet.links[item.target].cut()
    await trio.lowlevel.checkpoint()


async def _refuse(fleet: Fleet, item: Item) -> None:
    with fleet.links[item.target].closed():
        await trio.sleep(item.lasts)


async def _api_cut(fleet: Fleet, item: Item) -> None:
    await _cut_off(fleet.apis[item.target], item.lasts)


def _link(draw: Draw) -> Make:
    async def make(fleet: Fleet, item: Item) -> None:
        with fleet.links[item.target].toxic(draw(item)):
            await trio.sleep(item.lasts)

    return make


def _api(draw: Draw) -> Make:
    async def make(fleet: Fleet, item: Item) -> None:
        with fleet.apis[item.target].toxic(draw(item)):
            await trio.sleep(item.lasts)

    return make


def _silence(item: Item) -> Toxic:
    return Toxic(mute_up=True, mute_down=True)


def _half(item: Item) -> Toxic:
    return Toxic(mute_up=item.strength < 0.5, mute_down=item.strength >= 0.5)


def _latency(item: Item) -> Toxic:
    return Toxic(latency=0.05 + item.strength)


def _slow(item: Item) -> Toxic:
    return Toxic(rate=SLOWEST * (1 + 15 * (1 - item.strength)))


def _slice(item: Item) -> Toxic:
    return Toxic(piece=1 + int(40 * (1 - item.strength)))


def _corrupt(item: Item) -> Toxic:
    return Toxic(flips=0.02 + item.strength / 4)


# Processes


async def _kill(fleet: Fleet, item: Item) -> None:
    with fleet.programs[item.target].killed():
        # What it has sent and has not arrived is lost with it: writes that land later are ``simulate``'s.
        fleet.apis[item.target].cut()
        await trio.sleep(item.lasts)


async def _stop(fleet: Fleet, item: Item) -> None:
    with fleet.programs[item.target].stopped():
        await trio.sleep(item.lasts)


async def _disk_full(fleet: Fleet, item: Item) -> None:
    """It has something to say, too: its links break."""
    program = fleet.programs[item.target]
    with ExitStack() as stack:
        if program.has_spoken:
            stack.enter_context(program.limited(resource.RLIMIT_FSIZE, program.log.stat().st_size))
        _break_links(fleet, item.target)
        await trio.sleep(item.lasts)


def _break_links(fleet: Fleet, program: str) -> None:
    for agent in fleet.links if program == PRINCIPAL else (program,):
        fleet.links[agent].cut()


async def _fd_limit(fleet: Fleet, item: Item) -> None:
    """Strangers connect until the principal can accept nobody any more; who is in stays in."""
    program = fleet.programs[item.target]
    with program.limited(resource.RLIMIT_NOFILE, program.descriptors() + HEADROOM):
        with trio.move_on_after(item.lasts):
            async with trio.open_nursery() as nursery:
                for _ in range(CROWD):
                    nursery.start_soon(_crowd, fleet.port)


async def _crowd(port: int) -> None:
    """Hold a connection and say nothing; come back when turned out."""
    while True:
        async with AsyncExitStack() as stack:
            try:
                stream = await trio.open_tcp_stream(LOOPBACK, port)
                stack.push_async_callback(trio.aclose_forcefully, stream)
                let_reset(stream)
                await stream.receive_some(1)
            except (OSError, trio.BrokenResourceError):
                pass  # Nobody is there, or we were put out.
        await trio.sleep(0.1)


async def _memory_limit(fleet: Fleet, item: Item) -> None:
    program = fleet.programs[item.target]
    spare = int(SPARE * (1 - item.strength))
    with program.limited(resource.RLIMIT_AS, program.memory() + spare):
        _break_links(fleet, item.target)
        await trio.sleep(item.lasts)


_L, _P = Aim.LINK, Aim.PROGRAM
_TABLE: Final = (
    Fault("cut", "connections are reset, and new ones refused", _L, 6, 2.0, _cut),
    Fault("reset", "connections are reset, and may be opened again at once", _L, 4, 0.0, _reset),
    Fault("refuse", "new connections are refused", _L, 2, 4.0, _refuse),
    Fault("half-open", "what is sent vanishes, and neither side is told", _L, 4, 5.0, _link(_silence)),
    Fault("one-way", "likewise, in one direction only", _L, 4, 5.0, _link(_half)),
    Fault("latency", "bytes take up to 1.5 s", _L, 4, 5.0, _link(_latency)),
    Fault("slow", "2 to 32 KiB/s", _L, 3, 6.0, _link(_slow)),
    Fault("slice", "bytes arrive in pieces of 1 to 80", _L, 3, 4.0, _link(_slice)),
    Fault("corrupt", "bits are turned over", _L, 3, 4.0, _link(_corrupt)),
    Fault("api-cut", "connections to the API server are reset and refused", _P, 4, 2.0, _api_cut),
    Fault("api-slow", "bytes to and from the API server take up to 1.5 s", _P, 3, 4.0, _api(_latency)),
    Fault("api-half-open", "what is sent to the API server vanishes", _P, 1, 5.0, _api(_silence)),
    Fault("api-corrupt", "bits to and from the API server are turned over", _P, 2, 3.0, _api(_corrupt)),
    Fault("kill", "the program is killed (SIGKILL)", _P, 6, 1.0, _kill),
    Fault("stop", "the program stands still (SIGSTOP)", _P, 4, 6.0, _stop, STOP),
    Fault("disk-full", "its log cannot be written, and its links break", _P, 3, 5.0, _disk_full),
    Fault("fd-limit", "strangers take every file descriptor", Aim.PRINCIPAL, 2, 5.0, _fd_limit),
    Fault("memory-limit", "hardly any more memory, and its link breaks", Aim.AGENT, 2, 5.0, _memory_limit),
)
FAULTS: Final[Mapping[str, Fault]] = {fault.name: fault for fault in _TABLE}
"""By name, in the order of the documentation."""
