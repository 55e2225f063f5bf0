"""What an API server, or whatever answers in its place, may say: nothing of it ends us, fools us, or spins.

A hot loop shows as a count of requests in virtual time, where a minute costs nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import msgspec
import pytest
import trio
import trio.testing
from trio.testing import MockClock

from trio_argoagent import errors
from trio_argoagent.kube.client import DEADLINE, HttpCluster
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.watchlines import EVENT
from trio_argoagent.kube.reflector import SILENCE
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.env import Env

from .fakes import env
from .rawserver import CLOSE, HANG, Asked, RawServer, Say, stream, whole

HOUR = 3600.0
PATIENT: int = 200
"""Requests an hour that an ailing server may see: one each 18 s."""


def config_map(name: str, version: int, text: str = "") -> dict[str, Any]:
    """An object, as a server sends it."""
    metadata = {"name": name, "namespace": "n", "uid": f"u-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}}


def listed(*items: dict[str, Any], version: int = 5) -> Say:
    """A whole list."""
    return whole({"kind": "ConfigMapList", "metadata": {"resourceVersion": str(version)}, "items": items})


def line(kind: str, thing: object) -> bytes:
    """One line of a watch."""
    return msgspec.json.encode({"type": kind, "object": thing}) + b"\n"


def answering(say: Say) -> Callable[[Asked], Say]:
    """The same to everything."""
    return lambda asked: say


@asynccontextmanager
async def informed(server: RawServer, world: Env | None = None) -> AsyncIterator[Informer]:
    """An informer of that server."""
    async with server.cluster() as cluster, trio.open_nursery() as nursery:
        informer = Informer(cluster, CONFIG_MAPS, env=world or env())
        nursery.start_soon(informer.run)
        yield informer
        nursery.cancel_scope.cancel()


GOOD = listed(config_map("a", 3))
LISTS: dict[str, Say] = {
    "nothing": whole(b""),
    "cut in the middle": whole(b'{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a'),
    "cut by the connection": Say((b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{", ), "close"),
    "a web page": whole(b"<html><body>Sign in</body></html>"),
    "an object": whole(config_map("a", 3)),
    "null": whole(None),
    "a list": whole([]),
    "items that are none": whole({"metadata": {"resourceVersion": "5"}, "items": {}}),
    "items that are no objects": whole({"metadata": {"resourceVersion": "5"}, "items": [1, "a"]}),
    "a name that is a number": whole(
        {"metadata": {"resourceVersion": "5"}, "items": [{"metadata": {"name": 5}}]}
    ),
    "labels that are a list": whole(
        {"metadata": {"resourceVersion": "5"}, "items": [{"metadata": {"labels": ["x"]}}]}
    ),
    "no metadata": whole({"items": []}),
    "no version": whole({"metadata": {}, "items": []}),
    "a version that is a number": whole({"metadata": {"resourceVersion": 5}, "items": []}),
    "another kind": whole({"metadata": {"resourceVersion": "5"}, "items": [{"kind": "Secret"}]}),
    "bytes that are no text": whole(b'{"metadata":{"resourceVersion":"\xff\xfe"},"items":[]}'),
    "too deep": whole(b'{"metadata":{"resourceVersion":"5"},"items":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "a field that is no text": whole(
        b'{"metadata":{"resourceVersion":"5"},"items":[{"metadata":{"name":"a"},"data":"\xff"}]}'
    ),
    "no HTTP": Say((b"SSH-2.0-OpenSSH_9.2\r\n",), "close"),
}


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("wrong", LISTS)
async def test_lists_that_are_none(wrong: str, streams: bool, autojump_clock: MockClock) -> None:
    """None passes for an empty list: nothing is known, an hour costs few requests, and then all is well."""
    said = LISTS[wrong]
    server = RawServer(lambda asked: said, streams=streams)
    async with informed(server) as informer:
        await trio.sleep(HOUR)
        assert (informer.is_synced, informer.complete, len(informer.objects)) == (False, False, 0)
        assert 10 < len(server.asked) < PATIENT
        assert informer.statistics().last_error
        server.answer = lambda asked: HANG if asked.is_watch else GOOD
        await trio.sleep(120)
        assert informer.complete and list(informer.objects) == [("n", "a")]


LINES: dict[str, bytes] = {
    "no JSON": b"hello\n",
    "a number": b"5\n",
    "no object": b'{"type":"ADDED"}\n',
    "no type": b'{"object":{}}\n',
    "a type that is a number": b'{"type":5,"object":{}}\n',
    "an object that is a list": b'{"type":"ADDED","object":[]}\n',
    "another kind": line("ADDED", config_map("x", 9) | {"kind": "Secret"}),
    "no name": line("ADDED", {"kind": "ConfigMap", "metadata": {"uid": "u", "resourceVersion": "9"}}),
    "no uid": line("MODIFIED", {"kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "9"}}),
    "no version": line("DELETED", {"kind": "ConfigMap", "metadata": {"name": "a", "uid": "u-a"}}),
    "labels of numbers": line("ADDED", {"kind": "ConfigMap", "metadata": {"labels": {"a": 1}}}),
    "an error without a status": b'{"type":"ERROR","object":5}\n',
    "an expired version": line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"}),
    "a failure": line("ERROR", {"kind": "Status", "code": 500}),
    "bytes that are no text": b'{"type":"ADDED","object":{"kind":"\xff"}}\n',
    "a field that is no text": line("ADDED", config_map("x", 9, "@@")).replace(b"@@", b"\xff\xfe"),
    "half a line": line("ADDED", config_map("x", 9))[:40],
    "too long a line": b'{"type":"ADDED","object":"' + b"x" * EVENT,
}


@pytest.mark.parametrize("wrong", LINES)
async def test_watches_that_say_nonsense(wrong: str, autojump_clock: MockClock) -> None:
    """What was known stays known, an hour costs few requests; what comes afterwards is taken."""
    said = LINES[wrong]
    server = RawServer(lambda asked: stream(said) if asked.is_watch else GOOD)
    async with informed(server) as informer:
        await informer.wait_synced()
        await trio.sleep(HOUR)
        assert list(informer.objects) == [("n", "a")] and informer.get("n", "a") is not None
        assert 10 < len(server.asked) < 2 * PATIENT
        more = line("ADDED", config_map("b", 9))
        server.answer = lambda asked: stream(more, then="hang") if asked.is_watch else GOOD
        await trio.sleep(200)
        assert sorted(informer.objects) == [("n", "a"), ("n", "b")]


async def test_types_that_we_do_not_know() -> None:
    """Of a later server: passed over; blank lines too."""
    said = b"\n\r\n" + line("REORDERED", 5) + line("ADDED", config_map("b", 9))
    server = RawServer(lambda asked: stream(said, then="hang") if asked.is_watch else GOOD)
    async with informed(server) as informer:
        await informer.wait_synced()
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(informer.objects) == [("n", "a"), ("n", "b")]
        assert informer.statistics().failures == 0


async def test_a_watch_split_at_every_byte() -> None:
    """Where the pieces end is chance: in a character, in an escape, at a line's end."""
    events = line("ADDED", config_map("ä", 6, "größe \n 🙂")) + line("DELETED", config_map("ä", 7))
    for cut in range(1, len(events)):
        server = RawServer(answering(stream(events[:cut], events[cut:])))
        async with server.cluster() as cluster:
            async with cluster.watch(CONFIG_MAPS, resource_version="5") as found:
                seen = [(event.type.value, event.object.meta.name) async for event in found]
        assert seen == [("ADDED", "ä"), ("DELETED", "ä")]


