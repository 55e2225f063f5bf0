"""A hindered cluster: calls, answers, errors and watch events wait for the end of a pause."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import NotFound, Throttled
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.hindrance import RETRY_AFTER, HinderedCluster, Hindrance

VALUE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}}


@pytest.fixture
async def hindrance(autojump_clock: trio.testing.MockClock) -> AsyncIterator[Hindrance]:
    """One that hinders nothing yet, in virtual time."""
    yield Hindrance(random.Random(1))


@pytest.fixture
async def cluster(hindrance: Hindrance) -> HinderedCluster:
    """An empty cluster behind it."""
    chance = random.Random(1)
    env = Env(now=trio.current_time, random=chance, entropy=chance.randbytes)
    server = argocd_server(entropy=chance.randbytes)
    return HinderedCluster(LocalCluster(server, env=env, actor="test"), hindrance)


async def test_calls_wait_for_the_end_of_a_pause(
    hindrance: Hindrance, cluster: HinderedCluster, autojump_clock: trio.testing.MockClock
) -> None:
    """A call made amid a pause is done after it; a pause that grows meanwhile counts."""
    began = trio.current_time()
    hindrance.paused_until = began + 10.0

    async def prolong() -> None:
        await trio.sleep(5.0)
        hindrance.paused_until = began + 20.0

    async with trio.open_nursery() as nursery:
        nursery.start_soon(prolong)
        await cluster.create(CONFIG_MAPS, VALUE)
    assert trio.current_time() == began + 20.0
    assert (await cluster.get(CONFIG_MAPS, "default", "c")).meta.name == "c"
    assert trio.current_time() == began + 20.0


async def test_events_and_errors_wait_as_well(
    hindrance: Hindrance, cluster: HinderedCluster, autojump_clock: trio.testing.MockClock
) -> None:
    """What the server says amid a pause is heard after it, good news or bad."""
    start = (await cluster.list(CONFIG_MAPS)).resource_version
    async with cluster.watch(CONFIG_MAPS, resource_version=start) as events:
        await cluster.create(CONFIG_MAPS, VALUE)
        began = trio.current_time()
        hindrance.paused_until = began + 10.0
        assert (await anext(events)).object.meta.name == "c"
        assert trio.current_time() == began + 10.0
    hindrance.paused_until = began + 20.0
    with pytest.raises(NotFound):
        await cluster.patch(CONFIG_MAPS, "default", "nothing", MergePatch({}))
    assert trio.current_time() == began + 20.0


async def test_a_throttled_call_never_reaches_the_server(
    hindrance: Hindrance, cluster: HinderedCluster, autojump_clock: trio.testing.MockClock
) -> None:
    """429 says when to come again, and nothing is written."""
    hindrance.share = 1.0
    with pytest.raises(Throttled) as caught:
        await cluster.create(CONFIG_MAPS, VALUE)
    assert caught.value.retry_after == RETRY_AFTER
    with pytest.raises(Throttled):
        async with cluster.watch(CONFIG_MAPS, resource_version="1"):
            pass
    hindrance.share = 0.0
    assert not (await cluster.list(CONFIG_MAPS)).items


async def test_a_watch_that_ends_ends(
    hindrance: Hindrance, cluster: HinderedCluster, autojump_clock: trio.testing.MockClock
) -> None:
    """The end of a watch is no error."""
    start = (await cluster.list(CONFIG_MAPS)).resource_version
    async with cluster.watch(CONFIG_MAPS, resource_version=start, timeout=5.0) as events:
        assert [event async for event in events] == []
    assert trio.current_time() == 5.0
