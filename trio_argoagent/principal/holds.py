"""Deletions that wait for a person, as the hub shows them, and the person's word for them.

In the ConfigMap ``trio-argoagent-state.<agent>`` of Argo CD's namespace on the hub::

    held      what the agent (or, for an autonomous one, the principal) does not delete, as JSON
    confirm   the name of that set and the Unix time: written by ``trio-argoagent ctl deletes confirm``
    sessions  how often it was linked, and when that was counted last
    view      what an autonomous agent's cluster was when it was believed last

A confirmation holds for exactly the set that it names, once, and for 15 minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from trio_argoagent.model import nesting
from trio_argoagent.model.keys import Key
from trio_argoagent.model.rulings import Decision, Ruling
from trio_argoagent.principal.hub import Hub
from trio_argoagent.replication.memory import Memory
from trio_argoagent.replication.session import Session
from trio_argoagent.replication.views import Origin, Remembrance
from trio_argoagent.replication.workers import Workers
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync import digest, guard
from trio_argoagent.sync.guard import HeldSet
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.selection import WHOLE, Selection

SHOWN: Final = 100
"""Objects of a held set that are listed by name; the set's name covers all of them."""
HELD, CONFIRM, SESSIONS, VIEW = "held", "confirm", "sessions", "view"


class HeldEntry(msgspec.Struct, frozen=True):
    """What ``held`` says: the set's name, why, how many, and which (``Kind namespace/name``)."""

    set: str
    reason: str
    total: int
    objects: tuple[str, ...]


def confirmation(name: str, now: float) -> str:
    """What ``confirm`` says to confirm this set now (Unix time)."""
    return f"{name} {now:.0f}"


def read_entry(text: str) -> HeldEntry | None:
    """What is held, of the text of ``held``; None: nothing, or nothing that we understand."""
    try:
        return nesting.decode(msgspec.json.Decoder(HeldEntry), text.encode()) if text else None
    except (msgspec.MsgspecError, UnicodeError):
        return None


class Holds:
    """One agent's.

    Args:
        hub: the hub's informers.
        memory: the hub's.
        mapping: between the hub and this agent.
        workers: of what this agent reports.
        report: told what happens: name, text, level.
    """

    def __init__(
        self,
        hub: Hub,
        memory: Memory,
        mapping: NamespaceMapping,
        workers: Workers,
        report: Callable[[str, str, str], None],
    ) -> None:
        self._memory, self._mapping, self._workers = memory, mapping, workers
        self._env, self._report, self._audit = hub.env, report, hub.audit
        self._session: Session | None = None
        self.shown: HeldEntry | None = None
        """What is held, as far as the hub knows."""
        self._heard = ""
        """The set that is held as of this link; only then a confirmation can meet it."""
        self._confirmed = ""
        self.select(WHOLE)
        agent, home = mapping.agent, mapping.home
        said = (lambda: hub.namespace_uid(home), lambda: self._how)
        self._origin = Origin(memory, SESSIONS, agent, hub.env, *said)
        self._remembrance = Remembrance(memory, VIEW, agent, workers.guard, self._doubt)
        if mapping.autonomous:
            workers.on_held = self._guard_holds

    def select(self, selection: Selection) -> None:
        """These of the hub's objects take part."""
        how = (*self._mapping.said(), *selection.said())
        self._how = digest.of_bytes(*(part.encode() for part in how))

    # The link

    def link_is(self, session: Session | None) -> None:
        """A link has come up (None: it has ended)."""
        self._session, self._heard, self._confirmed = session, "", ""
        if session is not None and not self._mapping.autonomous:
            self._origin.begin()

    def view(self) -> messages.View | None:
        """What the principal says of itself to this agent; to an autonomous one it is no source."""
        return None if self._mapping.autonomous else self._origin.view()

    def viewed(self, said: messages.View) -> None:
        """What the agent says of itself."""
        if self._mapping.autonomous:
            self._remembrance.viewed(said)
            if said.settled and self._workers.guard.held is None:
                self._show(None)

    def settled(self) -> None:
        """This agent's spoke holds all that it should: it holds back nothing either."""
        agent = self._mapping.agent
        if not self._mapping.autonomous and (self.shown or self._memory.get(HELD, agent)):
            self._show(None)

    def silent(self, before: str, now: str) -> None:
        """Of these kinds no absence is told (any more)."""
        if now != before and not self._mapping.autonomous:
            name, text = ("tombstones-off", now) if now else ("tombstones-on", "absence counts again")
            self._report(name, text, "warning" if now else "info")

    # What is held

    def held(self, said: messages.Held) -> None:
        """The agent does not carry out these deletions. An autonomous one has none to carry out."""
        if not self._mapping.autonomous:
            entry = _entry(said.name, said.reason, said.total, said.keys) if said.name else None
            self._show(entry)

    def _guard_holds(self, held: HeldSet | None) -> None:
        """The principal itself does not carry out these deletions of mirrors."""
        if held is None:
            self._show(None)
        else:
            keys = [departure.key for departure in held.departures]
            self._show(_entry(held.name, held.reason, len(keys), keys))

    def _show(self, entry: HeldEntry | None) -> None:
        agent, name = self._mapping.agent, entry.set if entry is not None else ""
        before = self.shown.set if self.shown is not None else ""
        if entry is not None and name != before:
            advice = f"to carry them out: trio-argoagent ctl deletes confirm {agent} --set {name}"
            text = f"{entry.total} deletions are held ({entry.reason}); {advice}"
            self._report("deletes-held", text, "warning")
            self._rule(Decision.HELD, name, entry.reason)
        if entry is None and before:
            self._report("deletes-released", "no deletion is held any more", "info")
        self.shown, self._heard = entry, name
        self._memory.put(HELD, msgspec.json.encode(entry).decode() if entry else "", agent)
        if not name:
            # Used, or about what is no more: it must not serve a second time.
            self._memory.put(CONFIRM, "", agent)
        self.look()

    def look(self) -> None:
        """The hub's memory has changed: is there a confirmation of what is held?"""
        if self._mapping.autonomous:
            self._remembrance.look()
        elif self._session is not None:
            self._session.wake()  # Its number of sessions may have been stored.
        name, _, at = self._memory.get(CONFIRM, self._mapping.agent).partition(" ")
        if not self._heard or name != self._heard or name == self._confirmed:
            return
        try:
            age = self._env.now() - float(at)
        except ValueError:
            return
        if abs(age) > guard.CONFIRMED_FOR:
            return
        self._confirmed = name
        self._report("deletes-confirmed", f"the deletions of set {name} are confirmed", "warning")
        self._rule(Decision.CONFIRMED, name, f"{CONFIRM} in the hub's ConfigMap")
        if self._mapping.autonomous:
            self._workers.confirm(name)
        elif self._session is not None:
            self._session.confirm(name)

    def _rule(self, decision: Decision, name: str, reason: str) -> None:
        self._audit(Ruling(decision, f"deletions of set {name}", reason, self._mapping.agent))

    def _doubt(self, text: str) -> None:
        self._report("deletes-doubted", f"what is missing is not deleted: {text}", "warning")


def _entry(name: str, reason: str, total: int, keys: Iterable[Key]) -> HeldEntry:
    shown = tuple(f"{key.kind} {key.namespace}/{key.name}" for key in keys)[:SHOWN]
    return HeldEntry(name, reason, total, shown)
