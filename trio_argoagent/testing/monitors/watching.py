"""Watches a fleet: hands each write, frame and event to the monitors that judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial

from trio_argoagent.apiserver.core.values import LogEntry, Verb
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.rulings import Decision
from trio_argoagent.testing.fleet import PRINCIPAL, PRODUCT, Fleet, Spoke
from trio_argoagent.testing.monitors import reading
from trio_argoagent.testing.monitors.blast_radius import BlastRadius
from trio_argoagent.testing.monitors.copies import Copies
from trio_argoagent.testing.monitors.counters import Counters
from trio_argoagent.testing.monitors.credentials import Credentials
from trio_argoagent.testing.monitors.intents import Intents
from trio_argoagent.testing.monitors.ledger import Ledger
from trio_argoagent.testing.monitors.links import Links
from trio_argoagent.testing.monitors.scopes import Scopes
from trio_argoagent.testing.monitors.statuses import Statuses
from trio_argoagent.testing.monitors.visible import Visible


class Monitors:
    """Watches a fleet from now on; ``check`` it in the end.

    Args:
        fleet: before its programs have been started.
        attach: False: watch nothing.
    """

    def __init__(self, fleet: Fleet, *, attach: bool = True) -> None:
        self.writes = 0
        """How many writes the product has made."""
        self._fleet, self._ledger = fleet, Ledger()
        self._links = Links(fleet, self._ledger)
        self._scopes = Scopes(fleet, self._ledger)
        self._copies = Copies(fleet, self._ledger, self._links.made)
        self._radius = BlastRadius(fleet, self._ledger)
        self._credentials = Credentials(fleet, self._ledger)
        self._statuses = Statuses(self._ledger)
        self._intents = Intents(fleet, self._ledger)
        self._visible = Visible(fleet, self._ledger)
        self._counters = Counters(fleet, self._ledger, self._visible.seen)
        if attach:
            self._attach(fleet)

    @property
    def violations(self) -> list[str]:
        """What was violated as it happened, a line each; ``found`` also looks at what has become of it."""
        return self._ledger.violations

    @property
    def intents(self) -> dict[str, int]:
        """How often each was started, on all copies together."""
        return self._intents.starts

    @property
    def widest(self) -> int:
        """The most objects that the product deleted within ten minutes, for whatever reason."""
        return self._copies.widest

    @property
    def doubled(self) -> Counter[str]:
        """Agents of which two processes run or ran (no I2, I3, I3b, I13; L1 and W1 hold all the same).

        Nothing fences the elder yet: it may bring back what it knows until it learns of its successor.
        """
        return self._ledger.doubled

    @doubled.setter
    def doubled(self, doubled: Counter[str]) -> None:
        self._ledger.doubled = doubled

    def _attach(self, fleet: Fleet) -> None:
        for entry in fleet.hub.log:
            self._on_hub(entry)
        fleet.hub.subscribe(self._on_hub)
        for spoke in fleet.spokes.values():
            for entry in spoke.server.log:
                self._on_spoke(spoke, entry)
            spoke.server.subscribe(partial(self._on_spoke, spoke))
        fleet.observers += [self._links.on_event, self._visible.on_event]
        fleet.network.on_frame = self._links.on_frame
        fleet.network.on_arrival = self._visible.on_arrival

    def found(self) -> list[str]:
        """What was violated so far, one line each."""
        later = (self._intents.double_starts(), self._copies.wrong_prunes(), self._misjudged())
        return [*self.violations, *(line for each in later for line in each)]

    def _misjudged(self) -> Iterator[str]:
        """All these agents are honest, whatever befalls them."""
        for at, ruling in self._fleet.rulings:
            if ruling.decision in (Decision.STRUCK, Decision.BANNED):
                yield f"{at:.3f} s: I15: {ruling.agent} was {ruling.decision}: {ruling.reason}"

    def check(self) -> None:
        """Say what was violated, if anything was.

        Raises:
            AssertionError: something was.
        """
        found = self.found()
        if found:
            raise AssertionError(f"seed {self._fleet.seed}:\n  " + "\n  ".join(found))

    def sample(self) -> None:
        """A second has passed: look at what must add up at any time, and at what must be seen by now."""
        self._counters.sample()
        self._visible.sample()

    def unsettled(self) -> Iterator[str]:
        """What is not at rest although it should be: nothing changes, and everything works."""
        yield from self._counters.unsettled()
        yield from self._visible.unsettled()

    def _on_hub(self, entry: LogEntry) -> None:
        kind = reading.KINDS.get(entry.resource)
        self.writes += entry.actor in PRODUCT
        self._radius.on_hub(entry)
        self._credentials.on_hub(entry)
        if entry.actor == PRINCIPAL:
            self._scopes.check_hub_write(kind, entry)
        if kind is None:
            return
        spokes: Iterable[Spoke] = self._fleet.spokes.values()
        if kind is Kind.APPLICATION:
            spokes = reading.whose(spokes, kind, entry)
        for spoke in spokes:
            if kind is Kind.APPLICATION:
                self._links.at_home(entry.subject.uid, spoke.name)
            if spoke.mapping.autonomous:
                mine = kind is Kind.APPLICATION or entry.name.startswith(f"{spoke.name}-")
                if entry.actor == PRINCIPAL and mine:
                    self._radius.on_copy(spoke, kind, entry)
                    self._copies.on_copy(spoke, kind, entry)
            else:
                self._copies.remember(spoke, kind, entry)
            if kind is Kind.APPLICATION:
                self._intents.check_request(entry)
                if entry.actor == PRINCIPAL:
                    self._statuses.on_hub(spoke, entry)
        if kind is Kind.APPLICATION and entry.actor == PRINCIPAL and entry.verb is Verb.DELETE:
            self._copies.check_release(entry)

    def _on_spoke(self, spoke: Spoke, entry: LogEntry) -> None:
        kind = reading.KINDS.get(entry.resource)
        self.writes += entry.actor in PRODUCT
        if entry.actor in PRODUCT:
            self._scopes.check_spoke_write(spoke, kind, entry)
            self._credentials.on_spoke(spoke, entry)
        if kind is None:
            return
        if spoke.mapping.autonomous:
            self._copies.remember(spoke, kind, entry)
        elif entry.actor in PRODUCT:
            self._radius.on_copy(spoke, kind, entry)
            self._copies.on_copy(spoke, kind, entry)
        if kind is Kind.APPLICATION:
            self._copies.follow(entry)
            self._statuses.on_spoke(spoke, entry)
            self._intents.check_start(entry)
