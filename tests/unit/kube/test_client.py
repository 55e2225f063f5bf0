"""The Cluster port over scripted HTTP: what is tried again, and what the caller hears."""

from __future__ import annotations

import json

import attrs
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent import errors
from trio_argoagent.kube.client import ATTEMPTS, DEADLINE
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.net.errors import ConnectionBroken, TlsFailed
from trio_argoagent.ports.cluster import EventType, MergePatch

from .httpfakes import FakeHttp, app, cluster_over, refusal

PATCH = MergePatch({"spec": {}})
WATCH = {"type": "ADDED", "object": app("b", 7)}


async def test_reads_and_writes() -> None:
    """Each verb sends its request and gives back the object."""
    http = FakeHttp((200, app()), (201, app()), (200, app()), (200, app()), (200, {"kind": "Status"}))
    async with cluster_over(http) as cluster:
        assert (await cluster.get(APPLICATIONS, "n", "a")).meta.uid == "u-a"
        await cluster.create(APPLICATIONS, app())
        await cluster.replace(APPLICATIONS, app())
        await cluster.patch(APPLICATIONS, "n", "a", PATCH)
        await cluster.delete(APPLICATIONS, "n", "a", uid="u-a")
    assert [asked.method for asked in http.asked] == ["GET", "POST", "PUT", "PATCH", "DELETE"]
    assert json.loads(http.asked[-1].body)["preconditions"] == {"uid": "u-a"}
    assert http.asked[0].headers["user-agent"].startswith("trio-argoagent/")


async def test_a_list() -> None:
    """Its items, its version and its token."""
    page = {"metadata": {"resourceVersion": "9", "continue": "t"}, "items": [app("a"), app("b")]}
    async with cluster_over(FakeHttp((200, page))) as cluster:
        found = await cluster.list(APPLICATIONS, "n", limit=2)
    assert [item.meta.name for item in found.items] == ["a", "b"]
    assert (found.resource_version, found.continue_token) == ("9", "t")


async def test_refusals_are_their_exceptions() -> None:
    """A Status becomes the ApiError of its reason, at once."""
    http = FakeHttp(refusal(404, "NotFound"), refusal(409, "Conflict"), refusal(503, "ServiceUnavailable"))
    async with cluster_over(http) as cluster:
        with pytest.raises(errors.NotFound):
            await cluster.get(APPLICATIONS, "n", "a")
        with pytest.raises(errors.Conflict):
            await cluster.patch(APPLICATIONS, "n", "a", PATCH)
        with pytest.raises(errors.Unavailable):
            await cluster.get(APPLICATIONS, "n", "a")
    assert len(http.asked) == 3


async def test_a_read_that_broke_is_tried_once_more() -> None:
    """The second break is Unavailable."""
    gone = ConnectionBroken("gone")
    http = FakeHttp(gone, (200, app()), gone, gone)
    async with cluster_over(http) as cluster:
        await cluster.get(APPLICATIONS, "n", "a")
        with pytest.raises(errors.Unavailable):
            await cluster.get(APPLICATIONS, "n", "a")
    assert len(http.asked) == 4


async def test_a_write_that_broke_is_never_repeated() -> None:
    """It may have been done: only the caller can find out."""
    http = FakeHttp(ConnectionBroken("gone"))
    async with cluster_over(http) as cluster:
        with pytest.raises(errors.OutcomeUnknown, match="gone"):
            await cluster.patch(APPLICATIONS, "n", "a", PATCH)
    assert len(http.asked) == 1


async def test_a_write_that_never_left_is_repeated() -> None:
    """What was not handed over cannot have been done; twice is Unavailable, which says: not done."""
    unsent = ConnectionBroken("not sent", sent=False)
    http = FakeHttp(unsent, (200, app()), unsent, unsent)
    async with cluster_over(http) as cluster:
        await cluster.patch(APPLICATIONS, "n", "a", PATCH)
        with pytest.raises(errors.Unavailable):
            await cluster.patch(APPLICATIONS, "n", "a", PATCH)


async def test_a_refused_handshake_reads_the_credentials_again() -> None:
    """An expired certificate shows there; a server that just hangs up is no reason to run a plugin."""
    reads = 0
    before = Credentials("h", tls=False, token="one")

    async def reload() -> Credentials:
        nonlocal reads
        await trio.lowlevel.checkpoint()
        reads += 1
        return attrs.evolve(before, token="two", reload=reload)

    refused = TlsFailed("refused", reason="SSLV3_ALERT_CERTIFICATE_EXPIRED")
    http = FakeHttp(TlsFailed("hung up"), (200, app()), refused, (200, app()))
    async with cluster_over(http, attrs.evolve(before, reload=reload)) as cluster:
        await cluster.get(APPLICATIONS, "n", "a")
        assert reads == 0
        await cluster.patch(APPLICATIONS, "n", "a", PATCH)
    assert reads == 1
    assert http.asked[-1].headers["authorization"] == "Bearer two"


async def test_a_write_that_a_gateway_gave_up_on_is_unknown() -> None:
    """502 and 504 say nothing about the server behind."""
    http = FakeHttp((502, b"bad gateway"), refusal(504, "Timeout"), refusal(504, "Timeout"))
    async with cluster_over(http) as cluster:
        for _ in range(2):
            with pytest.raises(errors.OutcomeUnknown):
                await cluster.patch(APPLICATIONS, "n", "a", PATCH)
        with pytest.raises(errors.Unavailable):
            await cluster.get(APPLICATIONS, "n", "a")


