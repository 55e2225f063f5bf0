"""The way to the principal: how each end of a link leads to the next attempt."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from trio_argoagent.agent import Agent
from trio_argoagent.agent.uplink import HANDSHAKE_TIMEOUT, REPLACED_WAIT, LinkState, Uplink
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import Gate, LocalCluster
from trio_argoagent.errors import LinkBroken, LinkRefused, LocalProtocolError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.objects import canonical
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.transport import Link
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.sync import buckets
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.network import Network

EMPTY = buckets.Buckets().root()
WELCOME = m.Welcome(1, (), "1", "p", "hub", "edge", EMPTY, 30.0)
GARBAGE = m.Leaf(b"", (), True)
Handler = Callable[["Principal", Link], Awaitable[None]]


@attrs.define
class Principal:
    """A principal that is spoken by hand: ``handler`` treats every link."""

    handler: Handler
    dials: list[float] = attrs.field(factory=list)
    heard: list[m.Message] = attrs.field(factory=list)

    async def serve(self, link: Link) -> None:
        """One link."""
        self.dials.append(trio.current_time())
        await self.handler(self, link)

    async def listen(self, link: Link) -> None:
        """Answer pings until the link ends."""
        while frames := await link.receive():
            for message in map(codec.decode, frames):
                assert message is not None
                self.heard.append(message)
                if isinstance(message, m.Ping):
                    link.send_nowait(codec.encode(m.Pong(message.token)))


def say(*sent: m.Message, stay: float = 0.0) -> Handler:
    """Say this, listen for a while, and end the link."""

    async def handler(principal: Principal, link: Link) -> None:
        for message in sent:
            link.send_nowait(codec.encode(message))
        with trio.move_on_after(stay):
            await principal.listen(link)

    return handler


@attrs.define
class Spoke:
    """A cluster with an agent that dials a principal of ours."""

    server: ApiServer
    users: LocalCluster
    agent: Agent
    principal: Principal
    network: Network


async def run_spoke(
    handler: Handler,
    seconds: float,
    *,
    mode: Mode = Mode.MANAGED,
    body: Any = None,
    gate: Gate | None = None,
    **config: Any,
) -> Spoke:
    """Let an agent run for that long; ``body(spoke)`` runs beside it. ``gate``: before its own calls."""
    chance = random.Random(9)
    env = Env(now=trio.current_time, random=chance, entropy=chance.randbytes)
    server = argocd_server(entropy=chance.randbytes)
    users = LocalCluster(server, env=env, actor="user")
    for name in ("argocd", "elsewhere"):
        await users.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    network = Network(chance)
    principal = Principal(handler)
    ours = LocalCluster(server, env=env, actor="agent", gate=gate)
    agent = Agent(AgentConfig("argocd", mode, **config), cluster=ours, dialer=network.dialer("edge"), env=env)
    spoke = Spoke(server, users, agent, principal, network)
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            await nursery.start(network.listener().serve, principal.serve)
            nursery.start_soon(agent.run)
            if body is not None:
                nursery.start_soon(body, spoke)
    return spoke


def waits(principal: Principal) -> list[float]:
    """Seconds between the attempts."""
    return [later - earlier for earlier, later in zip(principal.dials, principal.dials[1:], strict=False)]


async def test_a_refusal_is_heeded(autojump_clock: MockClock) -> None:
    """The agent dials again no sooner than it is told."""
    spoke = await run_spoke(say(m.Refuse(m.Reason.MAPPING, "no", 60.0)), 400)
    assert len(spoke.principal.dials) > 3
    assert min(waits(spoke.principal)) >= 60.0


async def test_what_is_in_the_cluster(autojump_clock: MockClock) -> None:
    """Each link hears it once, and again only when it has changed; without being asked, never."""

    async def create(spoke: Spoke) -> None:
        await trio.sleep(65)
        await spoke.users.create(APPLICATIONS, application("web", namespace="argocd"))

    def infos(spoke: Spoke) -> list[m.ClusterInfo]:
        return [message for message in spoke.principal.heard if isinstance(message, m.ClusterInfo)]

    spoke = await run_spoke(say(WELCOME, stay=500), 450, body=create, count_every=10.0)
    assert infos(spoke) == [m.ClusterInfo(0), m.ClusterInfo(1)]
    spoke = await run_spoke(say(WELCOME, stay=20), 300, count_every=10.0)
    assert infos(spoke) == [m.ClusterInfo(0)] * len(spoke.principal.dials)
    assert infos(await run_spoke(say(WELCOME, stay=500), 450, body=create)) == []


async def test_being_replaced(autojump_clock: MockClock) -> None:
    """Two processes with one certificate do not fight: the one that was replaced keeps away for a while."""
    goodbye = m.Goodbye(m.Reason.REPLACED, "another one")
    spoke = await run_spoke(say(WELCOME, goodbye), 400)
    assert len(spoke.principal.dials) > 3
    assert min(waits(spoke.principal)) >= REPLACED_WAIT


async def test_a_link_that_breaks_at_once(autojump_clock: MockClock) -> None:
    """A welcome is no success: dialling becomes rare where every link dies of the same cause."""
    spoke = await run_spoke(say(WELCOME, GARBAGE), 600)
    assert len(spoke.principal.dials) < 80


async def test_a_link_that_lived_is_dialled_again_soon(autojump_clock: MockClock) -> None:
    """Thousands of agents are back within seconds after a cut."""
    spoke = await run_spoke(say(WELCOME, stay=70.0), 1_000)
    assert max(waits(spoke.principal)) < 73.0


async def test_a_link_that_lives_for_seconds_has_failed(autojump_clock: MockClock) -> None:
    """Where each link ends within a minute the attempts become rare, although each was welcomed."""
    spoke = await run_spoke(say(WELCOME, stay=20.0), 1_000)
    assert max(waits(spoke.principal)) > 30.0


async def test_a_principal_that_is_away_for_seconds(autojump_clock: MockClock) -> None:
    """Its agents are back within a second or so: what nobody has answered costs nobody anything."""

    async def cut(spoke: Spoke) -> None:
        for _ in range(10):
            await trio.sleep(200)
            spoke.network.cut("edge")
            await trio.sleep(4)
            spoke.network.heal("edge")
            links = len(spoke.principal.dials)
            await trio.sleep(1.2)
            assert len(spoke.principal.dials) == links + 1

    await run_spoke(say(WELCOME, stay=1_000.0), 2_100, body=cut)


async def test_all_that_ends_a_link_is_told(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken connection does not hide the bug of ours that has met it."""
    told: list[str] = []

    async def fail(self: Uplink, link: Link, cluster_uid: str) -> None:
        raise ExceptionGroup("both", [LinkBroken("it is gone"), LocalProtocolError("a bug")])

    def listen(self: Agent, name: str, text: str, level: str = "info") -> None:
        told.append(text)

    monkeypatch.setattr(Uplink, "_greet", fail)
    monkeypatch.setattr(Agent, "_report", listen)
    await run_spoke(say(), 1)
    assert "it is gone; a bug" in told


