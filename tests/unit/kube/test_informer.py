"""The informer against a scripted API server, under a clock that jumps."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from trio_argoagent.errors import (
    BadRequest,
    Expired,
    Forbidden,
    NotFound,
    RemoteProtocolError,
    Throttled,
    Unauthorized,
    Unavailable,
)
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.kube.reflector import GRAIN, SILENCE, SLOW_RETRY
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import WatchEvent

from .fakes import FakeCluster, bookmark, env, event, thing


class Seen:
    """What the handlers were told, in a form that is easy to compare."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def __call__(self, change: Change) -> None:
        """Note one change: + added, ~ changed, - deleted (seen), ? deleted (inferred)."""
        gone = "-" if change.witnessed else "?"
        sign = "+" if change.old is None else "~" if change.new is not None else gone
        self.log.append(sign + change.name[1])

    def take(self) -> str:
        """All notes since the last call."""
        taken, self.log = " ".join(self.log), []
        return taken


@asynccontextmanager
async def running(cluster: FakeCluster, page: int = 500) -> AsyncIterator[tuple[Informer, Seen]]:
    """An informer that runs until the block ends."""
    informer, seen = Informer(cluster, CONFIG_MAPS, env=env(), page=page), Seen()
    informer.on_change(seen)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(informer.run)
        yield informer, seen
        nursery.cancel_scope.cancel()


async def settle() -> None:
    """Let everything happen that does not need time to pass."""
    await trio.testing.wait_all_tasks_blocked()


async def test_list_then_watch(autojump_clock: MockClock) -> None:
    """The first list is delivered before synced is reported, then each event."""
    cluster = FakeCluster()
    cluster.put("a")
    informer, seen = Informer(cluster, CONFIG_MAPS, env=env()), Seen()
    informer.on_change(seen)
    assert not informer.complete
    async with trio.open_nursery() as nursery:
        await nursery.start(informer.run)
        assert informer.is_synced and informer.complete
        assert seen.take() == "+a"
        await settle()
        cluster.put("b")
        cluster.put("a", "new")
        cluster.remove("b")
        await settle()
        assert seen.take() == "+b ~a -b"
        assert informer.resource_version == "4"
        found = informer.get("ns", "a")
        assert found is not None and found.get("data") == {"text": "new"}
        assert informer.get("ns", "b") is None
        nursery.cancel_scope.cancel()


async def test_lists_are_consistent_and_paged(autojump_clock: MockClock) -> None:
    """Every page asks for the newest state, and the pages make one list."""
    cluster = FakeCluster()
    for number in range(7):
        cluster.put(f"n{number}")
    async with running(cluster, page=3) as (informer, _):
        await informer.wait_synced()
        assert len(informer.objects) == 7
        assert [what for _, verb, what in cluster.requests if verb == "list"] == ["/3", "/3", "/3"]


async def test_a_snapshot_lost_between_pages_is_read_in_one(autojump_clock: MockClock) -> None:
    """410 in the middle of a list restarts it without pages."""
    cluster = FakeCluster()
    for number in range(7):
        cluster.put(f"n{number}")
    cluster.list_faults.extend([None, Expired("gone")])
    async with running(cluster, page=3) as (informer, _):
        await informer.wait_synced()
        assert len(informer.objects) == 7
        assert [what for _, verb, what in cluster.requests if verb == "list"] == ["/3", "/3", "/0"]
        assert informer.statistics().failures == 0


async def test_pages_of_two_snapshots_make_no_list(autojump_clock: MockClock) -> None:
    """A server that goes on from a newer state is asked for one page instead."""
    cluster = FakeCluster()
    for number in range(4):
        cluster.put(f"n{number}")
    inner = cluster.list

    async def drifting(*args: object, **kwargs: object) -> object:
        page = await inner(*args, **kwargs)  # type: ignore[arg-type]
        if kwargs["continue_token"]:
            return type(page)(page.items, "99", page.continue_token)
        return page

    cluster.list = drifting  # type: ignore[method-assign, assignment]
    async with running(cluster, page=3) as (informer, _):
        await informer.wait_synced()
        assert [what for _, verb, what in cluster.requests if verb == "list"] == ["/3", "/3", "/0"]
        assert informer.resource_version == "4"


