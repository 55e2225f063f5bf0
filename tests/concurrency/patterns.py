"""Each pattern of the page: what shows that it holds, and what the code would be without it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import attrs

from trio_argoagent.testing.scheduling import simulate

from ..simulation.mutants.rewriting import Rewrite
from . import chance, links, work

SEED: Final = 1


@attrs.frozen
class Pattern:
    """One row of the page's table.

    Attributes:
        name: as the page calls it.
        show: goes well with the pattern, and raises without it.
        without: the product without it, as one or more changes of one place.
    """

    name: str
    show: Callable[[], Any]
    without: tuple[Rewrite, ...]


def _pattern(name: str, show: Callable[[], Awaitable[None]], *without: Rewrite) -> Pattern:
    return Pattern(name, partial(simulate, show, seed=SEED), without)


PATTERNS: Final = (
    _pattern(
        "a-link-is-a-scope",
        links.link_ends_whole,
        Rewrite("replication.session:Session.run", "nursery.cancel_scope.cancel()", "None"),
    ),
    _pattern(
        "state-outlives-the-scope-outside-it",
        links.link_ends_whole,
        Rewrite(
            "replication.session:Session.run",
            "self._feeds.outlet.link_down()",
            "None",
        ),
    ),
    _pattern(
        "one-writer",
        links.one_task_writes,
        Rewrite(
            "net.http2_stream:Http2Stream.send_nowait",
            "self.connection.wire.kick()",
            "self.connection._start_soon(self.connection.wire._write)",
        ),
    ),
    _pattern(
        "a-reader-that-waits-for-nobody",
        links.reader_waits_for_nobody,
        Rewrite(
            "net.http2_wire:Wire._take_all",
            "if not self._engine.more:\n    return",
            """
            while any(stream._inbox for stream in self._owner._streams.values()):
                await trio.sleep(0.01)
            if not self._engine.more:
                return
            """,
        ),
    ),
    _pattern(
        "room-first-then-choose",
        links.newest_value_is_sent,
        Rewrite(
            "replication.session:Session._write",
            "await self._link.wait_room()",
            "None",
            also=(("self._send(message)", "(await self._link.wait_room(), self._send(message))"),),
        ),
    ),
    _pattern(
        "a-turn-survives-its-owner",
        work.cancelled_turn_is_passed_on,
        Rewrite(
            "replication.sharing:SharedWrites._wait",
            "if not self._core.withdraw(ticket):\n    self._end()",
            "self._core.withdraw(ticket)",
        ),
    ),
    _pattern(
        "deadlines-that-move",
        links.farewell_has_a_deadline_that_moves,
        Rewrite(
            "replication.session:Session.leave",
            "self._reading.deadline = min(self._reading.deadline, until + ANSWER)",
            "pass",
        ),
        Rewrite(
            "replication.session:Session._write",
            "self._reading.deadline = min(self._reading.deadline, trio.current_time() + ANSWER)",
            "pass",
        ),
    ),
    _pattern(
        "a-shielded-farewell",
        links.cancelled_owner_says_goodbye,
        Rewrite("net.http2_wire:Wire.__init__", "trio.CancelScope(shield=True)", "trio.CancelScope()"),
    ),
    _pattern(
        "no-shield-without-a-deadline",
        links.farewell_to_the_dead_is_short,
        Rewrite(
            "net.http2:open_http2",
            "trio.move_on_after(CLOSE_TIMEOUT, shield=True)",
            "trio.CancelScope(shield=True)",
        ),
    ),
    _pattern(
        "make-before-break",
        links.next_link_comes_first,
        Rewrite(
            "agent.uplink:Uplink._move",
            "await self._wait(ended, told)",
            "session.leave(messages.Goodbye(messages.Reason.MOVED, '')) or await self._wait(ended, told)",
        ),
    ),
    _pattern(
        "one-worker-a-key",
        work.one_worker_a_key,
        Rewrite("sync.replica:Replica.take", "slot.busy = True", "pass"),
    ),
    _pattern(
        "a-bell-not-a-queue",
        work.ring_before_the_wait_counts,
        Rewrite(
            "replication.bell:Bell.ring",
            "self._event.set()",
            "(self._event.set(), setattr(self, '_event', trio.Event()))",
        ),
    ),
    _pattern(
        "ready-means-ready",
        work.session_is_ready,
        Rewrite(
            "kube.session:open_session",
            "await nursery.start(session.run)",
            "nursery.start_soon(session.run)",
        ),
    ),
    _pattern(
        "groups-at-the-edges",
        work.neither_failure_is_lost,
        Rewrite("net.apart:kept_apart", "other is None", "True"),
    ),
    _pattern(
        "threads-for-what-blocks",
        work.hanging_thread_is_alone,
        Rewrite(
            "kube.credentials:from_kubeconfig",
            "trio.CapacityLimiter(AT_ONCE)",
            "trio.to_thread.current_default_thread_limiter()",
        ),
    ),
    _pattern(
        "everything-bounded",
        work.workers_are_bounded,
        Rewrite(
            "replication.workers:Workers.run",
            "trio.CapacityLimiter(MAX_WORKERS)",
            "trio.CapacityLimiter(1000)",
        ),
    ),
    _pattern(
        "virtual-time",
        chance.silence_is_found_in_virtual_time,
        Rewrite(
            "replication.session:Session._keep_alive",
            "trio.current_time() - self._heard",
            "__import__('time').monotonic() - self._heard",
        ),
    ),
    Pattern(
        "a-seeded-schedule",
        chance.seed_is_the_schedule,
        (Rewrite("testing.scheduling:_seeded_scheduling", "_Schedule(f'{seed} schedule')", "_Schedule()"),),
    ),
    Pattern(
        "chance-is-an-argument",
        chance.seed_is_the_chance,
        (Rewrite("agent.uplink:Uplink._wait", "wait.draw(self._random)", "wait.draw(__import__('random'))"),),
    ),
)
