"""Is a condition so? Each judge says why not, in words; an empty text is a yes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from trio_argoagent.agent.uplink import LinkState
from trio_argoagent.apiserver.core.values import LogEntry, Stored
from trio_argoagent.errors import NotFound
from trio_argoagent.testing.fleet import Fleet
from trio_argoagent.testing.scenario.counting import Counting, Mark
from trio_argoagent.testing.scenario.values import Condition, Path, Ref
from trio_argoagent.testing.user import unsynced

MAX_SHOWN: Final = 120
"""Characters of a value in a message."""
_NOTHING: Final = object()


class Judge:
    """Looks at a fleet.

    Args:
        counting: of that fleet.
    """

    def __init__(self, counting: Counting) -> None:
        self.marks: dict[str, Mark] = {}
        self.counting = counting
        self._fleet = counting.fleet

    def why_not(self, condition: Condition) -> str:
        """What is otherwise; empty: the condition holds now."""
        return JUDGES[condition.kind](self, condition.arguments)

    def _consistent(self, arguments: Mapping[str, Any]) -> str:
        if self._fleet.limbo.requests:
            return "requests are on their way"
        return "; ".join(self._fleet.differences())

    def _synced(self, arguments: Mapping[str, Any]) -> str:
        return "; ".join(unsynced(self._fleet.hub)) or self._consistent(arguments)

    def _object(self, arguments: Mapping[str, Any]) -> str:
        ref = arguments["ref"]
        return self.why_not_object(arguments, value_of(find(self._fleet, ref)))

    def why_not_object(self, arguments: Mapping[str, Any], value: Mapping[str, Any] | None) -> str:
        """Likewise, of one object that has this value; None: it is not there."""
        ref, path, test, wanted = (arguments[name] for name in ("ref", "path", "test", "value"))
        if not path:
            return "" if (value is None) is (test == "absent") else _presence(ref, value)
        if value is None and test != "missing":
            return _presence(ref, value)
        found = at(value, path) if value is not None else _NOTHING
        return "" if self._passes(test, found, wanted, ref, path) else f"it is {_shown(found)}"

    def _passes(self, test: str, found: Any, wanted: Any, ref: Ref, path: Path) -> bool:
        match test:
            case "equals":
                return bool(found == wanted) and isinstance(found, bool) is isinstance(wanted, bool)
            case "differs":
                return bool(found != wanted)
            case "missing":
                return found is _NOTHING
            case "contains":
                return isinstance(found, str | list | dict) and wanted in found
            case "same_as":
                other = value_of(find(self._fleet, wanted["object"]))
                return other is not None and bool(at(other, wanted["field"]) == found)
        before = self._marked(wanted, ref, path)
        return bool(found == before) is (test == "unchanged_since")

    def _marked(self, mark: str, ref: Ref, path: Path) -> Any:
        name = (ref.cluster, ref.resource.kind, ref.namespace, ref.name)
        value = self.marks[mark].snapshot.objects.get(name)
        return at(value, path) if value is not None else _NOTHING

    def _count(self, arguments: Mapping[str, Any]) -> str:
        number = self.counting.count(arguments["what"], arguments["filters"], self.marks[arguments["since"]])
        wanted = arguments["value"]
        passes = {"equals": number == wanted, "at_most": number <= wanted, "at_least": number >= wanted}
        return "" if passes[arguments["test"]] else f"there are {number}"

    def _linked(self, arguments: Mapping[str, Any]) -> str:
        name = arguments["agent"]
        agent = self._fleet.agents[name].instance
        there = agent is not None and agent.status().link is LinkState.LIVE
        if there and self._is_known(name):
            return ""
        return f"the agent has {'a' if there else 'no'} link, the principal {self._known_text(name)}"

    def _unlinked(self, arguments: Mapping[str, Any]) -> str:
        name = arguments["agent"]
        return f"the principal {self._known_text(name)}" if self._is_known(name) else ""

    def _is_known(self, name: str) -> bool:
        principal = self._fleet.principal.instance
        return principal is not None and any(
            peer.name == name and peer.connected for peer in principal.status()
        )

    def _known_text(self, name: str) -> str:
        return f"knows of {'one' if self._is_known(name) else 'none'}"


JUDGES: Final[Mapping[str, Callable[[Judge, Mapping[str, Any]], str]]] = {
    "consistent": Judge._consistent,
    "synced": Judge._synced,
    "object": Judge._object,
    "count": Judge._count,
    "linked": Judge._linked,
    "unlinked": Judge._unlinked,
}


class Never:
    """Holds a condition on one object against every write of it, from now on.

    Args:
        judge: of the fleet.
        condition: what must not be.
        found: told once, of the first time.
    """

    def __init__(self, judge: Judge, condition: Condition, found: Callable[[Condition, str], None]) -> None:
        self._judge, self._condition, self._found = judge, condition, found
        self._told = False
        fleet, ref = judge.counting.fleet, condition.arguments["ref"]
        self._look(value_of(find(fleet, ref)), "from the beginning")
        fleet.servers[ref.cluster].subscribe(self._on_write)

    def _on_write(self, entry: LogEntry) -> None:
        ref = self._condition.arguments["ref"]
        if (entry.resource, entry.namespace, entry.name) == (ref.resource, ref.namespace, ref.name):
            self._look(value_of(entry.new), f"after a write by {entry.actor}")

    def _look(self, value: Mapping[str, Any] | None, when: str) -> None:
        if not self._told and not self._judge.why_not_object(self._condition.arguments, value):
            self._told = True
            self._found(self._condition, when)


def find(fleet: Fleet, ref: Ref) -> Stored | None:
    """The object as it is now; None: there is none."""
    try:
        return fleet.servers[ref.cluster].get(ref.resource, ref.namespace, ref.name)
    except NotFound:
        return None


def value_of(stored: Stored | None) -> Mapping[str, Any] | None:
    """Its JSON value."""
    return None if stored is None else stored.value


def at(value: Any, path: Path) -> Any:
    """What stands there; ``_NOTHING``: there is no such field."""
    for step in path:
        named = isinstance(value, Mapping) and step in value
        listed = isinstance(value, list | tuple) and isinstance(step, int) and step < len(value)
        if not (named or listed):
            return _NOTHING
        value = value[step]
    return value


def _presence(ref: Ref, value: Mapping[str, Any] | None) -> str:
    if value is None:
        return f"there is no {ref.resource.kind} {ref.name}"
    going = " (it is being deleted)" if "deletionTimestamp" in value["metadata"] else ""
    return f"it is there{going}"


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return "missing"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