async def test_410_relists_and_infers_deletes(autojump_clock: MockClock) -> None:
    """What vanished while nobody watched is reported, as inferred; the cache serves meanwhile."""
    cluster = FakeCluster()
    cluster.put("a")
    cluster.put("b")
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        await settle()
        seen.take()
        cluster.cut()
        cluster.remove("a")
        cluster.put("c")
        cluster.compact()
        cluster.mend()
        cluster.break_watches(Expired("compacted"))
        assert informer.get("ns", "a") is not None and informer.complete
        await trio.sleep(3)
        assert seen.take() == "?a +c"
        assert informer.statistics().expired >= 1
        assert informer.complete


async def test_410_again_and_again_backs_off(autojump_clock: MockClock) -> None:
    """A server that expires every position at once is not asked in a hot loop."""
    cluster = FakeCluster()
    cluster.watch_faults.extend([Expired("no")] * 1000)
    async with running(cluster):
        await trio.sleep(120)
        assert len(cluster.requests) < 30


async def test_a_recreated_object_is_a_delete_and_an_add(autojump_clock: MockClock) -> None:
    """The same name with another uid, found by a relist."""
    cluster = FakeCluster()
    cluster.put("a")
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        await settle()
        seen.take()
        cluster.cut()
        cluster.remove("a")
        cluster.put("a")
        cluster.mend()
        cluster.compact()
        cluster.break_watches()
        await trio.sleep(10)
        assert seen.take() == "?a +a"


async def test_a_clean_end_is_followed_by_a_watch_from_there(autojump_clock: MockClock) -> None:
    """No list, no delay, and nothing of what happened in between is missed."""
    cluster = FakeCluster()
    cluster.put("a")
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        await trio.sleep(70)
        cluster.cut()
        cluster.put("b")
        cluster.mend()
        cluster.break_watches()
        await settle()
        assert seen.take() == "+a +b"
        assert [verb for _, verb, _ in cluster.requests] == ["list", "watch", "watch"]
        assert informer.statistics().failures == 0


async def test_the_watch_is_asked_to_end_in_five_to_ten_minutes(autojump_clock: MockClock) -> None:
    """So that load moves to other API servers, and not everybody's at once."""
    cluster = FakeCluster()
    async with running(cluster):
        await trio.sleep(3600)
    times = [at for at, verb, _ in cluster.requests if verb == "watch"]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert all(300 <= gap <= 601 for gap in gaps)
    assert len(set(gaps)) > 1


async def test_bookmarks_advance_the_position(autojump_clock: MockClock) -> None:
    """A rewatch starts from the last bookmark, though this collection has not changed."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, _):
        await informer.wait_synced()
        cluster.version = 50
        await trio.sleep(61)
        assert informer.resource_version == "50"
        cluster.compact()
        cluster.break_watches()
        await settle()
        assert cluster.requests[-1][1:] == ("watch", "50")
        assert informer.statistics().bookmarks >= 1


async def test_a_silent_watch_is_given_up(autojump_clock: MockClock) -> None:
    """Neither events nor bookmarks for 90 s: another watch, and nothing is lost."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        await settle()
        cluster.cut()
        cluster.put("a")
        await trio.sleep(SILENCE - 1)
        assert seen.take() == ""
        cluster.mend()
        await trio.sleep(2)
        assert seen.take() == "+a"
        assert informer.statistics().silent == 1


async def test_silence_begins_with_the_last_of_many_events(autojump_clock: MockClock) -> None:
    """However close to each other they come."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, _):
        await informer.wait_synced()
        await settle()
        for _ in range(100):
            await trio.sleep(0.6 * GRAIN)
            cluster.put("a")
        await settle()
        cluster.cut()
        await trio.sleep(SILENCE - 2 * GRAIN)
        assert (informer.statistics().events, informer.statistics().silent) == (100, 0)
        await trio.sleep(3 * GRAIN)
        assert informer.statistics().silent == 1


async def test_endless_silence_puts_the_position_in_doubt(autojump_clock: MockClock) -> None:
    """A watch from a version that the server has never reached stays silent: the third time a list is due."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, _):
        await informer.wait_synced()
        cluster.cut()
        await trio.sleep(3 * SILENCE + 1)
        assert [verb for _, verb, _ in cluster.requests].count("list") == 2


