"""The little that is remembered in a ConfigMap."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import attrs
import trio
from trio.testing import MockClock

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import Forbidden, OutcomeUnknown, Unavailable
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.replication import memory
from trio_argoagent.replication.memory import NAME, Memory
from trio_argoagent.replication.views import COUNT_AFTER, UNKNOWN, Origin, Remembrance
from trio_argoagent.stream.protocol.messages import View
from trio_argoagent.sync.guard import Guard, Limits

from .world import NAMESPACE, Script, make_env


@attrs.define
class World:
    """A server, users of it, and a script of what goes wrong for memories."""

    server: ApiServer
    users: LocalCluster
    ours: LocalCluster
    script: Script

    def data(self, agent: str = "") -> dict[str, str]:
        """What the ConfigMap holds."""
        obj = Object.parse(self.server.get(CONFIG_MAPS, NAMESPACE, memory.name_of(agent)).json)
        return dict(obj.get("data") or {})

    @property
    def writes(self) -> int:
        """Of the memory."""
        return sum(call in ("create", "patch") for call in self.script.calls)

    @contextlib.asynccontextmanager
    async def open(self, *, synced: bool = True) -> AsyncIterator[Memory]:
        """A memory at work."""
        made = Memory(self.ours, NAMESPACE, make_env())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(made.run)
            if synced:
                await made.wait_synced()
            yield made
            nursery.cancel_scope.cancel()


async def make_world() -> World:
    """See ``World``."""
    env, script = make_env(), Script()
    server = argocd_server(entropy=env.entropy)
    users = LocalCluster(server, env=env, actor="user")
    await users.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    return World(server, users, LocalCluster(server, env=env, actor="product", gate=script), script)


async def test_it_survives(autojump_clock: MockClock) -> None:
    """What is put is known at once, written together a moment later, and known to the next program."""
    world = await make_world()
    async with world.open() as first:
        for key, text in (("a", "1"), ("b", "2"), ("a", "3")):
            first.put(key, text)
        first.put("a", "of east", "east")
        assert (first.get("a"), first.durable("a"), first.get("a", "east")) == ("3", "", "of east")
        await trio.sleep(5)
        assert world.data() == {"a": "3", "b": "2"}
        assert world.data("east") == {"a": "of east"}
        before = world.writes
        first.put("a", "3")
        await trio.sleep(5000)
        assert world.writes == before, "nothing changed"
    async with world.open() as second:
        assert (second.get("a"), second.get("b"), second.get("a", "east")) == ("3", "2", "of east")
        second.put("b", "")
        await trio.sleep(5)
        assert world.data() == {"a": "3"}


async def test_it_keeps_trying(autojump_clock: MockClock) -> None:
    """Whatever a write meets with, it is done in the end, with what is newest by then."""
    world = await make_world()
    async with world.open() as mine:
        world.script.refuse("patch", Unavailable("away"))
        world.script.refuse("patch", Forbidden("no"))
        world.script.lose("create", OutcomeUnknown("cut"))
        mine.put("a", "1")
        await trio.sleep(2)
        mine.put("a", "2")
        await trio.sleep(300)
        assert world.data() == {"a": "2"}
        assert mine.durable("a") == "2"


async def test_others_write_there_too(autojump_clock: MockClock) -> None:
    """An operator's key is seen, told of by its agent, and never overwritten by another key's write."""
    world = await make_world()
    seen: list[str | None] = []
    async with world.open() as mine:
        mine.put("a", "1", "east")
        await trio.sleep(5)
        mine.on_change(seen.append)
        patch = MergePatch({"data": {"confirm": "x"}})
        await world.users.patch(CONFIG_MAPS, NAMESPACE, f"{NAME}.east", patch)
        await trio.sleep(1)
        assert mine.get("confirm", "east") == "x"
        assert "east" in seen
        mine.put("a", "2", "east")
        await trio.sleep(5)
        assert world.data("east") == {"a": "2", "confirm": "x"}


async def test_too_long_is_not_written(autojump_clock: MockClock) -> None:
    """A cut text would be no JSON any more: it is left out whole."""
    world = await make_world()
    async with world.open() as mine:
        mine.put("a", "x" * (memory.MAX_TEXT + 1))
        assert mine.get("a") == ""


def make_ends(mine: Memory, theirs: Memory) -> tuple[Origin, Remembrance, Guard, list[str]]:
    """A source that counts its sessions, and a replica that remembers it."""
    guard, doubts = Guard(Limits(), lambda kind: 9), list[str]()
    origin = Origin(mine, "sessions", "east", make_env(), lambda: "ns-1", lambda: "map-1")
    return origin, Remembrance(theirs, "principal", "", guard, doubts.append), guard, doubts


def said(origin: Origin) -> View:
    """What the source says."""
    view = origin.view()
    assert view is not None
    return view


async def test_sessions_are_counted_coarsely(autojump_clock: MockClock) -> None:
    """At most one an hour, and none is said before it is stored."""
    world = await make_world()
    async with world.open() as hub:
        origin, _, _, _ = make_ends(hub, hub)
        assert said(origin).sessions == 0
        for _ in range(3):
            origin.begin()
            assert said(origin).sessions == 0
        await trio.sleep(5)
        assert said(origin).sessions == 1
        origin.begin()
        await trio.sleep(COUNT_AFTER)
        assert said(origin).sessions == 1
        origin.begin()
        await trio.sleep(5)
        assert said(origin) == View("ns-1", "map-1", 2)


async def test_a_restored_source_is_doubted_over_restarts(autojump_clock: MockClock) -> None:
    """Until both sides agree: then it is believed again, whatever it counts."""
    hub_world, spoke_world = await make_world(), await make_world()
    async with hub_world.open() as hub, spoke_world.open() as spoke:
        origin, replica, guard, doubts = make_ends(hub, spoke)
        hub.put("sessions", "7 0", "east")
        await trio.sleep(5)
        replica.viewed(said(origin))
        await trio.sleep(5)
        assert guard.suspicion == ""
        hub.put("sessions", "3 0", "east")
        await trio.sleep(5)
        replica.viewed(said(origin))
        assert "restored from a backup" in guard.suspicion
        assert len(doubts) == 1
        await trio.sleep(5)
    async with spoke_world.open() as spoke:
        _, replica, guard, _ = make_ends(spoke, spoke)
        replica.viewed(View("ns-1", "map-1", 9))
        assert "restored from a backup" in guard.suspicion
        replica.viewed(View("ns-1", "map-1", 9, settled=True))
        assert guard.suspicion == ""
        await trio.sleep(5)
        replica.viewed(View("ns-1", "map-1", 9))
        assert guard.suspicion == ""


async def test_nothing_is_believed_before_it_is_known(autojump_clock: MockClock) -> None:
    """A replica that cannot read its memory holds what is inferred until it can."""
    world = await make_world()
    for _ in range(3):
        world.script.refuse("list", Unavailable("away"))
    async with world.open(synced=False) as mine:
        _, replica, guard, _ = make_ends(mine, mine)
        mine.on_change(lambda agent: replica.look())
        replica.viewed(View("ns-1", "map-1", 1))
        assert guard.suspicion == UNKNOWN
        await trio.sleep(120)
        assert guard.suspicion == ""
