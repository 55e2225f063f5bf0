"""Every step of a run, as it happens: which task ran, and what it wrote, sent and reported.

This is what determinism is judged by: a digest says that two runs differ, a list of steps where they part
(``divergence``).
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import Final

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.objects import canonical
from trio_argoagent.runtime.events import Event
from trio_argoagent.testing.discretion import masked
from trio_argoagent.testing.divergence import Step
from trio_argoagent.testing.fleet import Fleet
from trio_argoagent.testing.programs import NODE

MAX_STEPS: Final = 2_000_000
"""Steps that are kept; of a longer run the first ones."""
SIMULATOR: Final = "simulator"
"""The node of what belongs to no program."""
_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")


class Recorder(trio.abc.Instrument):
    """See the module. An instrument of Trio; ``attach`` adds what a fleet does.

    Attributes:
        steps: what has happened so far.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Trio tells of a step."""
        node = task.context.get(NODE, SIMULATOR)
        self._add(node, ".".join(_ADDRESS.sub("", task.name).rsplit(".", 2)[-2:]))

    def attach(self, fleet: Fleet) -> None:
        """From now on note each API write, each frame and each event of a fleet as well.

        Call it once whoever else listens to the frames of the network does so.
        """
        for cluster, server in fleet.servers.items():
            server.subscribe(partial(self._on_write, cluster))
        fleet.observers.append(self._on_event)
        before = fleet.network.on_frame

        def on_frame(agent: str, up: bool, frame: bytes) -> None:
            if before is not None:
                before(agent, up, frame)
            self._on_frame(agent, up, frame)

        fleet.network.on_frame = on_frame

    def _add(self, node: str, what: str, detail: str = "") -> None:
        if len(self.steps) < MAX_STEPS:
            self.steps.append(Step(trio.current_time(), node, what, detail))

    def _on_write(self, cluster: str, entry: LogEntry) -> None:
        what = f"{entry.actor} has written {entry.resource.kind} {entry.namespace}/{entry.name} {entry.rv}"
        self._add(cluster, what, canonical(masked(entry.subject.value)).decode())

    def _on_event(self, program: str, event: Event) -> None:
        self._add(program, f"reports {event.name}", event.text)

    def _on_frame(self, agent: str, up: bool, frame: bytes) -> None:
        digest = hashlib.sha256(frame).hexdigest()[:16]
        self._add(agent, f"{'sends' if up else 'is sent'} {len(frame)} bytes", digest)
