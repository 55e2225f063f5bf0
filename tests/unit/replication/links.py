"""Two ends of a link in memory, each with feeds of toy objects."""

from __future__ import annotations

import random
from collections.abc import Callable

import attrs
import trio

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Holding, Outcome, Record, Result
from trio_argoagent.ports.transport import Link
from trio_argoagent.replication.executor import TryLater
from trio_argoagent.replication.feeds import Feeds
from trio_argoagent.replication.handover import Greeting
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.replication.session import Session
from trio_argoagent.replication.workers import Achieved, Workers
from trio_argoagent.stream.protocol import codec, handshake, messages
from trio_argoagent.stream.protocol.bases import Pool
from trio_argoagent.stream.protocol.negotiation import Terms
from trio_argoagent.sync.kinds import Rank
from trio_argoagent.sync.replica import Work
from trio_argoagent.sync.source import Ticket, Want
from trio_argoagent.testing.network import MemoryLink, Network

KEEPALIVE = 30.0
NONE = Terms()
WEB = Key(Kind.APPLICATION, "argocd", "web")
OTHER = Key(Kind.APPLICATION, "argocd", "other")


class Trade:
    """Brings records about in a dict; ``answers`` scripts what comes of the next ones."""

    def __init__(self) -> None:
        self.held: dict[Key, Holding] = {}
        self.bodies: dict[Key, bytes] = {}
        self.answers: list[Achieved | TryLater | Exception] = []
        self.gate: trio.Event | None = None
        self.begun: list[Record] = []

    def holding(self, key: Key) -> Holding | None:
        """See ``workers.Trade``."""
        return self.held.get(key)

    async def bring_about(self, work: Work) -> Achieved | TryLater:
        """See ``workers.Trade``."""
        self.begun.append(work.record)
        if self.gate is not None:
            await self.gate.wait()
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if work.record.body is None:
            self.held.pop(work.key, None)
        else:
            self.held[work.key] = Holding(work.record.uid, work.record.digest)
            self.bodies[work.key] = work.record.body
        return Achieved(Outcome.APPLIED)


@attrs.define
class End:
    """One side: what it wants held over there, and what it holds itself."""

    values: dict[Key, bytes] = attrs.field(factory=dict)
    trade: Trade = attrs.field(factory=Trade)
    answers: list[tuple[Ticket, Result]] = attrs.field(factory=list)
    refused: dict[Key, str] = attrs.field(factory=dict)
    outlet: Outlet = attrs.field(init=False)
    workers: Workers = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.outlet = Outlet(self.values.get, lambda kind: "7")
        self.outlet.set_complete(Kind.APPLICATION, True)
        self.workers = Workers({Kind.APPLICATION: self.trade}, listed=frozenset((Kind.APPLICATION,)))

    def want(self, key: Key, text: str, body: bytes | None = None) -> None:
        """The peer shall hold this; its body says no more than its digest, unless it is given."""
        self.values[key] = b'"%s"' % text.encode() if body is None else body
        self.outlet.want(key, Want("u1", text, Rank.SPEC))

    def feeds(self) -> Feeds:
        """For a session."""
        return Feeds(
            self.outlet,
            self.workers,
            lambda ticket, result: self.answers.append((ticket, result)),
            self._inlet,
        )

    def _inlet(self, record: Record) -> Record:
        if record.key in self.refused:
            raise RemoteProtocolError(self.refused[record.key])
        return record


@attrs.define
class Pair:
    """Both ends of one fresh link, greeted."""

    agent: Greeting
    principal: Greeting
    hello: messages.Hello
    welcome: messages.Welcome
    network: Network

    def cut(self) -> None:
        """Break the link under both."""
        for greeting in (self.agent, self.principal):
            assert isinstance(greeting.link, MemoryLink)
            greeting.link.break_off("cut", lose=True)


def hello(root: bytes) -> messages.Hello:
    """An agent's first message."""
    return messages.Hello(
        (1, 1), (), "1", "i", "c1", Mode.MANAGED, "argocd", "namespace", "", 1, root
    )


def link_pair(seed: int = 1) -> tuple[MemoryLink, MemoryLink, Network]:
    """The two ends of a link: the agent's, then the principal's."""
    network = Network(random.Random(seed))
    with network.accepting() as arriving:
        mine = network.connect("agent-1")
        return mine, arriving.receive_nowait(), network


async def greet(agent_root: bytes, principal_root: bytes, terms: Terms = NONE) -> Pair:
    """A link whose handshake is over."""
    mine, theirs, network = link_pair()
    agent, principal = (
        Greeting(mine, handshake.Role.AGENT),
        Greeting(theirs, handshake.Role.PRINCIPAL),
    )
    agent.say(hello(agent_root))
    first = await principal.hear()
    principal.say(messages.Welcome(1, (), "1", "p", "hub", "agent-1", principal_root, KEEPALIVE))
    second = await agent.hear()
    assert isinstance(first, messages.Hello)
    assert isinstance(second, messages.Welcome)
    agent.terms = principal.terms = terms
    return Pair(agent, principal, first, second, network)


async def join(agent: End, principal: End, terms: Terms = NONE) -> Pair:
    """A link between two ends."""
    return await greet(agent.workers.core.link_up(), principal.workers.core.link_up(), terms)


class Raw:
    """The far side of a link, spoken by hand."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.heard: list[messages.Message] = []

    def say(self, message: messages.Message) -> None:
        """Send one message, allowed or not."""
        self.link.send_nowait(codec.encode(message))

    async def hear(self, until: Callable[[messages.Message], bool]) -> messages.Message:
        """Read until such a message comes."""
        while True:
            for frame in await self.link.receive():
                message = codec.decode(frame)
                assert message is not None
                self.heard.append(message)
                if until(message):
                    return message


class NoTunnels:
    """``Tunnelling`` of a side that has none."""

    async def run(self, link: Link, wake: Callable[[], None]) -> None:
        """See ``Tunnelling``."""

    def next(self) -> None:
        """See ``Tunnelling``."""

    def hear(self, message: messages.Open | messages.Decline) -> None:
        """See ``Tunnelling``."""
        raise RemoteProtocolError("there are no tunnels here")


def session(greeting: Greeting, end: End, pool: Pool | None = None) -> Session:
    """A session of this end."""
    return Session(greeting, end.feeds(), KEEPALIVE, NoTunnels(), pool)