async def test_a_broken_watch_backs_off_and_goes_on(autojump_clock: MockClock) -> None:
    """Unavailable: wait, watch from where we were, no list."""
    cluster = FakeCluster()
    cluster.put("a")
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        await trio.sleep(5)
        cluster.cut()
        cluster.put("b")
        cluster.mend()
        cluster.break_watches(Unavailable("broken"))
        await settle()
        assert seen.take() == "+a"
        await trio.sleep(2)
        assert seen.take() == "+b"
        assert [verb for _, verb, _ in cluster.requests] == ["list", "watch", "watch"]
        assert informer.complete
        assert informer.statistics().last_error == "Unavailable: broken"


async def test_a_server_that_is_away_is_asked_ever_more_rarely(autojump_clock: MockClock) -> None:
    """An hour of refusals costs few requests, and the informer is there when the server is."""
    cluster = FakeCluster()
    cluster.list_faults.extend([Unavailable("away")] * 60)
    async with running(cluster) as (informer, _):
        await trio.sleep(60)
        assert 4 <= len(cluster.requests) <= 8
        await trio.sleep(3600)
        assert informer.complete


async def test_watches_that_end_at_once_are_failures(autojump_clock: MockClock) -> None:
    """A server that closes each watch immediately is not asked in a hot loop."""
    cluster = FakeCluster()
    async with running(cluster):
        with trio.move_on_after(60):
            while True:
                await settle()
                cluster.break_watches()
                await trio.sleep(0.01)
        assert len(cluster.requests) < 20


async def test_a_replaying_watch_is_no_progress(autojump_clock: MockClock) -> None:
    """Events that tell nothing new do not make a short watch a good one."""
    cluster = FakeCluster()
    cluster.put("a")
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        with trio.move_on_after(60):
            while True:
                await settle()
                cluster.inject(event("ADDED", cluster.items["a"]))
                cluster.break_watches()
                await trio.sleep(0.01)
        assert len(cluster.requests) < 20
        assert informer.statistics().dropped > 0
        assert seen.take() == "+a"


async def test_retry_after_is_honoured(autojump_clock: MockClock) -> None:
    """429 with a number of seconds: not asked before."""
    cluster = FakeCluster()
    cluster.list_faults.append(Throttled("busy", retry_after=17))
    async with running(cluster) as (informer, _):
        began = trio.current_time()
        await informer.wait_synced()
        assert 17 <= trio.current_time() - began <= 34


@pytest.mark.parametrize("refusal", [Unauthorized, Forbidden, NotFound, BadRequest])
async def test_a_refusal_is_a_state_not_a_crash(autojump_clock: MockClock, refusal: type[Exception]) -> None:
    """Refused lists are retried slowly, visibly, and mended by the first that succeeds."""
    cluster = FakeCluster()
    cluster.list_faults.extend([refusal("no")] * 2)
    async with running(cluster) as (informer, _):
        states: list[tuple[bool, str]] = []
        informer.on_state(lambda: states.append((informer.complete, informer.degraded)))
        await trio.sleep(SLOW_RETRY - 1)
        assert len(cluster.requests) == 1
        assert not informer.is_synced
        await informer.wait_synced()
        assert states == [(False, f"{refusal.__name__}: no"), (True, "")]


async def test_a_lost_resource_is_not_an_empty_one(autojump_clock: MockClock) -> None:
    """404 on a watch (its CRD is gone): the cache keeps what it has, and says it must not be believed."""
    cluster = FakeCluster()
    cluster.put("a")
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        await trio.sleep(5)
        cluster.watch_faults.append(NotFound("no such resource"))
        cluster.list_faults.append(NotFound("no such resource"))
        cluster.break_watches()
        await settle()
        assert not informer.complete
        assert informer.degraded == "NotFound: no such resource"
        assert informer.get("ns", "a") is not None
        await trio.sleep(5 * SLOW_RETRY)
        assert informer.complete
        assert seen.take() == "+a"


