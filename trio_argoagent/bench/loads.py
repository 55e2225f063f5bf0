"""What is done over channels, and what of it is measured.

Each load is given a connected kit and yields, for each case, the names, units and values of one round. CPU is
of the client's process and of the server's, between the same two moments; warming up comes before.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import attrs

from trio_argoagent.bench.channel import Channel, Kit
from trio_argoagent.bench.figures import CPU, percentiles
from trio_argoagent.bench.place import Place
from trio_argoagent.bench.usage import Usage, ask_usage, own_usage

BATCH: Final = 64 * 1024
"""Bytes handed to a channel at once, on the way one way."""
MESSAGE: Final = 200
"""Bytes of a message where the question is not about its size."""
OUTSTANDING: Final = 256
"""Messages on their way at once, in an echo."""
MOST: Final = 2_000_000
"""Messages of one round, at most."""
FIRST: Final = 64
"""Messages of the first round, which is thrown away, as are those that find out how many are enough."""
END: Final = b"\n"
"""What the last byte of the last message of a burst is, and no other byte of any message."""

Values = dict[str, tuple[str, float]]
"""Name to unit and value: a round's figures of one case."""


@attrs.frozen
class Task:
    """What a client is to do.

    Attributes:
        load: the name of it.
        cases: see ``Question``.
        seconds: that a measured round should take, about.
    """

    load: str
    cases: tuple[int, ...]
    seconds: float


def payload(size: int) -> bytes:
    """So many bytes of what Applications look like: as JSON, and about as compressible."""
    pieces: list[bytes] = []
    length = 0
    while length < size:
        number = len(pieces)
        mark = hashlib.sha256(str(number).encode()).hexdigest()[:12]
        piece = f'{{"group":"apps","kind":"Deployment","name":"shop-{number:04}-{mark}","status":"Synced"}},'
        pieces.append(piece.encode())
        length += len(piece)
    return b"".join(pieces)[:size]


async def sink(channel: Channel) -> None:
    """A server that swallows all, and says so after the last message of a burst."""
    while pieces := await channel.receive():
        if pieces[-1].endswith(END):
            await channel.send((END,))


async def echo(channel: Channel) -> None:
    """A server that sends back what comes, as it comes."""
    while pieces := await channel.receive():
        await channel.send(pieces)


class Meter:
    """Both processes' usage between two moments."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._server, self._client = ask_usage(place.asked), own_usage()

    def stop(self) -> tuple[Usage, Usage]:
        """What the client has used, and the server."""
        client, server = own_usage(), ask_usage(self._place.asked)
        return (
            Usage(client.cpu - self._client.cpu, client.wall - self._client.wall),
            Usage(server.cpu - self._server.cpu, server.wall - self._server.wall),
        )

    def per_message(self, count: int) -> Values:
        """Rates, and CPU a message."""
        client, server = self.stop()
        return {
            "rate": ("/s", count / client.wall),
            "client": ("us", client.cpu / count * 1e6),
            "server": ("us", server.cpu / count * 1e6),
            CPU: ("us", (client.cpu + server.cpu) / count * 1e6),
        }


async def _measured(place: Place, burst: Callable[[int], Awaitable[None]], seconds: float) -> Values:
    """One burst that takes about so long. Finding out how many that are warms everything up."""
    count = FIRST
    while True:
        began = time.perf_counter()
        await burst(count)
        took = time.perf_counter() - began
        if took >= seconds / 8 or count >= MOST:
            break
        count *= 4
    count = max(FIRST, min(MOST, int(count * seconds / took)))
    meter = Meter(place)
    await burst(count)
    return meter.per_message(count)


async def one_way(kit: Kit, place: Place, task: Task) -> Mapping[int, Values]:
    """Client to server as fast as it goes. A case is a message's size."""
    found: dict[int, Values] = {}
    async with kit.dial(place) as channel:
        for size in task.cases:
            values = await _measured(place, partial(_pour, channel, size), task.seconds)
            found[size] = values | {"bulk": ("MB/s", values["rate"][1] * size / 1e6)}
    return found


async def _pour(channel: Channel, size: int, count: int) -> None:
    message = payload(size)
    batch = [message] * max(1, BATCH // size)
    whole, rest = divmod(count - 1, len(batch))
    for _ in range(whole):
        await channel.send(batch)
    await channel.send([*batch[:rest], message[:-1] + END])
    await channel.receive()


async def echoes(kit: Kit, place: Place, task: Task) -> Mapping[int, Values]:
    """There and back, ``OUTSTANDING`` at a time. A case is a message's size."""
    found: dict[int, Values] = {}
    for size in task.cases:
        async with kit.dial(attrs.evolve(place, size=size)) as channel:
            found[size] = await _measured(place, partial(_juggle, channel, size), task.seconds)
    return found


async def _juggle(channel: Channel, size: int, count: int) -> None:
    message = payload(size)
    sent, done = min(count, OUTSTANDING), 0
    await channel.send([message] * sent)
    while done < count:
        arrived = len(await channel.receive())
        done += arrived
        if more := min(arrived, count - sent):
            await channel.send([message] * more)
            sent += more


async def ping_pong(kit: Kit, place: Place, task: Task) -> Mapping[int, Values]:
    """One message there, and back, then the next. A case is a message's size."""
    found: dict[int, Values] = {}
    for size in task.cases:
        times = list[float]()
        async with kit.dial(attrs.evolve(place, size=size)) as channel:
            values = await _measured(place, partial(_rally, channel, size, times), task.seconds)
        found[size] = percentiles(times, "us") | values
    return found


async def _rally(channel: Channel, size: int, times: list[float], count: int) -> None:
    message = (payload(size),)
    times.clear()
    for _ in range(count):
        began = time.perf_counter()
        await channel.send(message)
        await channel.receive()
        times.append(time.perf_counter() - began)