async def test_a_watch_in_single_bytes() -> None:
    """A chunk for each."""
    events = line("ADDED", config_map("ä", 6, "größe"))
    server = RawServer(lambda asked: stream(*(events[i : i + 1] for i in range(len(events)))))
    async with server.cluster() as cluster:
        async with cluster.watch(CONFIG_MAPS, resource_version="5") as found:
            seen = [event.object.get("data") async for event in found]
    assert seen == [{"text": "größe"}]


async def test_an_object_of_ten_megabytes(autojump_clock: MockClock) -> None:
    """Read whole where it was asked for; as an event it is refused, once each list, without a hot loop."""
    huge = config_map("huge", 4, "x" * 10_000_000)
    server = RawServer(lambda asked: whole(huge))
    async with server.cluster() as cluster:
        found = await cluster.get(CONFIG_MAPS, "n", "huge")
        assert len(found.get("data")["text"]) == 10_000_000
    event = line("ADDED", config_map("huge", 9, "x" * 10_000_000))
    pieces = [event[i : i + 1_000_000] for i in range(0, len(event), 1_000_000)]
    server = RawServer(lambda asked: stream(*pieces) if asked.is_watch else GOOD)
    async with informed(server) as informer:
        await trio.sleep(600)
        assert list(informer.objects) == [("n", "a")]
        assert 5 < len(server.asked) < 80
        assert f"longer than {EVENT} bytes" in informer.statistics().last_error


