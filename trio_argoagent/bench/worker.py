"""The two processes of a pair: ``python -m trio_argoagent.bench.worker serve|drive JSON``.

A server prints one line of JSON, where it is, and serves until it is ended. A client reads such a line from
its standard input, does its task, and prints the figures as one line. Neither outlives ``LIFETIME``, whatever
becomes of whoever has started it.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs

from trio_argoagent.bench import crowd, loads, machine
from trio_argoagent.bench.channel import Channel, Kit
from trio_argoagent.bench.loads import Task, Values
from trio_argoagent.bench.place import Place
from trio_argoagent.bench.usage import answering

LIFETIME: Final = 300
"""Seconds."""
SERVE: Final = "serve"
DRIVE: Final = "drive"

Client = Callable[[Kit, Place, Task], Awaitable[Mapping[int, Values]]]
Server = Callable[[Channel], Awaitable[None]]

LOADS: Final[Mapping[str, tuple[Client, Server]]] = {
    "one-way": (loads.one_way, loads.sink),
    "echo": (loads.echoes, loads.echo),
    "ping-pong": (loads.ping_pong, loads.echo),
    "many": (crowd.many, loads.echo),
    "idle": (crowd.idle, loads.echo),
    "connect": (crowd.connect, loads.echo),
}
"""What the client does, and what the server does with each connection."""


@attrs.frozen
class Order:
    """What a pair is for.

    Attributes:
        module: of the side.
        place: where; the client learns the ports from its standard input.
        task: what the client does.
    """

    module: str
    place: Place
    task: Task

    def as_json(self) -> str:
        """For the command line."""
        return json.dumps(attrs.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        """The same again."""
        value = json.loads(text)
        task = value["task"] | {"cases": tuple(value["task"]["cases"])}
        return cls(value["module"], Place(**value["place"]), Task(**task))


def serve(order: Order) -> None:
    """The server's process."""
    kit = _kit(order)
    with answering() as asked:

        def ready(port: int) -> None:
            _say({"port": port} | attrs.asdict(asked))

        async def main() -> None:
            await kit.serve(order.place, LOADS[order.task.load][1], ready)

        kit.run(main)


def drive(order: Order) -> None:
    """The client's process."""
    kit = _kit(order)
    place = attrs.evolve(order.place, **json.loads(sys.stdin.readline()))
    found: list[Any] = []

    async def main() -> None:
        figures = await LOADS[order.task.load][0](kit, place, order.task)
        found.extend([case, values] for case, values in figures.items())

    kit.run(main)
    _say(found)


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _kit(order: Order) -> Kit:
    kit: Kit = importlib.import_module(order.module).KIT
    return kit


if __name__ == "__main__":
    signal.alarm(LIFETIME)
    # Before the side is imported: what it starts by then stays where it is.
    machine.pin({SERVE: machine.SERVER, DRIVE: machine.CLIENT}[sys.argv[1]])
    {SERVE: serve, DRIVE: drive}[sys.argv[1]](Order.from_json(sys.argv[2]))
