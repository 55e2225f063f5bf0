"""What has happened to a fleet so far, so that it can be counted from any moment on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet
from trio_argoagent.testing.snapshot import Snapshot

_RUNNING: Final = "Running"


@attrs.frozen
class Mark:
    """One moment: what the clusters held, and how much had happened by then."""

    snapshot: Snapshot
    lengths: Mapping[str, int]


@attrs.frozen
class Sent:
    """One record that was sent."""

    agent: str
    direction: str
    kind: str
    name: str


@attrs.frozen
class Written:
    """One write of somebody on a cluster."""

    cluster: str
    entry: LogEntry

    @property
    def deletes(self) -> bool:
        """Is it the one by which the object began to go?"""
        old, new = self.entry.old, self.entry.new
        return (new is None or new.deleting) and not (old is not None and old.deleting)


class Counting:
    """Keeps what can be counted.

    Args:
        fleet: before its programs have been started, after its monitors have been attached.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.writes: list[Written] = []
        self._records: list[Sent] = []
        self._events: list[tuple[str, Event]] = []
        self._before = fleet.network.on_frame
        fleet.network.on_frame = self._on_frame
        fleet.observers.append(lambda program, event: self._events.append((program, event)))
        for name, server in fleet.servers.items():
            server.subscribe(partial(self._on_write, name))

    def _on_write(self, cluster: str, entry: LogEntry) -> None:
        self.writes.append(Written(cluster, entry))

    def _on_frame(self, agent: str, up: bool, frame: bytes) -> None:
        if self._before is not None:
            self._before(agent, up, frame)
        said = codec.decode(frame)
        if isinstance(said, messages.RecordMessage):
            key = said.record.key
            self._records.append(Sent(agent, "up" if up else "down", key.kind.value, key.name))

    def mark(self) -> Mark:
        """This moment."""
        return Mark(self.fleet.snapshot(), {name: len(log) for name, log in self._logs().items()})

    def _logs(self) -> Mapping[str, Any]:
        worlds = {
            f"{what} {spoke.name}": getattr(spoke.world, what)
            for spoke in self.fleet.spokes.values()
            for what in ("attempts", "prunes")
        }
        return {"records": self._records, "events": self._events, "writes": self.writes, **worlds}

    def count(self, what: str, filters: Mapping[str, Any], since: Mark) -> int:
        """How often it has happened since that moment; ``deployed``: how much there is now."""
        counter = _COUNTERS[what]
        return counter(self, filters, since)

    def _since(self, log: str, since: Mark) -> list[Any]:
        return list(self._logs()[log])[since.lengths[log] :]


def _records(counting: Counting, filters: Mapping[str, Any], since: Mark) -> int:
    found = counting._since("records", since)
    return sum(all(getattr(each, name) == value for name, value in filters.items()) for each in found)


def _writes(counting: Counting, filters: Mapping[str, Any], since: Mark) -> int:
    return sum(_matches(each, filters) for each in counting._since("writes", since))


def _deletions(counting: Counting, filters: Mapping[str, Any], since: Mark) -> int:
    return sum(each.deletes and _matches(each, filters) for each in counting._since("writes", since))


def _matches(written: Written, filters: Mapping[str, Any]) -> bool:
    entry = written.entry
    found = {
        "on": written.cluster, "by": entry.actor, "verb": entry.verb.value, "kind": entry.resource,
        "namespace": entry.namespace, "name": entry.name,
    }  # fmt: skip
    return all(found[name] == value for name, value in filters.items())


def _operations(counting: Counting, filters: Mapping[str, Any], since: Mark) -> int:
    attempts = counting._since(f"attempts {filters['agent']}", since)
    return sum(each.phase == _RUNNING and _is_of(each.app, filters) for each in attempts)


def _prunes(counting: Counting, filters: Mapping[str, Any], since: Mark) -> int:
    return sum(_is_of(each.app, filters) for each in counting._since(f"prunes {filters['agent']}", since))


def _is_of(app: str, filters: Mapping[str, Any]) -> bool:
    return filters.get("application") in (None, app.rpartition("/")[2])


def _deployed(counting: Counting, filters: Mapping[str, Any], since: Mark) -> int:
    spoke = counting.fleet.spokes[filters["agent"]]
    live = spoke.world.live(NAMESPACE, filters["application"], spoke.env.now())
    return sum(each.gone_at is None for each in live)


def _links(counting: Counting, filters: Mapping[str, Any], since: Mark) -> int:
    named = {**filters, "event": "link-up"}
    return sum(who == PRINCIPAL for who, _ in _named_events(counting, named, since))


def _events(counting: Counting, filters: Mapping[str, Any], since: Mark) -> int:
    return len(_named_events(counting, filters, since))


def _named_events(counting: Counting, filters: Mapping[str, Any], since: Mark) -> list[tuple[str, Event]]:
    return [
        (who, event)
        for who, event in counting._since("events", since)
        if event.name == filters["event"] and filters.get("agent") in (None, event.agent)
    ]


_COUNTERS: Final[Mapping[str, Callable[[Counting, Mapping[str, Any], Mark], int]]] = {
    "records": _records, "writes": _writes, "deletions": _deletions, "operations": _operations,
    "prunes": _prunes, "deployed": _deployed, "links": _links, "events": _events,
}  # fmt: skip