async def test_a_server_that_closes_at_once(autojump_clock: MockClock) -> None:
    """Connections and requests of an hour are counted: before the first list, and of watches."""
    server = RawServer(lambda asked: CLOSE, streams=True)
    async with informed(server) as informer:
        await trio.sleep(HOUR)
        assert not informer.is_synced
        assert 10 < server.dials < 2 * PATIENT and len(server.asked) < 2 * PATIENT
    server = RawServer(lambda asked: CLOSE if asked.is_watch else GOOD)
    async with informed(server) as informer:
        await trio.sleep(HOUR)
        assert informer.is_synced and list(informer.objects) == [("n", "a")]
        assert 10 < server.dials < 2 * PATIENT and len(server.asked) < 2 * PATIENT


async def test_watches_that_end_at_once(autojump_clock: MockClock) -> None:
    """However cleanly: the loop that eats API servers (8,000 requests in 3 s with other clients)."""
    server = RawServer(lambda asked: stream() if asked.is_watch else GOOD)
    async with informed(server) as informer:
        await trio.sleep(HOUR)
        assert 10 < len(server.asked) < 2 * PATIENT
        assert informer.complete


async def test_a_black_hole(autojump_clock: MockClock) -> None:
    """Each call ends by its deadline and says the truth; an informer knows nothing and does not spin."""
    server = RawServer(lambda asked: HANG)

    async def read(cluster: HttpCluster) -> None:
        with pytest.raises(errors.Unavailable, match="no answer within"):
            await cluster.get(CONFIG_MAPS, "n", "a")

    async def write(cluster: HttpCluster) -> None:
        with pytest.raises(errors.OutcomeUnknown):
            await cluster.patch(CONFIG_MAPS, "n", "a", MergePatch({}))

    async with server.cluster() as cluster, trio.open_nursery() as nursery:
        began = trio.current_time()
        nursery.start_soon(read, cluster)
        nursery.start_soon(write, cluster)
        with pytest.raises(errors.Unavailable):
            async with cluster.watch(CONFIG_MAPS, resource_version="5"):
                raise AssertionError("unreachable")
        assert trio.current_time() - began <= DEADLINE + 1
    server.asked.clear()
    server.streams = True
    async with informed(server) as informer:
        await trio.sleep(HOUR)
        assert not informer.is_synced and 10 < len(server.asked) < PATIENT


async def test_a_watch_that_falls_silent(autojump_clock: MockClock) -> None:
    """A black hole after the first byte: given up after a while, and watched again from where it was."""
    event = line("ADDED", config_map("b", 9))
    server = RawServer(lambda asked: stream(event, then="hang") if asked.is_watch else GOOD)
    async with informed(server) as informer:
        await informer.wait_synced()
        await trio.sleep(SILENCE + 1)
        watches = [asked for asked in server.asked if asked.is_watch and not asked.is_initial]
        assert [asked.target.split("resourceVersion=")[1].split("&")[0] for asked in watches] == ["5", "9"]
        assert informer.statistics().silent == 1
        await trio.sleep(HOUR)
        assert len(server.asked) < PATIENT


