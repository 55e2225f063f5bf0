"""What is measured in a process of its own: virtual time needs the interpreter to itself, and so does memory.

``python -m trio_argoagent.bench.apart MODULE ORDER`` calls the module's ``play`` with what the order, a JSON
object, says, and prints what it returns as one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import attrs
import trio

from trio_argoagent.bench.children import last_word
from trio_argoagent.bench.figures import Case, Values
from trio_argoagent.bench.questions import Ask, Asked, each
from trio_argoagent.errors import UserError

CORES: Final = len(os.sched_getaffinity(0))
"""Processors that may be used: as many cases may be measured at a time, where no figure is about seconds."""
_HERE: Final = "trio_argoagent.bench.apart"


@attrs.frozen
class Order:
    """What a process is to measure.

    Attributes:
        side: the name of whose turn it is.
        case: which.
        turn: counts the rounds from 0: what is drawn is drawn from it.
        quick: is it a quick look?
    """

    side: str
    case: Case
    turn: int
    quick: bool


Play = Callable[[Order], Values]
"""What a module offers as ``play``: measures one case of one side, in a process of its own."""


def apart(module: str, at_once: int = 1) -> Ask:
    """Measures each case by a module's ``play``.

    Args:
        module: its name.
        at_once: see ``each``.
    """

    async def measure(case: Case, asked: Asked) -> Values:
        order = Order(asked.side.name, case, asked.turn, asked.effort.quick)
        found: Values = await told(_HERE, module, json.dumps(attrs.asdict(order)))
        return found

    return each(measure, at_once)


async def told(module: str, *arguments: str) -> Any:
    """What a module says as one line of JSON when it is run in a process of its own.

    Raises:
        UserError: it has failed; the text has its last word.
    """
    command = [sys.executable, "-m", module, *arguments]
    ended = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
    if ended.returncode:
        last = last_word(ended.stderr.decode("utf-8", "replace"))
        raise UserError(f"{module} {arguments[0]}: ended with code {ended.returncode}: {last}")
    return json.loads(ended.stdout)


def main(module: str, order: str) -> None:
    """The process."""
    play: Play = importlib.import_module(module).play
    sys.stdout.write(json.dumps(play(Order(**json.loads(order)))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