async def test_a_list_from_the_past_is_refused(autojump_clock: MockClock) -> None:
    """The cache never goes back; until the server has caught up, absence proves nothing."""
    cluster = FakeCluster()
    cluster.put("a")
    cluster.put("b")
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        await trio.sleep(5)
        seen.take()
        cluster.items.pop("b")
        cluster.list_version = lambda: 1
        cluster.break_watches(Expired("elsewhere"))
        await trio.sleep(20)
        assert seen.take() == ""
        assert informer.resource_version == "2"
        assert not informer.complete
        assert informer.degraded == "listed at 1, which is before 2"
        assert informer.statistics().stale >= 2
        cluster.list_version = lambda: 3
        await trio.sleep(120)
        assert seen.take() == "?b"
        assert informer.complete and informer.degraded == ""


async def test_nonsense_on_a_watch_is_followed_by_a_list(autojump_clock: MockClock) -> None:
    """After bytes that cannot be an event, what was missed is unknown."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, _):
        await informer.wait_synced()
        await settle()
        cluster.break_watches(RemoteProtocolError("not JSON"))
        await trio.sleep(3)
        assert [verb for _, verb, _ in cluster.requests] == ["list", "watch", "list", "watch"]


async def test_a_page_that_never_comes_is_given_up(autojump_clock: MockClock) -> None:
    """A server that swallows a list is tried again."""
    cluster = FakeCluster()
    inner, first = cluster.list, True

    async def swallowing(*args: object, **kwargs: object) -> object:
        nonlocal first
        if first:
            first = False
            await trio.sleep_forever()
        return await inner(*args, **kwargs)  # type: ignore[arg-type]

    cluster.list = swallowing  # type: ignore[method-assign, assignment]
    async with running(cluster) as (informer, _):
        with trio.fail_after(63):
            await informer.wait_synced()
        assert "Unavailable" in informer.statistics().last_error


async def test_a_server_that_comes_back_is_not_met_by_a_list(autojump_clock: MockClock) -> None:
    """However often the watch was refused for 429 or 503, it goes on from where it was."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        await settle()
        cluster.watch_faults.extend([Unavailable("away"), Throttled("busy")] * 5)
        cluster.break_watches()
        cluster.put("a")
        await trio.sleep(1000)
        assert seen.take() == "+a"
        assert informer.statistics().lists == 1


async def test_a_server_that_fails_from_here_is_listed_again(autojump_clock: MockClock) -> None:
    """Three times 500 to a watch: perhaps it is this position that it cannot serve."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, _):
        await informer.wait_synced()
        await settle()
        cluster.watch_faults.extend([Unavailable("oops", code=500)] * 3)
        cluster.break_watches()
        await trio.sleep(60)
        assert informer.statistics().lists == 2


@pytest.mark.parametrize("bug", [KeyError, NotFound, RemoteProtocolError])
async def test_a_handlers_bug_ends_the_informer(autojump_clock: MockClock, bug: type[Exception]) -> None:
    """It is not logged away, nor taken for the server's fault: the exception comes out of run."""
    cluster = FakeCluster()
    cluster.put("a")
    informer = Informer(cluster, CONFIG_MAPS, env=env())

    def broken(change: Change) -> None:
        raise bug(str(change.name))

    informer.on_change(broken)
    with pytest.raises(bug):
        await informer.run()
    assert not informer.is_synced


