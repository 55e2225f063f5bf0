"""How each agent is, where Argo CD's UI looks: the ClusterInfo of its cluster in the hub's Redis.

The connection's state is never remembered: it is read from the live link at the moment of writing, so that
the end of an old link cannot overwrite the begin of a new one (argocd-agent issues 469 and 838, where the UI
showed Failed for hours). Each look compares what should stand there with what was written last; Argo CD lets
a ClusterInfo live for ten minutes, so it is written again before that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import trio
from msgspec import structs

from trio_argoagent.kube.informer import Informer
from trio_argoagent.ports.env import Env
from trio_argoagent.principal.clusters import Entry, choose, read_entry
from trio_argoagent.principal.peer import Peer
from trio_argoagent.redis.client import RedisConnection
from trio_argoagent.redis.protocol import argocache
from trio_argoagent.redis.protocol.argocache import ClusterInfo, Counts, State
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.replication.bell import Bell
from trio_argoagent.runtime.redislink import Report, keep_redis
from trio_argoagent.stream.protocol import messages

LOOK: Final = 10.0
"""Seconds between two looks at everything; a link that comes or goes is looked at at once."""
RENEWAL: Final = 180.0
"""Seconds after which what stands there is written again."""
GRACE: Final = 20.0
"""Seconds from the start in which an agent may come back before it is said to be away."""


@attrs.frozen
class Sight:
    """What an agent's peer shows at one moment.

    Attributes:
        connected: does it have a link?
        links: how many it has had; tells a link from its successor.
        info: what is in its cluster, as it has said last.
        waiting: changes that it has not taken yet.
        asof: the hub's resourceVersion up to which it is proven to hold what it should; empty: none yet.
    """

    connected: bool
    links: int
    info: messages.ClusterInfo | None = None
    waiting: int = 0
    asof: str = ""


NOBODY: Final = Sight(False, 0)


def sight(peer: Peer) -> Sight:
    """What this peer shows now."""
    # Not the whole status: at a mass reconnect every agent is looked at again and again.
    dirty, asof = peer.outlet.statistics().dirty, peer.outlet.consistent_as_of()
    return Sight(peer.link is not None, peer.links, peer.info, dirty, asof)


@attrs.frozen
class Standing:
    """What is to be said of one agent, apart from what changes all the time.

    Attributes:
        connected: does it have a link?
        since: when that began (RFC 3339).
        counts: what is in its cluster.
        waiting: changes that it has not taken yet.
    """

    connected: bool
    since: str
    counts: Counts
    waiting: int = 0


def shown(agent: str, standing: Standing, asof: str) -> ClusterInfo:
    """What Argo CD shows. The begin of the message is argocd-agent's.

    Args:
        agent: its name.
        standing: how it is.
        asof: the hub's resourceVersion up to which it is proven to hold what it should; empty: none yet.
    """
    if not standing.connected:
        text = f"Agent: '{agent}' is disconnected with principal"
        return ClusterInfo(State.FAILED, text, standing.since, standing.counts)
    text = f"Agent: '{agent}' is connected with principal"
    if standing.waiting:
        text += f"; {standing.waiting} changes are on their way to it"
    elif asof:
        text += f"; it holds what it should as of resourceVersion {asof}"
    return ClusterInfo(State.SUCCESSFUL, text, standing.since, standing.counts)


@attrs.define
class _Agent:
    """What is remembered of one."""

    connected: bool
    links: int
    since: str
    counts: Counts | None = None
    written: Standing | None = None
    written_at: float = 0.0


class ClusterInfos:
    """See the module.

    Args:
        secrets: the agents' cluster secrets.
        redis: the hub's.
        look_at: what the peer of an agent shows now; None: there is none.
        env: wall time and jitter.
        report: told when Redis is lost and found.
    """

    def __init__(
        self,
        secrets: Informer,
        redis: RedisServer,
        look_at: Callable[[str], Sight | None],
        env: Env,
        report: Report,
    ) -> None:
        self._secrets, self._redis = secrets, redis
        self._look_at, self._env, self._report = look_at, env, report
        secrets.on_change(lambda change: self.look())
        self._agents: dict[str, _Agent] = {}
        self._bell = Bell()
        self._graced = 0.0

    def look(self) -> None:
        """A link has come or gone, an agent has counted, or a cluster secret has changed."""
        self._bell.ring()

    async def run(self) -> None:
        """Write until cancelled."""
        self._graced = trio.current_time() + GRACE
        await keep_redis(self._redis, self._work, self._env.random, self._report)

    async def _work(self, connection: RedisConnection) -> None:
        for each in self._agents.values():
            each.written = None  # This Redis may be another one, or have forgotten.
        while True:
            servers = self._servers()
            for agent in [each for each in self._agents if each not in servers]:
                del self._agents[agent]
            for agent, server in servers.items():
                await self._write(connection, agent, argocache.key(server, self._redis.compression))
            await self._bell.wait(trio.current_time() + LOOK)

    async def _write(self, connection: RedisConnection, agent: str, key: str) -> None:
        """Write what is to be said of an agent, if it is due.

        Nothing is awaited between looking at the link and sending what was seen.
        """
        known, seen = self._seen(agent)
        if not seen.links and trio.current_time() < self._graced:
            return
        if known.counts is None:
            known.counts = await self._stored(connection, key)
            known, seen = self._seen(agent)
        waiting, now = seen.waiting if seen.connected else 0, trio.current_time()
        standing = Standing(seen.connected, known.since, known.counts or Counts(), waiting)
        if standing == known.written and now < known.written_at + RENEWAL:
            return
        known.written, known.written_at = standing, now
        value = argocache.dump(shown(agent, standing, seen.asof), self._redis.compression)
        await connection.set(key, value, expire=argocache.LIFETIME)

    async def _stored(self, connection: RedisConnection, key: str) -> Counts:
        """What a predecessor has written: better than nothing until the agent has counted."""
        data = await connection.get(key)
        return (argocache.load(data, self._redis.compression) if data is not None else None) or Counts()

    def _seen(self, agent: str) -> tuple[_Agent, Sight]:
        """What is known of it, brought up to what its peer shows now."""
        seen, known = self._look_at(agent) or NOBODY, self._agents.get(agent)
        if known is None:
            known = self._agents[agent] = _Agent(seen.connected, seen.links, self._env.timestamp())
        elif (seen.connected, seen.links) != (known.connected, known.links):
            known.connected, known.links, known.since = seen.connected, seen.links, self._env.timestamp()
        if seen.info is not None:
            known.counts = Counts(**structs.asdict(seen.info))
        return known, seen

    def _servers(self) -> dict[str, str]:
        """The server URL of each agent, as its cluster secret has it."""
        entries: dict[str, list[Entry]] = {}
        for secret in self._secrets.objects.values():
            entry = read_entry(secret)
            entries.setdefault(entry.agent, []).append(entry)
        chosen = {agent: choose(several) for agent, several in entries.items()}
        return {agent: entry.server for agent, entry in chosen.items() if entry is not None and entry.server}