async def test_a_refusal_hides_no_bug(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says when to come again; what came with it is told and counted all the same."""
    told: list[tuple[str, str]] = []

    async def fail(self: Uplink, link: Link, cluster_uid: str) -> None:
        refused = LinkRefused(m.Reason.NOT_READY, "come later", 500.0)
        raise ExceptionGroup("both", [refused, LocalProtocolError("a bug"), LocalProtocolError("another")])

    def listen(self: Agent, name: str, text: str, level: str = "info") -> None:
        told.append((name, text))

    monkeypatch.setattr(Uplink, "_greet", fail)
    monkeypatch.setattr(Agent, "_report", listen)
    spoke = await run_spoke(say(), 400)
    assert len(spoke.principal.dials) == 1
    assert ("link-broken", "a bug; another") in told
    (refusal,) = [text for name, text in told if name == "link-refused"]
    assert "come later" in refusal
    endings = spoke.agent.endings
    assert (dict(endings.refusals), dict(endings.ends)) == ({"not-ready": 1}, {"protocol": 1})


async def test_no_welcome(autojump_clock: MockClock) -> None:
    """A principal that says nothing is given up."""
    spoke = await run_spoke(say(stay=1_000.0), 300)
    assert len(spoke.principal.dials) > 3
    assert min(waits(spoke.principal)) >= HANDSHAKE_TIMEOUT - 1


@pytest.mark.parametrize(
    "first", [m.Ping(b"x"), m.Goodbye(m.Reason.SHUTDOWN, ""), m.Results(()), WELCOME, GARBAGE]
)
async def test_whatever_the_principal_says_first(first: m.Message, autojump_clock: MockClock) -> None:
    """The agent survives it and dials again."""
    spoke = await run_spoke(say(first), 100)
    assert len(spoke.principal.dials) > 2


async def test_a_protocol_that_nobody_offered(autojump_clock: MockClock) -> None:
    """The agent does not talk to a principal that chooses what it cannot speak."""
    spoke = await run_spoke(say(structs.replace(WELCOME, protocol=7), stay=50), 100)
    assert len(spoke.principal.dials) > 2
    assert {type(message) for message in spoke.principal.heard} == {m.Hello}


async def test_nobody_answers(autojump_clock: MockClock) -> None:
    """The agent waits for its principal for ever."""

    async def cut(spoke: Spoke) -> None:
        spoke.network.cut("edge")
        await trio.sleep(500)
        spoke.network.heal("edge")

    spoke = await run_spoke(say(WELCOME, stay=1_000.0), 600, body=cut)
    assert spoke.agent.status().link is LinkState.LIVE


def record(key: Key, body: dict[str, Any]) -> m.RecordMessage:
    """A record of the principal."""
    return m.RecordMessage(1, Record(key, "u1", "D1", "7", canonical(body)))


def results(principal: Principal) -> list[Result]:
    """What the agent has answered."""
    return [r for message in principal.heard if isinstance(message, m.Results) for r in message.results]


COPY = {"annotations": {}, "finalizers": [], "labels": {}, "spec": {"project": "default"}}


async def test_another_namespace_is_none_of_the_hubs_business(autojump_clock: MockClock) -> None:
    """Whatever rights the agent has there."""
    message = record(Key(Kind.APPLICATION, "elsewhere", "web"), COPY)
    spoke = await run_spoke(say(WELCOME, message, stay=20.0), 15)
    assert [r.outcome for r in results(spoke.principal)] == [Outcome.REJECTED]
    assert spoke.server.list(APPLICATIONS).items == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": 5, "operation": {}},
        {"id": "i", "operation": []},
        {"id": "i", "value": "normal"},
    ],
)
async def test_an_intent_without_sense(body: dict[str, Any], autojump_clock: MockClock) -> None:
    """It is rejected."""
    message = record(Key(Kind.INTENT, "argocd", "web", Verb.SYNC), body)
    spoke = await run_spoke(say(WELCOME, message, stay=20.0), 15)
    assert [r.outcome for r in results(spoke.principal)] == [Outcome.REJECTED]
