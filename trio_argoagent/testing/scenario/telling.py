"""What happens in a run and what did not hold, collected for people."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Final

import attrs
import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.errors import ArgoAgentError
from trio_argoagent.testing import timeline
from trio_argoagent.testing.fleet import Fleet
from trio_argoagent.testing.scenario.values import Where
from trio_argoagent.testing.trial import Moment, history_digest

MAX_MOMENTS: Final = 200_000
"""Moments that are kept for the timeline of a failure; the oldest go first."""


@attrs.frozen
class Outcome:
    """What one run came to.

    Attributes:
        name: of the scenario's file.
        seed: of everything that was drawn.
        failures: what did not hold, a line each, in the order of time; empty: all is well.
        timeline: what led to the first failure.
        seconds: of virtual time.
        steps: of the scheduler.
        digest: of every write on every cluster: equal digests are equal histories.
    """

    name: str
    seed: int
    failures: tuple[str, ...]
    timeline: tuple[str, ...]
    seconds: float
    steps: int
    digest: str

    def check(self) -> None:
        """Raise what did not hold.

        Raises:
            AssertionError: something did not.
        """
        if self.failures:
            raise AssertionError("\n  ".join((f"{self.name}, seed {self.seed}:", *self.failures)))


class Failed(Exception):
    """The timeline cannot go on; why not has been told."""


class Teller:
    """Hears what happens to a fleet.

    Args:
        name: of the scenario's file.
        fleet: whose writes are noted from now on.
    """

    def __init__(self, name: str, fleet: Fleet) -> None:
        self._name, self._fleet = name, fleet
        self._failures: dict[str, None] = {}
        self._moments: deque[Moment] = deque(maxlen=MAX_MOMENTS)
        for cluster, server in fleet.servers.items():
            server.subscribe(partial(self._on_write, cluster))

    def fail_at(self, where: Where, text: str) -> None:
        """What the file says there did not hold."""
        self.fail(f"{self._name}:{where.line}: {where.field}: {text}")

    def fail(self, text: str) -> None:
        """Something did not hold; a text that does not begin with its time is of now."""
        line = " ".join(text.split())
        if timeline.when(line) == float("inf"):
            line = f"{trio.current_time():.3f} s: {line}"
        self._failures[line] = None
        self._moment("violation", "", "", line)

    def action(self, cluster: str, text: str) -> None:
        """A step, or somebody at work."""
        self._moment("action", cluster, "user", text)

    @contextlib.contextmanager
    def refusals(self, where: Where, what: str, *, expected: bool = False) -> Iterator[None]:
        """What a server refuses ends the timeline, unless it had to; and so does what it had to, and did not.

        Raises:
            Failed: that is so, and has been told.
        """
        try:
            yield
        except ArgoAgentError as exc:
            if expected:
                return
            self.fail_at(where, f"{what} is refused: {exc}")
            raise Failed from exc
        if expected:
            self.fail_at(where, f"{what} was to be refused, and is not")
            raise Failed

    def outcome(self, steps: int) -> Outcome:
        """What it came to, after so many steps of the scheduler."""
        failures = tuple(sorted(self._failures, key=timeline.when))
        led = timeline.select(self._moments, whole=True) if failures else []
        return Outcome(
            self._name, self._fleet.seed, failures, tuple(led),
            trio.current_time(), steps, history_digest(self._fleet),
        )  # fmt: skip

    def _on_write(self, cluster: str, entry: LogEntry) -> None:
        text = f"{entry.verb.value} {entry.resource.kind} {entry.namespace}/{entry.name}"
        self._moment("write", cluster, entry.actor, text, entry)

    def _moment(self, what: str, cluster: str, actor: str, text: str, entry: LogEntry | None = None) -> None:
        self._moments.append(Moment(trio.current_time(), cluster, actor, what, text, entry))
