"""What the hub shall know of this cluster's size: how many Applications, and what Argo CD's own cache counts.

The application-controller writes its counts into the spoke's Redis every ten seconds. Without that Redis the
Applications alone are counted.
"""

from __future__ import annotations

from functools import partial

import attrs
import trio

from trio_argoagent.agent.spoke import Spoke
from trio_argoagent.model.keys import Kind
from trio_argoagent.ports.env import Random
from trio_argoagent.redis.client import RedisConnection
from trio_argoagent.redis.protocol import argocache
from trio_argoagent.redis.protocol.argocache import Counts
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.redislink import Report, keep_redis
from trio_argoagent.stream.protocol.messages import ClusterInfo


class Counting:
    """See the module.

    Args:
        spoke: whose Applications are counted, and whose link tells it.
        redis: the spoke's; None: there is none to be read.
        every: seconds between two looks; 0: never.
        random: jitter.
        report: told when Redis is lost and found.
    """

    def __init__(
        self,
        spoke: Spoke,
        redis: RedisServer | None,
        every: float,
        random: Random,
        report: Report,
    ) -> None:
        self._spoke, self._redis, self._every = spoke, redis, every
        self._random, self._report = random, report
        self._counts = Counts()
        self._said: ClusterInfo | None = None

    def info(self) -> ClusterInfo | None:
        """What is to be said now; None: nothing yet."""
        return self._said

    async def run(self) -> None:
        """Count until cancelled."""
        if not self._every:
            return
        async with trio.open_nursery() as nursery:
            if self._redis is not None:
                read = partial(self._read, self._redis)
                nursery.start_soon(keep_redis, self._redis, read, self._random, self._report)
            while True:
                self._look()
                await trio.sleep(self._every)

    async def _read(self, redis: RedisServer, connection: RedisConnection) -> None:
        key = argocache.key(argocache.IN_CLUSTER, redis.compression)
        while True:
            data = await connection.get(key)
            found = argocache.load(data, redis.compression) if data is not None else None
            # A controller that restarts leaves its counts to expire: that is no news of the cluster.
            if found is not None and found != self._counts:
                self._counts = found
                self._look()
            await trio.sleep(self._every)

    def _look(self) -> None:
        applications = self._spoke.stores[Kind.APPLICATION].informer.objects
        counted = attrs.evolve(self._counts, applications=len(applications))
        info = ClusterInfo(**attrs.asdict(counted))
        if info != self._said:
            self._said = info
            self._spoke.outlet.bell.ring()