async def test_the_cache_is_ahead_of_the_handlers(autojump_clock: MockClock) -> None:
    """A handler finds the new state in the cache."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, _):
        found = []
        informer.on_change(lambda change: found.append(informer.objects.get(change.name) is change.new))
        await informer.wait_synced()
        await settle()
        cluster.put("a")
        await settle()
        cluster.remove("a")
        await settle()
        assert found == [True, True]


async def test_the_transform_sees_everything_that_is_stored(autojump_clock: MockClock) -> None:
    """Listed and watched objects alike."""
    cluster = FakeCluster()
    cluster.put("a", "long")
    informer = Informer(
        cluster,
        CONFIG_MAPS,
        env=env(),
        transform=lambda item: thing(item.meta.name, item.meta.resource_version),
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(informer.run)
        await settle()
        cluster.put("b", "long")
        await settle()
        assert [item.get("data") for item in informer.objects.values()] == [{"text": ""}, {"text": ""}]
        nursery.cancel_scope.cancel()


class Eager(FakeCluster):
    """A cluster whose watch has a backlog and never waits while it lasts."""

    @asynccontextmanager
    async def watch(self, *args: object, **kwargs: object) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """A thousand events at once."""
        await trio.lowlevel.checkpoint()
        yield self._backlog()

    async def _backlog(self) -> AsyncIterator[WatchEvent]:
        for number in range(1000):
            yield event("ADDED", thing(f"n{number}", number + 1))
        await trio.sleep_forever()


async def test_a_backlog_lets_others_run(autojump_clock: MockClock) -> None:
    """Events that are there already do not keep the loop to themselves."""
    async with running(Eager()) as (informer, _):
        await informer.wait_synced()
        turns = 0
        while len(informer.objects) < 1000:
            await trio.lowlevel.checkpoint()
            turns += 1
        assert turns >= 20


async def test_watches_that_bring_something_put_nothing_in_doubt(autojump_clock: MockClock) -> None:
    """Each breaks, but after an event: it goes on from there, and never lists again."""
    cluster = FakeCluster()
    async with running(cluster) as (informer, seen):
        await informer.wait_synced()
        for name in "abcdef":
            await trio.sleep(200)
            cluster.put(name)
            cluster.break_watches(Unavailable("broken", code=500))
        await trio.sleep(10)
        assert seen.take() == "+a +b +c +d +e +f"
        assert informer.statistics().lists == 1


async def test_an_older_bookmark_changes_nothing(autojump_clock: MockClock) -> None:
    """The position never goes back."""
    cluster = FakeCluster()
    cluster.version = 30
    async with running(cluster) as (informer, _):
        await informer.wait_synced()
        await settle()
        cluster.inject(bookmark(20))
        await settle()
        assert informer.resource_version == "30"


_FAULTS = ["compact", "end", "break", "expire", "cut", "mend", "lose"]
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcd")),
        st.tuples(st.just("remove"), st.sampled_from("abcd")),
        st.tuples(st.sampled_from(_FAULTS), st.just("")),
        st.tuples(st.just("sleep"), st.sampled_from(["0.001", "0.9", "7", "65", "200"])),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=100)
@given(_STEPS, st.booleans())
def test_any_interleaving_ends_in_agreement(steps: list[tuple[str, str]], streams: bool) -> None:
    """Writes, compactions, broken and silent watches in any order: the cache and the handlers end right."""

    async def main() -> None:
        cluster = FakeCluster(streams=streams)
        mirror: dict[str, str] = {}

        def follow(change: Change) -> None:
            # Each change must continue from what the changes before it said.
            assert mirror.get(change.name[1]) == (change.old.meta.uid if change.old else None)
            mirror.pop(change.name[1], None)
            if change.new is not None:
                mirror[change.name[1]] = change.new.meta.uid

        async with running(cluster, page=2) as (informer, _):
            informer.on_change(follow)
            for verb, argument in steps:
                await _step(cluster, verb, argument)
            cluster.mend()
            await trio.sleep(600)
            assert dict(informer.objects) == {("ns", name): item for name, item in cluster.items.items()}
            assert mirror == {name: item.meta.uid for name, item in cluster.items.items()}
            assert informer.complete

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def _step(cluster: FakeCluster, verb: str, argument: str) -> None:
    match verb:
        case "put":
            cluster.put(argument, "text")
        case "remove":
            cluster.remove(argument)
        case "compact":
            cluster.compact()
        case "end":
            cluster.break_watches()
        case "break":
            cluster.break_watches(Unavailable("broken"))
        case "expire":
            cluster.break_watches(Expired("compacted"))
        case "cut":
            cluster.cut()
        case "mend":
            cluster.mend()
        case "lose":
            cluster.list_faults.extend([None, Expired("gone"), Unavailable("broken")])
            cluster.watch_faults.extend([Expired("gone"), Unavailable("broken")])
        case "sleep":
            await trio.sleep(float(argument))
