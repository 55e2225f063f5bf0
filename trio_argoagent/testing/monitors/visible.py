"""I12: nothing is refused in silence. What a replica will not hold is seen where people look, and soon.

A refusal counts from its arrival at whoever has to show it. Seconds in which that program is down, or its
calls go wrong, do not count. Seen is: the condition ``AgentError`` on the Application, on the cluster that
owns it; for what has no conditions, and for a deletion that is refused, an Event that names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.model.resources import APPLICATIONS, EVENTS
from trio_argoagent.replication import happenings, refusals
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.sync import conditions
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet
from trio_argoagent.testing.monitors.ledger import Ledger

SOON: Final = 5
"""Seconds in which a refusal is seen, once it is one."""
_SAID: Final = 60
"""Characters of a reason that must be found again in what is seen."""


@attrs.define
class _Nack:
    """A refusal that stands, and for how many seconds of calm it has."""

    reason: str
    final: bool
    buries: bool
    starts: int
    calm: int = 0
    disturbed: bool = False
    told: bool = False


class Visible:
    """See the module."""

    def __init__(self, fleet: Fleet, ledger: Ledger) -> None:
        self._fleet, self._ledger = fleet, ledger
        self._records: dict[tuple[str, bool, int], Record] = {}
        self._nacks: dict[tuple[str, bool, Key], _Nack] = {}

    # What is heard

    def on_arrival(self, agent: str, up: bool, frame: bytes) -> None:
        """A frame was received."""
        said = codec.decode(frame)
        if isinstance(said, messages.RecordMessage):
            self._records[agent, up, said.number] = said.record
            self._nacks.pop((agent, not up, said.record.key), None)
        elif isinstance(said, messages.Results):
            for result in said.results:
                record = self._records.get((agent, not up, result.number))
                if record is not None:
                    self._hear(agent, up, record, result)

    def _hear(self, agent: str, up: bool, record: Record, result: Result) -> None:
        if result.outcome is Outcome.UNREADABLE:
            return  # It comes again: nobody has refused anything.
        key, final = record.key, result.outcome is Outcome.REJECTED
        answered = final and key.kind is Kind.INTENT and key.verb == Verb.SYNC  # In its operationState.
        passing = not final and refusals.is_passing(result.reason)
        if result.outcome is Outcome.APPLIED or answered or passing:
            self._nacks.pop((agent, up, key), None)
            return
        before = self._nacks.get((agent, up, key))
        if before is None or (before.reason, before.final) != (result.reason, final):
            starts = self._fleet.programs[self._teller(agent, up)].starts
            calm = before.calm if before is not None and not final else 0
            self._nacks[agent, up, key] = _Nack(result.reason, final, record.tombstone, starts, calm)

    def on_event(self, program: str, event: Event) -> None:
        """A program has told something: what a link that has ended carried will be said anew on the next.

        What was under way to the agent may still reach it when its principal has given the link up.
        """
        ended = program == PRINCIPAL and event.name == "link-down"
        if ended or (program == event.agent and event.name == "link-up"):
            self._nacks = {place: nack for place, nack in self._nacks.items() if place[0] != event.agent}

    # What is seen

    def sample(self) -> None:
        """A second has passed."""
        for (agent, up, key), nack in list(self._nacks.items()):
            teller = self._teller(agent, up)
            if self._fleet.programs[teller].starts != nack.starts:
                del self._nacks[agent, up, key]
                continue
            nack.calm = nack.calm + 1 if self._is_calm(teller) else 0
            nack.disturbed = nack.disturbed or not nack.calm
            limit = SOON + (0 if nack.final else int(refusals.PATIENCE)) + 1
            if nack.disturbed and (nack.buries or key.kind is Kind.APP_PROJECT):
                limit += int(happenings.RETRY[1])  # An Event that could not be written is not hurried.
            if nack.calm > limit and not nack.told and not self._is_seen(agent, up, key, nack):
                nack.told = True
                self._ledger.say(f"I12: {agent}: {key} is refused, and nothing says so: {nack.reason}")

    def seen(self, agent: str) -> int:
        """How many refusals stand on this agent's link and are seen."""
        standing = ((key, up, nack) for (whose, up, key), nack in self._nacks.items() if whose == agent)
        return sum(self._is_seen(agent, up, key, nack) for key, up, nack in standing)

    def unsettled(self) -> Iterator[str]:
        """What is said although nothing is wrong."""
        for spoke in self._fleet.spokes.values():
            refused = {
                key.name for agent, _, key in self._nacks if agent == spoke.name or not spoke.app_namespaces
            }
            for server, namespace in ((self._fleet.hub, spoke.name), (spoke.server, spoke.app_namespaces)):
                for item in server.list(APPLICATIONS, namespace).items:
                    said = conditions.said(item.value.get("status") or {})
                    if said and item.name not in refused:
                        yield f"I12: {spoke.name}: {item.name} says what is over: {said}"

    def _is_calm(self, program: str) -> bool:
        """Does it run, and can nothing go wrong between it and its API server?"""
        fleet = self._fleet
        troubled = fleet.clients[program].faulty or fleet.hindrance_of(program).hinders
        return fleet.programs[program].instance is not None and not troubled

    def _teller(self, agent: str, up: bool) -> str:
        """Who shows what was refused on this agent's link by a result that has travelled up, or down."""
        spoke = self._fleet.spokes[agent]
        return PRINCIPAL if up or not spoke.mapping.autonomous else agent

    def _is_seen(self, agent: str, up: bool, key: Key, nack: _Nack) -> bool:
        spoke = self._fleet.spokes[agent]
        at_hub = self._teller(agent, up) == PRINCIPAL
        server = self._fleet.hub if at_hub else spoke.server
        namespace, name = spoke.mapping.hub_name(key) if at_hub else (key.namespace, key.name)
        words = " ".join(nack.reason.split())[:_SAID]
        if key.kind is not Kind.APP_PROJECT:
            for item in server.list(APPLICATIONS, namespace).items:
                if item.name == name:
                    said = conditions.said(item.value.get("status") or {})
                    return words in said or len(said) >= refusals.MAX_MESSAGE
            if not nack.buries:
                return True  # It has gone meanwhile: what asks for that is on its way.
        return _is_announced(server, (namespace, NAMESPACE), name, words)


def _is_announced(server: ApiServer, namespaces: tuple[str, ...], name: str, words: str) -> bool:
    events = [event.value for each in namespaces for event in server.list(EVENTS, each).items]
    ours = [event["message"] for event in events if event.get("reason") == conditions.AGENT_ERROR]
    told = any(f" {name}: " in message and words in message for message in ours)
    return told or len(ours) >= happenings.BURST  # Too many for all to be told at once.