async def test_an_unreadable_answer_to_a_write_is_unknown() -> None:
    """The server said yes; what it stored is not known. To a read it is nonsense."""
    http = FakeHttp((200, b"<html>"), (200, b"<html>"))
    async with cluster_over(http) as cluster:
        with pytest.raises(errors.OutcomeUnknown):
            await cluster.patch(APPLICATIONS, "n", "a", PATCH)
        with pytest.raises(errors.RemoteProtocolError):
            await cluster.get(APPLICATIONS, "n", "a")


async def test_throttling_is_waited_out(autojump_clock: MockClock) -> None:
    """429: any verb is sent again after the time the server names."""
    busy = refusal(429, "TooManyRequests", 5)
    http = FakeHttp(busy, busy, (200, app()))
    async with cluster_over(http) as cluster:
        await cluster.patch(APPLICATIONS, "n", "a", PATCH)
    assert [asked.at - http.asked[0].at for asked in http.asked] == [0, 5, 10]


async def test_throttling_is_bounded(autojump_clock: MockClock) -> None:
    """In number, and by the deadline, which is not waited for in vain."""
    http = FakeHttp(*[refusal(429, "TooManyRequests")] * 9)
    async with cluster_over(http) as cluster:
        with pytest.raises(errors.Throttled):
            await cluster.get(APPLICATIONS, "n", "a")
        assert len(http.asked) == ATTEMPTS
        http.answers.clear()
        http.answers.append(refusal(429, "TooManyRequests", 600))
        began = trio.current_time()
        with pytest.raises(errors.Throttled) as caught:
            await cluster.get(APPLICATIONS, "n", "a")
        assert caught.value.retry_after == 600
        assert trio.current_time() == began


async def test_a_server_that_asks_for_time_gets_it_for_reads_only(autojump_clock: MockClock) -> None:
    """503 with Retry-After: a write may have been begun, so its caller decides."""
    later = refusal(503, "ServiceUnavailable", 2)
    http = FakeHttp(later, (200, app()), later)
    async with cluster_over(http) as cluster:
        await cluster.get(APPLICATIONS, "n", "a")
        with pytest.raises(errors.Unavailable):
            await cluster.patch(APPLICATIONS, "n", "a", PATCH)
    assert len(http.asked) == 3


async def test_every_call_has_a_deadline(autojump_clock: MockClock) -> None:
    """A server that swallows requests: Unavailable for a read, OutcomeUnknown for a write."""
    async with cluster_over(FakeHttp()) as cluster:
        began = trio.current_time()
        with pytest.raises(errors.Unavailable):
            await cluster.get(APPLICATIONS, "n", "a")
        assert trio.current_time() - began == DEADLINE
        with pytest.raises(errors.OutcomeUnknown):
            await cluster.delete(APPLICATIONS, "n", "a")


async def test_a_watch() -> None:
    """Events in order, whatever the pieces; its clean end ends the iteration."""
    line = json.dumps(WATCH).encode() + b"\n"
    mark = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n'
    http = FakeHttp((200, b""))
    http.pieces = [line[:10], line[10:] + b'{"type":"NEW","object":{}}\n' + line + mark[:5], mark[5:]]
    async with cluster_over(http) as cluster:
        async with cluster.watch(APPLICATIONS, "n", resource_version="3", timeout=10) as events:
            found = [(event.type, event.object.meta.resource_version) async for event in events]
    assert found == [(EventType.ADDED, "7"), (EventType.ADDED, "7"), (EventType.BOOKMARK, "9")]
    assert "resourceVersion=3" in http.asked[0].target


async def test_a_watch_that_breaks() -> None:
    """The events before the break are delivered, then Unavailable."""
    http = FakeHttp((200, b""))
    http.pieces = [json.dumps(WATCH).encode() + b"\n", ConnectionBroken("gone")]
    async with cluster_over(http) as cluster:
        async with cluster.watch(APPLICATIONS, "n", resource_version="3") as events:
            assert (await anext(events)).object.meta.name == "b"
            with pytest.raises(errors.Unavailable):
                await anext(events)


async def test_a_watch_that_ends_within_an_event() -> None:
    """A clean end in the middle of a line is no clean end."""
    http = FakeHttp((200, b""))
    http.pieces = [b'{"type":"ADDED","obj']
    async with cluster_over(http) as cluster:
        async with cluster.watch(APPLICATIONS, "n", resource_version="3") as events:
            with pytest.raises(errors.Unavailable, match="middle"):
                await anext(events)


async def test_expired_in_either_way() -> None:
    """As the HTTP status, and as an ERROR event after 200."""
    http = FakeHttp(refusal(410, "Expired"), (200, b""))
    http.pieces = [b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n']
    async with cluster_over(http) as cluster:
        for _ in range(2):
            with pytest.raises(errors.Expired):
                async with cluster.watch(APPLICATIONS, "n", resource_version="3") as events:
                    await anext(events)


async def test_a_watch_that_cannot_open(autojump_clock: MockClock) -> None:
    """Broken or unanswered: Unavailable; an exception of the block itself passes unchanged."""
    http = FakeHttp(ConnectionBroken("gone"))
    async with cluster_over(http) as cluster:
        for _ in range(2):
            with pytest.raises(errors.Unavailable):
                async with cluster.watch(APPLICATIONS, "n", resource_version="3"):
                    raise AssertionError("unreachable")
        http.answers.append((200, b""))
        with pytest.raises(ConnectionBroken):
            async with cluster.watch(APPLICATIONS, "n", resource_version="3"):
                raise ConnectionBroken("the block's own")
