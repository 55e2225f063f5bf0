"""Loads of many connections: at work, idle, and being made. A case is how many there are."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs

from trio_argoagent.bench.channel import Channel, Kit
from trio_argoagent.bench.figures import CPU, percentiles
from trio_argoagent.bench.loads import MESSAGE, Meter, Task, Values, payload
from trio_argoagent.bench.place import Place
from trio_argoagent.bench.usage import Usage, ask_usage

DIALLING: Final = 16
"""Connections that are being made at once."""
WARM: Final = 32
"""Connections that are made before any is counted."""


class Crowd:
    """Connections that are made a few at a time, then wait for a word.

    Args:
        kit: of the side.
        place: of the server.
        count: how many there are to be, at least one.
        work: what each does once it is told to.
    """

    def __init__(
        self, kit: Kit, place: Place, count: int, work: Callable[[Channel], Awaitable[None]]
    ) -> None:
        self._kit, self._place, self._count, self._work = kit, place, count, work
        self._missing = self._busy = count
        self._doors = kit.limit(DIALLING)
        self._all_in, self._begin, self._all_done, self._leave = (kit.event() for _ in range(4))

    async def run(self, lead: Callable[[Crowd], Awaitable[None]]) -> None:
        """Call ``lead`` when all are connected; when it returns everybody leaves."""

        async def leading() -> None:
            await self._all_in.wait()
            await lead(self)
            self._begin.set()
            self._leave.set()

        await self._kit.together([leading, *[self._member] * self._count])

    async def work(self) -> None:
        """Everybody at once, until the last is done."""
        self._begin.set()
        await self._all_done.wait()

    async def _member(self) -> None:
        await self._doors.acquire()
        async with self._kit.dial(attrs.evolve(self._place, size=MESSAGE)) as channel:
            await _greet(channel)
            self._doors.release()
            self._missing -= 1
            if not self._missing:
                self._all_in.set()
            await self._begin.wait()
            await self._work(channel)
            self._busy -= 1
            if not self._busy:
                self._all_done.set()
            await self._leave.wait()


async def _greet(channel: Channel) -> None:
    await channel.send((payload(MESSAGE),))
    await channel.receive()


async def _nothing(channel: Channel) -> None:
    pass


async def many(kit: Kit, place: Place, task: Task) -> Mapping[int, Values]:
    """Each sends a message, waits for its echo, and sends the next."""
    return {count: await _busy(kit, place, count, task.seconds) for count in task.cases}


async def _busy(kit: Kit, place: Place, count: int, seconds: float) -> Values:
    message, times, until = (payload(MESSAGE),), list[float](), 0.0
    values: Values = {}

    async def work(channel: Channel) -> None:
        while (began := time.perf_counter()) < until:
            await channel.send(message)
            await channel.receive()
            times.append(time.perf_counter() - began)

    async def lead(crowd: Crowd) -> None:
        nonlocal until
        meter = Meter(place)
        until = time.perf_counter() + seconds
        await crowd.work()
        values.update(meter.per_message(len(times)) | percentiles(times, "us"))

    await Crowd(kit, place, count, work).run(lead)
    return values


async def idle(kit: Kit, place: Place, task: Task) -> Mapping[int, Values]:
    """What a connection that says nothing costs the server in memory. Cases rise."""
    found: dict[int, Values] = {}
    await _greet_once(kit, place)
    before = ask_usage(place.asked, memory=True)

    async def add(held: int, cases: tuple[int, ...]) -> None:
        if cases:

            async def lead(crowd: Crowd) -> None:
                found[cases[0]] = _each(before, ask_usage(place.asked, memory=True), cases[0])
                await add(cases[0], cases[1:])

            await Crowd(kit, place, cases[0] - held, _nothing).run(lead)

    await add(0, task.cases)
    return found


def _each(before: Usage, now: Usage, count: int) -> Values:
    return {
        "rss": ("KiB", (now.rss - before.rss) / 1024 / count),
        "objects": ("", (now.objects - before.objects) / count),
        "whole": ("MiB", now.rss / 2**20),
    }


async def _greet_once(kit: Kit, place: Place) -> None:
    async with kit.dial(attrs.evolve(place, size=MESSAGE)) as channel:
        await _greet(channel)


async def connect(kit: Kit, place: Place, task: Task) -> Mapping[int, Values]:
    """Connect, one message there and back, hang up: so many times, ``DIALLING`` at once."""

    async def all_of(count: int) -> None:
        left = [None] * count

        async def some() -> None:
            while left:
                left.pop()
                await _greet_once(kit, place)

        await kit.together([some] * DIALLING)

    found: dict[int, Values] = {}
    await all_of(WARM)
    for count in task.cases:
        meter = Meter(place)
        await all_of(count)
        client, server = meter.stop()
        found[count] = {
            "rate": ("/s", count / client.wall),
            "client": ("ms", client.cpu / count * 1e3),
            "server": ("ms", server.cpu / count * 1e3),
            CPU: ("ms", (client.cpu + server.cpu) / count * 1e3),
        }
    return found
