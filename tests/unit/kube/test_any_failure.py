"""Whatever becomes of the answers, an informer ends with what the server has, and has told it in order.

The whole client works on bytes here: requests, pages, lines of a watch. Behind it is the embedded store with
its own versions, uids and expiry; between the two is trouble.
"""

from __future__ import annotations

import random

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from trio_argoagent import errors
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.kube.client import HttpCluster
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.kube.session import open_session
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.env import Env

from .storefront import Storefront, Trouble

CODES = st.sampled_from([410, 410, 429, 500, 503, 504])
TROUBLE = st.one_of(
    st.builds(Trouble, status=CODES),
    st.builds(Trouble, cut=st.integers(0, 900), cleanly=st.booleans(), replay=st.integers(0, 5)),
    st.builds(Trouble, replay=st.integers(1, 5)),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "put", "delete"]), st.sampled_from("abcd")),
        st.tuples(st.sampled_from(["pages", "continued", "watches"]), TROUBLE),
        st.tuples(st.sampled_from(["compact", "drop", "break", "bookmarks", "in_stream"]), st.none()),
        st.tuples(st.sampled_from(["away", "away", "back"]), st.none()),
        st.tuples(st.just("sleep"), st.sampled_from([0.001, 0.9, 7.0, 65.0, 200.0])),
    ),
    min_size=10,
    max_size=40,
)


class World:
    """A store, somebody who writes, and what the handlers were told."""

    def __init__(self, initial: str) -> None:
        chance = random.Random(7)
        self.env = Env(now=trio.current_time, random=chance, entropy=chance.randbytes)
        self.server = ApiServer(entropy=chance.randbytes)
        self.front = Storefront(self.server)
        self.front.initial = initial
        self.writer = LocalCluster(self.server, env=self.env, actor="user")
        self.told: dict[str, tuple[str, int]] = {}
        self.newest: dict[str, int] = {}
        self.writes = 0

    def follow(self, change: Change) -> None:
        """Each change goes on from the one before it, and none is told twice or out of order."""
        name = change.name[1]
        old = (change.old.meta.uid, int(change.old.meta.resource_version)) if change.old else None
        assert self.told.get(name) == old
        self.told.pop(name, None)
        if change.new is not None:
            assert change.old is None or change.old.meta.uid == change.new.meta.uid
            version = int(change.new.meta.resource_version)
            assert version > self.newest.get(name, 0)
            self.told[name] = (change.new.meta.uid, version)
            self.newest[name] = version

    async def put(self, name: str) -> None:
        """Create or change it."""
        self.writes += 1
        value = {"metadata": {"name": name, "namespace": "default"}, "data": {"n": "größe"}}
        try:
            await self.writer.create(CONFIG_MAPS, value)
        except errors.AlreadyExists:
            patch = MergePatch({"data": {"n": f"größe {self.writes}"}})
            await self.writer.patch(CONFIG_MAPS, "default", name, patch)

    async def step(self, verb: str, what: object) -> None:
        """One thing that happens."""
        match verb, what:
            case "put", str(name):
                await self.put(name)
            case "delete", str(name):
                if name in {item.meta.name for item in (await self.writer.list(CONFIG_MAPS)).items}:
                    await self.writer.delete(CONFIG_MAPS, "default", name)
            case "pages" | "continued" | "watches", Trouble() as trouble:
                getattr(self.front, verb).append(trouble)
            case "compact", _:
                self.server.compact(self.server.rv)
            case "drop", _:
                self.server.drop_watches()
            case "break", _:
                self.server.drop_watches()
                self.server.compact(self.server.rv)
            case "away" | "back", _:
                self.front.away = verb == "away"
                self.server.drop_watches()
            case "bookmarks" | "in_stream", _:
                setattr(self.front, verb, not getattr(self.front, verb))
            case "sleep", float(seconds):
                await trio.sleep(seconds)


async def scenario(steps: list[tuple[str, object]], initial: str) -> None:
    """Play it, let the troubles run out, and compare."""
    world = World(initial)
    for name in "abc":
        await world.put(name)
    async with open_session(Credentials("h", tls=False), world.front.dial) as session:
        async with trio.open_nursery() as nursery:
            informer = Informer(HttpCluster(session), CONFIG_MAPS, "default", env=world.env, page=2)
            informer.on_change(world.follow)
            nursery.start_soon(informer.run)
            for verb, what in steps:
                await world.step(verb, what)
            # What has not befallen yet finds a request of its kind now, or never.
            await trio.sleep(200)
            await world.step("break", None)
            await trio.sleep(200)
            world.front.calm()
            await trio.sleep(600)
            now = (await world.writer.list(CONFIG_MAPS, "default")).items
            held = {name: item.value() for (_, name), item in informer.objects.items()}
            assert held == {item.meta.name: item.value() for item in now}
            assert world.told == {
                item.meta.name: (item.meta.uid, int(item.meta.resource_version)) for item in now
            }
            assert informer.complete and not informer.degraded
            assert world.front.requests < 20 + trio.current_time() / 3
            nursery.cancel_scope.cancel()


@settings(deadline=None, max_examples=100)
@given(STEPS, st.sampled_from(["yes", "refused", "ignored"]))
def test_any_failure_ends_in_agreement(steps: list[tuple[str, object]], initial: str) -> None:
    """410 at a list, between pages, on a watch in either form; cuts at any byte; bookmarks or none."""
    trio.run(scenario, steps, initial, clock=MockClock(autojump_threshold=0))
