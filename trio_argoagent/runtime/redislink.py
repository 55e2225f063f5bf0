"""A connection to Redis for as long as a program runs: opened again whenever it is lost, told of rarely.

Nothing that must not be lost is in Redis: without it the rest goes on, and says once that it does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from trio_argoagent.errors import leaves
from trio_argoagent.ports.env import Random
from trio_argoagent.redis.client import RedisConnection, open_redis
from trio_argoagent.redis.errors import RedisError, RedisRefused
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.backoff import Backoff

STABLE: Final = 5.0
"""Seconds a connection must have lived for the next attempt to come soon."""
SILENCE: Final = 60.0
"""Seconds between two lines that tell of a loss, if Redis comes and goes."""

Work = Callable[[RedisConnection], Awaitable[None]]
Report = Callable[[str, str, str], None]


async def keep_redis(server: RedisServer, work: Work, random: Random, report: Report) -> None:
    """Work with a connection, and with another one whenever it is lost, until cancelled.

    Args:
        server: where.
        work: what to do with a connection; ``RedisError`` out of it ends that connection.
        random: jitter.
        report: told what happens: name, text, level. A whole outage is one line at its begin and one at
            its end.
    """
    backoff, lost, told = Backoff(random), False, -SILENCE
    while True:
        began = trio.current_time()
        try:
            async with open_redis(server) as connection:
                if lost:
                    lost = False
                    report("redis-found", f"Redis at {server.where} is there again", "info")
                await work(connection)
        except* RedisError as group:
            if not lost and trio.current_time() >= told + SILENCE:
                lost, told = True, trio.current_time()
                report("redis-lost", _text(next(leaves(group)), server), "warning")
        if trio.current_time() >= began + STABLE:
            backoff.succeeded()
        await trio.sleep(backoff.next_wait())


def _text(exc: BaseException, server: RedisServer) -> str:
    refused = f"Redis at {server.where} refuses us: {exc}; check user and password"
    text = refused if isinstance(exc, RedisRefused) else str(exc)
    return f"{text}; Argo CD's UI will not show how this cluster is, the rest goes on"