async def test_the_wall_clock_is_never_asked(autojump_clock: MockClock) -> None:
    """So it may jump as it likes: deadlines, retries and silences are measured on another clock."""

    def now() -> float:
        raise AssertionError("asked")

    server = RawServer(lambda asked: HANG if asked.is_watch else GOOD)
    async with informed(server, attrs.evolve(env(), now=now)) as informer:
        await trio.sleep(HOUR)
        assert informer.complete


class Tokens:
    """Where tokens come from."""

    def __init__(self) -> None:
        self.token = "old"
        self.reads = 0

    async def read(self) -> Credentials:
        """Read once."""
        await trio.lowlevel.checkpoint()
        self.reads += 1
        return Credentials("h", tls=False, token=self.token, reload=self.read)


async def test_a_token_that_has_expired(autojump_clock: MockClock) -> None:
    """Hours of 401 are few requests and few readings; the informer says so, and recovers with a new token."""

    def answer(asked: Asked) -> Say:
        if asked.token != "new":
            return whole({"kind": "Status", "code": 401, "reason": "Unauthorized"}, 401)
        return HANG if asked.is_watch else GOOD

    server, tokens = RawServer(answer, streams=True), Tokens()
    async with server.cluster(await tokens.read()) as cluster, trio.open_nursery() as nursery:
        informer = Informer(cluster, CONFIG_MAPS, env=env())
        nursery.start_soon(informer.run)
        await trio.sleep(HOUR)
        assert not informer.is_synced and "Unauthorized" in informer.degraded
        assert 10 < len(server.asked) < PATIENT and tokens.reads < PATIENT
        tokens.token = "new"
        await trio.sleep(120)
        assert informer.complete and not informer.degraded
        nursery.cancel_scope.cancel()


def deep(name: str, version: int) -> bytes:
    """An object of a thousand levels: an API server takes ten times as many."""
    shallow = msgspec.json.encode(config_map(name, version) | {"data": 0})
    return shallow.replace(b'"data":0', b'"data":' + b'{"a":' * 1000 + b"1" + b"}" * 1000)


async def test_an_object_that_is_nested_too_deep(autojump_clock: MockClock) -> None:
    """It is there, in a list as on a watch, and says that it cannot be read; no other object is concerned."""
    items = b",".join([deep("deep", 4), msgspec.json.encode(config_map("good", 3))])
    listing = whole(b'{"metadata":{"resourceVersion":"5"},"items":[%s]}' % items)
    event = b'{"type":"MODIFIED","object":%s}\n' % deep("good", 6)
    server = RawServer(lambda asked: stream(event, then="hang") if asked.is_watch else listing)
    async with informed(server) as informer:
        await informer.wait_synced()
        first = {name: item.unreadable for (_, name), item in informer.objects.items()}
        assert first == {"deep": "data is nested deeper than 64 levels", "good": ""}
        await trio.testing.wait_all_tasks_blocked()
        assert all(item.unreadable for item in informer.objects.values())
        assert informer.complete and informer.statistics().failures == 0
    server = RawServer(lambda asked: whole(deep("deep", 4)))
    async with server.cluster() as cluster:
        assert (await cluster.get(CONFIG_MAPS, "n", "deep")).unreadable


async def test_a_refusal_that_is_nested_too_deep() -> None:
    """It is refused for what its status says."""
    said = b'{"kind":"Status","code":403,"reason":"Forbidden","details":%s}' % (b"[" * 5000 + b"]" * 5000)
    for body in (said, said.replace(b'"details":', b'"details":{"a":').replace(b"]}", b"]}}")):
        server = RawServer(lambda asked: whole(body, 403))  # noqa: B023 (used at once)
        async with server.cluster() as cluster:
            with pytest.raises(errors.Forbidden):
                await cluster.get(CONFIG_MAPS, "n", "a")
