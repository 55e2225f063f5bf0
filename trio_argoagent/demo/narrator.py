"""Turns what the programs say and what the API servers log into lines that a person can follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.demo.fleet import OURS, Fleet
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.runtime.events import Event
from trio_argoagent.testing.machine import USER

Tell = Callable[[str, str, str], None]
"""Who, what, style."""
_STYLES: Final = {"info": "", "warning": "yellow", "error": "red"}
_VERBS: Final = {"CREATE": "creates", "UPDATE": "changes", "DELETE": "deletes"}


class Narrator:
    """See the module.

    Args:
        tell: takes a line.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def on_event(self, event: Event) -> None:
        """A program says something."""
        self._tell(event.agent or "hub", event.text, _STYLES[event.level])

    def follow(self, fleet: Fleet) -> None:
        """Listen to every API server."""
        for machine in fleet.machines():
            machine.server.subscribe(lambda entry, name=machine.name: self._on_write(name, entry))  # type: ignore[misc]

    def _on_write(self, node: str, entry: LogEntry) -> None:
        if entry.resource not in (APPLICATIONS, APP_PROJECTS):
            return
        what = f"{entry.resource.kind} {entry.name}"
        if entry.actor == USER:
            self._tell(node, f"somebody {_did(entry)} {what}", "cyan")
        elif entry.actor in OURS and _did(entry) != _VERBS["UPDATE"]:
            self._tell(node, f"the {entry.actor} {_did(entry)} {what}", "")
        before, after = _state(entry.old), _state(entry.new)
        if after and before != after and entry.actor not in OURS:
            self._tell(node, f"{what}: {after}", "green" if after == "Synced, Healthy" else "")


def _did(entry: LogEntry) -> str:
    """A deletion that waits for finalizers is an update to the API server, not to people."""
    marked = entry.new is not None and entry.new.deleting and not (entry.old and entry.old.deleting)
    return _VERBS["DELETE" if marked else entry.verb]


def _state(stored: Any) -> str:
    """Sync and health, as Argo CD's own list shows them."""
    status = stored.value.get("status") if stored is not None else None
    if not status:
        return ""
    words = ((status.get("sync") or {}).get("status"), (status.get("health") or {}).get("status"))
    return ", ".join(word for word in words if word)
