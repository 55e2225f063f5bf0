"""What is said on the links, and whether it is so: I5, I6, and of I8 what travels."""

from __future__ import annotations

from msgspec import structs

from trio_argoagent.model.keys import Kind
from trio_argoagent.model.records import AS_ASKED, DRIFT, Holding, Outcome, Record, Result
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.sync import kinds
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet
from trio_argoagent.testing.monitors import reading
from trio_argoagent.testing.monitors.ledger import Ledger


class Links:
    """See the module."""

    def __init__(self, fleet: Fleet, ledger: Ledger) -> None:
        self._fleet, self._ledger = fleet, ledger
        self._sent: dict[tuple[str, bool, int], Record] = {}
        self._made: dict[tuple[str, str, str], None] = {}
        self._homes: dict[str, dict[str, None]] = {}
        self._live: dict[str, int] = {}

    def made(self, agent: str, uid: str, digest: str) -> None:
        """A write has made a copy hold this."""
        self._made[agent, uid, digest] = None

    def at_home(self, uid: str, agent: str) -> None:
        """An Application of the hub is, or was, this agent's."""
        self._homes.setdefault(uid, {})[agent] = None

    def on_frame(self, agent: str, up: bool, frame: bytes) -> None:
        """A frame was sent."""
        said = codec.decode(frame)
        if isinstance(said, messages.RecordMessage):
            self._sent[agent, up, said.number] = said.record
            self._check_scope(agent, up, said.record)
            self._note(agent, said.record)
        elif isinstance(said, messages.Results):
            for result in said.results:
                self._check_answer(agent, result, self._sent.get((agent, not up, result.number)))

    def _note(self, agent: str, record: Record) -> None:
        """Why a copy goes. The tombstone of an intent or a status is about no copy."""
        if kinds.BASE[record.key.kind].kind is not record.key.kind:
            return
        if record.evidence is not None:
            self._ledger.evidence[agent, record.uid] = record.evidence
        if record.tombstone and record.asof:
            self._ledger.withdrawn[agent, record.uid] = int(record.asof)

    def _check_scope(self, agent: str, up: bool, record: Record) -> None:
        key, homes = record.key, self._homes.get(record.uid, {})
        # A spoke's user may give a name that is too long for the hub: it is offered, and refused there.
        spoken_of = structs.replace(key, name="x") if up else key
        if not self._fleet.spokes[agent].mapping.in_scope(spoken_of):
            self._ledger.say(f"I8: {agent}: a record of {key}")
        if not up and key.kind is not Kind.INTENT and homes and agent not in homes:
            self._ledger.say(f"I8: {agent} is sent {key}, which is {', '.join(homes)}'s")

    def _check_answer(self, agent: str, result: Result, record: Record | None) -> None:
        if result.outcome is not Outcome.APPLIED or record is None or result.holding is None:
            return
        held = Holding(record.uid, record.digest) if result.holding == AS_ASKED else result.holding
        copied = record.key.kind in reading.KINDS.values() and held.digest != DRIFT
        if copied and (agent, held.uid, held.digest) not in self._made:
            self._ledger.say(f"I5: {agent}: {record.key} is said to be {held}, which no write has made it")

    def on_event(self, program: str, event: Event) -> None:
        """A program has told something."""
        if program != PRINCIPAL:
            return
        if event.name == "link-up":
            self._live[event.agent] = self._live.get(event.agent, 0) + 1
            if self._live[event.agent] > 1:
                self._ledger.say(f"I6: {event.agent} has two live links")
        elif event.name == "link-down":
            self._live[event.agent] -= 1
