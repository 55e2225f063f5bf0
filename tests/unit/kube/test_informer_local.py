"""The informer over the embedded API server: real resourceVersions, expiry, selectors and uids."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from trio_argoagent import errors
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.env import Env

Step = Callable[[], Awaitable[object]]
_VERBS = ["put", "put", "put", "delete", "label", "compact", "drop", "expire"]
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(_VERBS), st.sampled_from("abcd")),
        st.tuples(st.just("sleep"), st.sampled_from(["0.001", "0.9", "7", "65"])),
    ),
    max_size=30,
)


class World:
    """A server, a writer, and an informer of the ConfigMaps with a label, and of all of them."""

    def __init__(self) -> None:
        chance = random.Random(7)
        self.env = Env(now=trio.current_time, random=chance, entropy=chance.randbytes)
        self.server = ApiServer(entropy=chance.randbytes)
        self.cluster = LocalCluster(self.server, env=self.env, actor="test")
        self.writes = 0

    async def step(self, verb: str, name: str) -> None:
        """One thing that happens to the server."""
        self.writes += 1
        here = (CONFIG_MAPS, "default", name)
        try:
            match verb:
                case "put":
                    await self._put(name)
                case "delete":
                    await self.cluster.delete(*here)
                case "label":
                    labels = {"on": "yes" if self.writes % 2 else None}
                    await self.cluster.patch(*here, MergePatch({"metadata": {"labels": labels}}))
                case "compact":
                    self.server.compact(self.server.rv)
                case "drop":
                    self.server.drop_watches()
                case "expire":
                    self.server.drop_watches(errors.Unavailable("broken"))
                    self.server.compact(self.server.rv)
                case "sleep":
                    await trio.sleep(float(name))
        except errors.NotFound:
            pass

    async def _put(self, name: str) -> None:
        value = {"metadata": {"name": name, "namespace": "default", "labels": {"on": "yes"}}}
        try:
            await self.cluster.create(CONFIG_MAPS, value)
        except errors.AlreadyExists:
            patch = MergePatch({"data": {"n": str(self.writes)}})
            await self.cluster.patch(CONFIG_MAPS, "default", name, patch)


async def scenario(steps: list[tuple[str, str]]) -> None:
    """Run the steps under two informers, and compare."""
    world = World()
    mirror: dict[str, str] = {}

    def follow(change: Change) -> None:
        # Each change must continue from what the changes before it said.
        assert mirror.get(change.name[1]) == (change.old.meta.uid if change.old else None)
        mirror.pop(change.name[1], None)
        if change.new is not None:
            mirror[change.name[1]] = change.new.meta.uid

    everything = Informer(world.cluster, CONFIG_MAPS, "default", env=world.env, page=2)
    everything.on_change(follow)
    chosen = Informer(world.cluster, CONFIG_MAPS, "default", selector="on=yes", env=world.env)
    async with trio.open_nursery() as nursery:
        await nursery.start(everything.run)
        await nursery.start(chosen.run)
        for verb, name in steps:
            await world.step(verb, name)
        await trio.sleep(200)
        for informer in (everything, chosen):
            now = await world.cluster.list(CONFIG_MAPS, "default", selector=informer.source.selector)
            versions = {item.meta.name: item.meta.resource_version for item in now.items}
            held = {name: item.meta.resource_version for (_, name), item in informer.objects.items()}
            assert held == versions
            assert informer.complete
        assert mirror == {name: item.meta.uid for (_, name), item in everything.objects.items()}
        # Bookmarks: as of everything that the server has ever done.
        assert everything.resource_version == str(world.server.rv)
        nursery.cancel_scope.cancel()


@settings(deadline=None, max_examples=60)
@given(_STEPS)
def test_cache_and_server_agree(steps: list[tuple[str, str]]) -> None:
    """Writes, label changes, compactions and dropped watches in any order end in agreement."""
    trio.run(scenario, steps, clock=MockClock(autojump_threshold=0))


async def test_what_happened_while_nobody_watched(autojump_clock: MockClock) -> None:
    """Deleted, recreated and changed objects between an expiry and the relist: all found, none witnessed."""
    world, seen = World(), list[tuple[str, bool, bool, bool]]()
    for name in "abc":
        await world.step("put", name)
    informer = Informer(world.cluster, CONFIG_MAPS, "default", env=world.env)
    informer.on_change(
        lambda change: seen.append((change.name[1], bool(change.old), bool(change.new), change.witnessed))
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(informer.run)
        await trio.sleep(5)
        seen.clear()
        world.server.drop_watches(errors.Unavailable("broken"))
        for verb, name in [("delete", "a"), ("delete", "b"), ("put", "b"), ("put", "c")]:
            await world.step(verb, name)
        world.server.compact(world.server.rv)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert seen == [
        ("a", True, False, False),
        ("b", True, False, False),
        ("b", False, True, True),
        ("c", True, True, True),
    ]
