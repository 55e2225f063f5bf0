"""Watches on their way, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.http import ApiHandler
from trio_argoagent.apiserver.http.watches import (
    BOOKMARK_INTERVAL,
    CHUNK,
    DEFAULT_TIMEOUT,
    MAX_TIMEOUT,
    STALL,
)
from trio_argoagent.errors import Unavailable

from ..core.helpers import app, drop, make, merge
from .exchanges import MemoryExchange, ask, exchange

APPS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


def follow(nursery: trio.Nursery, handler: ApiHandler, query: str, **headers: Any) -> MemoryExchange:
    """Start a watch."""
    made = exchange("GET", f"{APPS}?watch=true&{query}", **headers)
    nursery.start_soon(handler, made)
    return made


def shapes(made: MemoryExchange) -> list[tuple[str, str]]:
    """Types and names."""
    return [(line["type"], line["object"]["metadata"].get("name", "")) for line in made.lines]


async def test_events(
    handler: ApiHandler, server: ApiServer, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """They go out as they happen, from the version that was asked for."""
    make(server, app("a0"))
    made = follow(nursery, handler, f"resourceVersion={server.rv}")
    await trio.sleep(1)
    assert (made.status, made.lines) == (200, [])
    make(server, app("a1"))
    await trio.sleep(1)
    merge(server, "a1", {"spec": {"project": "p"}})
    drop(server, "a1")
    await trio.sleep(1)
    assert shapes(made) == [("ADDED", "a1"), ("MODIFIED", "a1"), ("DELETED", "a1")]


async def test_the_end(handler: ApiHandler, autojump_clock: object) -> None:
    """It lasts as long as was asked, and ends cleanly."""
    made = await ask(handler, "GET", f"{APPS}?watch=1&timeoutSeconds=7")
    assert made.ended
    assert trio.current_time() == pytest.approx(7, abs=0.1)


async def test_the_default_end(handler: ApiHandler, server: ApiServer, autojump_clock: object) -> None:
    """Without a wish it lasts for some time between half an hour and an hour, and is then forgotten."""
    await ask(handler, "GET", f"{APPS}?watch=1")
    low, high = DEFAULT_TIMEOUT
    assert low <= trio.current_time() <= high + 1
    assert server.statistics().watches == 0


async def test_bookmarks(handler: ApiHandler, server: ApiServer, autojump_clock: object) -> None:
    """One a minute for who wants them, none for who does not."""
    wanted = await ask(handler, "GET", f"{APPS}?watch=1&timeoutSeconds=200&allowWatchBookmarks=true")
    assert [line["type"] for line in wanted.lines] == ["BOOKMARK"] * int(200 // BOOKMARK_INTERVAL)
    assert wanted.lines[0]["object"]["metadata"] == {"resourceVersion": str(server.rv)}
    unwanted = await ask(handler, "GET", f"{APPS}?watch=1&timeoutSeconds=200")
    assert unwanted.lines == []


async def test_initial_events(handler: ApiHandler, server: ApiServer, autojump_clock: object) -> None:
    """WatchList: the state as ADDED events, then the bookmark that says that this was all."""
    make(server, app("a1"))
    query = "watch=1&timeoutSeconds=1&allowWatchBookmarks=1&sendInitialEvents=true"
    made = await ask(handler, "GET", f"{APPS}?{query}&resourceVersionMatch=NotOlderThan")
    assert shapes(made) == [("ADDED", "a1"), ("BOOKMARK", "")]
    marks = made.lines[1]["object"]["metadata"]["annotations"]
    assert marks == {"k8s.io/initial-events-end": "true"}
    refused = await ask(handler, "GET", f"{APPS}?{query}")
    assert (refused.status, refused.value["reason"]) == (422, "Invalid")


async def test_a_table(handler: ApiHandler, server: ApiServer, autojump_clock: object) -> None:
    """What ``kubectl get -w`` asks for."""
    make(server, app("a1"))
    accept = "application/json;as=Table;g=meta.k8s.io;v=v1"
    made = await ask(handler, "GET", f"{APPS}?watch=1&timeoutSeconds=1", accept=accept)
    assert made.lines[0]["object"]["rows"][0]["cells"][0] == "a1"


async def test_too_old(handler: ApiHandler, server: ApiServer, autojump_clock: object) -> None:
    """A forgotten version is a 200 and one ERROR event, as real servers have it."""
    old = make(server, app("a1")).rv
    make(server, app("a2"))
    server.compact(server.rv)
    made = await ask(handler, "GET", f"{APPS}?watch=1&resourceVersion={old}")
    assert (made.status, made.ended) == (200, True)
    assert [line["type"] for line in made.lines] == ["ERROR"]
    assert made.lines[0]["object"]["code"] == 410


async def test_a_restart(
    handler: ApiHandler, server: ApiServer, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """A watch that the server drops ends cleanly, after what had happened before."""
    made = follow(nursery, handler, f"resourceVersion={server.rv}")
    await trio.sleep(1)
    make(server, app("a1"))
    server.drop_watches()
    await trio.sleep(1)
    assert made.ended
    assert shapes(made) == [("ADDED", "a1")]


async def test_a_follower_that_does_not_read(
    handler: ApiHandler, server: ApiServer, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """It is cut, not ended, after a while; nothing of it is left."""
    made = follow(nursery, handler, f"resourceVersion={server.rv}")
    await trio.sleep(1)
    made.room = trio.Event()
    make(server, app("a1"))
    await trio.sleep(STALL - 1)
    assert server.statistics().watches == 1
    await trio.sleep(2)
    assert server.statistics().watches == 0
    assert not made.ended


async def test_a_follower_that_goes_away(
    handler: ApiHandler, server: ApiServer, autojump_clock: object
) -> None:
    """Its watch is closed with it."""
    with trio.move_on_after(5):
        await ask(handler, "GET", f"{APPS}?watch=1")
    assert server.statistics().watches == 0


async def test_much_at_once(handler: ApiHandler, server: ApiServer, autojump_clock: object) -> None:
    """More than fits into one send arrives whole and in order."""
    names = [f"a{number:03}" for number in range(50)]
    for name in names:
        make(server, app(name, metadata={"annotations": {"x": "y" * (CHUNK // 10)}}))
    made = await ask(handler, "GET", f"{APPS}?watch=1&timeoutSeconds=1")
    assert shapes(made) == [("ADDED", name) for name in names]


async def test_no_watch_is_for_ever(handler: ApiHandler, autojump_clock: object) -> None:
    """Whatever was asked for, it ends within a day."""
    made = await ask(handler, "GET", f"{APPS}?watch=1&timeoutSeconds=99999999")
    assert made.ended
    assert trio.current_time() == pytest.approx(MAX_TIMEOUT, abs=1)


async def test_an_error_of_the_server(
    handler: ApiHandler, server: ApiServer, nursery: trio.Nursery, autojump_clock: object
) -> None:
    """A watch that the server ends with an error says which, after what had happened before."""
    made = follow(nursery, handler, f"resourceVersion={server.rv}")
    await trio.sleep(1)
    make(server, app("a1"))
    server.drop_watches(Unavailable("shutting down"))
    await trio.sleep(1)
    assert [line["type"] for line in made.lines] == ["ADDED", "ERROR"]
    assert made.lines[1]["object"]["message"] == "shutting down"
    assert made.ended
