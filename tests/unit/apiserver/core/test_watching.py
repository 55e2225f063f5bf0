"""Watches: where they begin, what they show, and how they end."""

from __future__ import annotations

from functools import partial

import pytest

from tests.unit.apiserver.core.helpers import NS, app, make, merge, new_server
from trio_argoagent.apiserver.core import watching
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import EventKind
from trio_argoagent.errors import Expired, Invalid, Unavailable
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, SECRETS


def filled() -> ApiServer:
    """Applications a to e."""
    server = new_server()
    for name in "abcde":
        make(server, app(name, metadata={"labels": {"odd": str(name in "ace").lower()}}))
    return server


def test_initial_events_end_with_a_bookmark() -> None:
    """A streaming list shows the state in order, says where it ends, and goes on."""
    server = filled()
    watch = server.watch(
        APPLICATIONS, labels="odd=false", match="NotOlderThan", initial_events=True, bookmarks=True
    )
    make(server, app("f", metadata={"labels": {"odd": "false"}}))
    events = watch.take()
    assert [event.type for event in events] == ["ADDED", "ADDED", "BOOKMARK", "ADDED"]
    mark = events[2].object
    assert mark.value["kind"] == "Application"
    assert mark.metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark.rv == server.rv - 1


def test_watch_options_that_contradict_each_other() -> None:
    """Initial events want NotOlderThan, and a match wants initial events."""
    server = filled()
    for options in ({"initial_events": True}, {"match": "NotOlderThan"}, {"initial_events": False}):
        with pytest.raises(Invalid):
            server.watch(APPLICATIONS, **options)
    with pytest.raises(Unavailable):
        server.watch(APPLICATIONS, resource_version="999", match="NotOlderThan", initial_events=True)


def test_a_watch_without_a_version_begins_with_the_state() -> None:
    """No version, or 0, means: what is there, and then what happens."""
    for version in ("", "0"):
        server = filled()
        watch = server.watch(APPLICATIONS, resource_version=version)
        merge(server, "a", {"spec": {"project": "p"}})
        kinds = [event.type for event in watch.take()]
        assert kinds == [EventKind.ADDED] * 5 + [EventKind.MODIFIED]


def test_compaction() -> None:
    """A watch from before the compaction is Expired in the server's words; from it on, it works."""
    server = filled()
    rv = server.rv
    server.compact(rv)
    with pytest.raises(Expired, match=rf"too old resource version: {rv - 1} \({rv}\)"):
        server.watch(APPLICATIONS, resource_version=str(rv - 1))
    assert server.watch(APPLICATIONS, resource_version=str(rv)).take() == []
    server.compact(rv + 1000)
    assert server.statistics().compacted == rv


def test_bookmarks_are_for_those_who_want_them() -> None:
    """A bookmark carries the newest version and nothing else, and only to a watch that asked."""
    server = filled()
    rv = str(server.rv)
    wants = server.watch(APPLICATIONS, resource_version=rv, bookmarks=True)
    wants_not = server.watch(APPLICATIONS, resource_version=rv)
    make(server, {"metadata": {"name": "s"}}, SECRETS)
    server.bookmark()
    [event] = wants.take()
    assert event.type is EventKind.BOOKMARK
    assert event.object.metadata == {"resourceVersion": str(server.rv)}
    assert wants_not.take() == []


def test_on_ready_announces() -> None:
    """The shell is told when there is something to take, and when the watch has closed."""
    server = filled()
    watch = server.watch(APPLICATIONS, resource_version=str(server.rv))
    calls: list[bool] = []
    watch.on_ready = lambda: calls.append(watch.closed)
    make(server, {"metadata": {"name": "s"}}, SECRETS)
    assert calls == []
    make(server, app("f"))
    watch.close()
    watch.close()
    assert calls == [False, True]
    assert server.statistics().watches == 0


def test_a_slow_follower_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full buffer closes the watch visibly; what was in it can still be taken."""
    monkeypatch.setattr(watching, "WATCH_BUFFER", 3)
    server = filled()
    watch = server.watch(APPLICATIONS, resource_version=str(server.rv))
    for number in range(5):
        merge(server, "a", {"spec": {"project": str(number)}})
    assert watch.closed
    assert watch.overflowed
    assert watch.error is None
    assert len(watch.take()) == 3
    assert server.statistics().watches_overflowed == 1
    assert server.statistics().watches == 0


def test_dropping_watches() -> None:
    """A restart of the server ends every watch, cleanly or not."""
    server = filled()
    first = server.watch(APPLICATIONS, resource_version=str(server.rv))
    second = server.watch(SECRETS, resource_version=str(server.rv))
    error = Unavailable("the connection broke")
    assert server.drop_watches(error) == 2
    assert first.closed
    assert second.error is error
    assert server.drop_watches() == 0


def test_followers_of_a_namespace_and_of_all() -> None:
    """A write is shown to those it concerns, in the order in which they began, and to nobody else."""
    server = new_server()
    told: list[str] = []
    for name, namespace in (("all", ""), ("mine", NS), ("other", "kube-system"), ("all too", "")):
        watch = server.watch(CONFIG_MAPS, namespace, resource_version=str(server.rv))
        watch.on_ready = partial(told.append, name)
    make(server, {"metadata": {"name": "c"}}, CONFIG_MAPS)
    assert told == ["all", "mine", "all too"]
    assert server.statistics().watches == 4
    watch.close()
    assert server.statistics().watches == 3
    told.clear()
    make(server, {"metadata": {"name": "d"}}, CONFIG_MAPS)
    assert told == ["all", "mine"]
