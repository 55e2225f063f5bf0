"""Initial events: the first list as a watch, what a server may make of it, and the way back to lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from trio_argoagent.errors import ApiError, BadRequest, Expired, Invalid, RemoteProtocolError, Unavailable
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.kube.reflector import INITIAL_SILENCE, RELIST_AFTER
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import WatchEvent

from .fakes import FakeCluster, bookmark, env, event, thing

Said = list[WatchEvent | Exception]


@asynccontextmanager
async def running(cluster: FakeCluster) -> AsyncIterator[tuple[Informer, list[str]]]:
    """An informer of the cluster, and what its handler was told."""
    informer, seen = Informer(cluster, CONFIG_MAPS, env=env()), list[str]()

    def note(change: Change) -> None:
        gone = "-" if change.witnessed else "?"
        seen.append(
            ("+" if change.old is None else "~" if change.new is not None else gone) + change.name[1]
        )

    informer.on_change(note)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(informer.run)
        yield informer, seen
        nursery.cancel_scope.cancel()


def cluster_of(*names: str) -> FakeCluster:
    """A cluster that streams, with these objects."""
    cluster = FakeCluster(streams=True)
    for name in names:
        cluster.put(name)
    return cluster


def asked(cluster: FakeCluster) -> list[str]:
    """The kinds of the requests since the last call."""
    kinds = [kind for _, kind, _ in cluster.requests]
    cluster.requests.clear()
    return kinds


async def test_one_watch_is_list_and_watch(autojump_clock: MockClock) -> None:
    """The initial events are delivered as a list, all at once, and the same watch goes on."""
    cluster = cluster_of("a", "b")
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        assert (seen, informer.resource_version, informer.complete) == (["+a", "+b"], "2", True)
        await trio.testing.wait_all_tasks_blocked()
        cluster.put("a")
        cluster.remove("b")
        await trio.testing.wait_all_tasks_blocked()
        assert seen[2:] == ["~a", "-b"]
        assert asked(cluster) == ["initial"]
        assert (informer.statistics().lists, informer.statistics().failures) == (1, 0)


async def test_nobody_is_shown_a_half(autojump_clock: MockClock) -> None:
    """Until the bookmark at the end has come nothing is known, and what happened meanwhile is in the list."""
    cluster = cluster_of()
    cluster.initial_events = lambda: [  # type: ignore[method-assign]
        event("ADDED", thing("a", 1)),
        event("ADDED", thing("b", 2)),
        event("MODIFIED", thing("a", 4, text="new")),
        event("DELETED", thing("b", 5)),
    ]
    async with running(cluster) as (informer, seen):
        await trio.sleep(INITIAL_SILENCE - 1)
        assert (seen, informer.is_synced, len(informer.objects)) == ([], False, 0)
        cluster.inject(bookmark(6, end=True))
        await trio.testing.wait_all_tasks_blocked()
        assert (seen, informer.resource_version) == (["+a"], "6")
        held = informer.get("ns", "a")
        assert held is not None and held.get("data") == {"text": "new"}


@pytest.mark.parametrize("refusal", [Invalid("sendInitialEvents is forbidden"), BadRequest("what?")])
async def test_a_server_that_refuses_is_listed(refusal: ApiError, autojump_clock: MockClock) -> None:
    """At once, and it is not asked for initial events again."""
    cluster = cluster_of("a")
    cluster.watch_faults.extend([refusal])
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        assert trio.current_time() < 0.1
        assert (seen, informer.complete, informer.statistics().failures) == (["+a"], True, 0)
        await trio.testing.wait_all_tasks_blocked()
        cluster.compact()
        cluster.break_watches(Expired("compacted"))
        await trio.sleep(60)
        assert asked(cluster)[:2] == ["initial", "list"] and "initial" not in asked(cluster)


OLD: dict[str, Callable[[], Said]] = {
    "a bookmark": lambda: [event("ADDED", thing("a", 1)), bookmark(1)],
    "silence": lambda: [event("ADDED", thing("a", 1))],
    "silence of an empty collection": list,
}


@pytest.mark.parametrize("said", OLD)
async def test_a_server_that_knows_of_no_initial_events(said: str, autojump_clock: MockClock) -> None:
    """One from before Kubernetes 1.27 takes it for a plain watch: it is listed after a while, for good."""
    cluster = cluster_of("a")
    cluster.initial_events = OLD[said]  # type: ignore[method-assign]
    async with running(cluster) as (informer, seen):
        await trio.sleep(INITIAL_SILENCE + 1)
        assert (seen, informer.complete) == (["+a"], True)
        assert asked(cluster) == ["initial", "list", "watch"]
        cluster.compact()
        cluster.break_watches(Expired("compacted"))
        await trio.sleep(60)
        assert "initial" not in asked(cluster)


BROKEN: dict[str, ApiError | RemoteProtocolError | None] = {
    "cut": Unavailable("the watch ended in the middle of an event"),
    "ended": None,
    "expired": Expired("too old"),
    "failed": ApiError("etcdserver: request timed out", code=500),
    "nonsense": RemoteProtocolError("not an event"),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_initial_events_that_break_off(how: str, autojump_clock: MockClock) -> None:
    """Nothing is shown; asked for a few times more, then listed; the next reading streams again."""
    cluster, error = cluster_of("a"), BROKEN[how]
    good = cluster.initial_events

    def broken() -> Said:
        trio.lowlevel.current_trio_token().run_sync_soon(cluster.break_watches, error)
        return good()[:1]

    cluster.initial_events = broken  # type: ignore[method-assign]
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        assert seen == ["+a"] and 2 < trio.current_time() < 20
        assert asked(cluster)[: RELIST_AFTER + 1] == ["initial"] * RELIST_AFTER + ["list"]
        cluster.initial_events = good  # type: ignore[method-assign]
        await trio.sleep(1)
        cluster.compact()
        cluster.break_watches(Expired("compacted"))
        await trio.sleep(60)
        assert "initial" in asked(cluster) and seen == ["+a"] and informer.complete


async def test_410_is_read_anew_and_deletes_are_inferred(autojump_clock: MockClock) -> None:
    """What vanished unseen is found in the new initial events."""
    cluster = cluster_of("a", "b")
    async with running(cluster) as (_, seen):
        await trio.sleep(5)
        cluster.cut()
        cluster.remove("a")
        cluster.put("c")
        cluster.mend()
        cluster.compact()
        cluster.break_watches(Expired("compacted"))
        await trio.sleep(10)
        assert seen == ["+a", "+b", "?a", "+c"]
        assert asked(cluster) == ["initial", "initial"]


async def test_expired_after_each_reading_backs_off(autojump_clock: MockClock) -> None:
    """However the versions move on."""
    cluster = cluster_of("a")
    good = cluster.initial_events

    def expires() -> Said:
        cluster.put("a")
        return [*good(), Expired("too old")]

    cluster.initial_events = expires  # type: ignore[method-assign]
    async with running(cluster) as (informer, _):
        await trio.sleep(3600)
        assert informer.is_synced and 50 < len(cluster.requests) < 200


async def test_a_state_from_the_past_is_refused(autojump_clock: MockClock) -> None:
    """The cache serves meanwhile, and says that it may be incomplete."""
    cluster = cluster_of("a", "b")
    async with running(cluster) as (informer, seen):
        await trio.sleep(5)
        cluster.list_version = lambda: 1
        cluster.compact()
        cluster.break_watches(Expired("compacted"))
        await trio.sleep(60)
        assert (len(informer.objects), informer.complete) == (2, False)
        assert informer.degraded == "listed at 1, which is before 2" and informer.statistics().stale > 1
        cluster.list_version = lambda: cluster.version
        await trio.sleep(120)
        assert informer.complete and seen == ["+a", "+b"]


async def test_a_handlers_own_invalid_is_a_bug(autojump_clock: MockClock) -> None:
    """It does not pass for the server's word about initial events."""
    informer = Informer(cluster_of("a"), CONFIG_MAPS, env=env())

    def handler(change: Change) -> None:
        raise Invalid("mine")

    informer.on_change(handler)
    with pytest.raises(Invalid, match="mine"):
        await informer.run()
