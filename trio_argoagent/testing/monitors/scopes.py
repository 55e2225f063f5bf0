"""Who may write what: I11, and of I8 what is written."""

from __future__ import annotations

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.resources import APPLICATIONS, EVENTS
from trio_argoagent.sync import names, policy
from trio_argoagent.testing.fleet import NAMESPACE, Fleet, Spoke
from trio_argoagent.testing.monitors import reading
from trio_argoagent.testing.monitors.ledger import Ledger


class Scopes:
    """See the module."""

    def __init__(self, fleet: Fleet, ledger: Ledger) -> None:
        self._fleet, self._ledger = fleet, ledger

    def check_hub_write(self, kind: Kind | None, entry: LogEntry) -> None:
        """The principal has written on the hub."""
        spoke = self._fleet.spokes.get(entry.namespace)
        if kind is Kind.APPLICATION:
            found = reading.whose(self._fleet.spokes.values(), kind, entry)
            owned = all(not each.mapping.autonomous for each in found)
            if not found:
                self._ledger.violated("I8", entry, "it is no agent's")
            elif owned and reading.owned(entry.old) != reading.owned(entry.new):
                self._ledger.violated("I11", entry, "the hub owns it")
            return
        mirrors = [f"{each.name}-" for each in self._fleet.spokes.values() if each.mapping.autonomous]
        mine = kind is None or any(entry.name.startswith(prefix) for prefix in mirrors)
        if entry.namespace != NAMESPACE and not (entry.resource == EVENTS and spoke is not None):
            self._ledger.violated("I8", entry, "it is not in Argo CD's namespace")
        if not mine and reading.owned(entry.old) != reading.owned(entry.new):
            self._ledger.violated("I11", entry, "the hub owns it")

    def check_spoke_write(self, spoke: Spoke, kind: Kind | None, entry: LogEntry) -> None:
        """An agent has written on its spoke."""
        hers = spoke.mapping.agent_namespace, spoke.app_namespaces
        if entry.namespace not in hers and not (kind is Kind.APPLICATION and not spoke.app_namespaces):
            self._ledger.violated("I8", entry, "it is not in the agent's namespace")
        if spoke.mapping.autonomous:
            if kind is not None and reading.owned(entry.old) != reading.owned(entry.new):
                self._ledger.violated("I11", entry, "the spoke owns it")
        elif kind is not None and entry.old is not None and not reading.source_uid(entry.old):
            self._check_local(spoke, entry)

    def _check_local(self, spoke: Spoke, entry: LogEntry) -> None:
        """An object that is no copy of ours may be refreshed, or become one in that very write; no more."""
        taken = reading.source_uid(entry.new) and self._may_adopt(spoke, entry)
        if not taken and reading.owned(entry.old) != reading.owned(entry.new):
            self._ledger.violated("I11", entry, "it is a local object")

    @staticmethod
    def _may_adopt(spoke: Spoke, entry: LogEntry) -> bool:
        stamps = reading.annotations_of(entry.old)
        consents = policy.adoption(spoke.plan.policies, stamps) is policy.Adoption.ALWAYS
        return consents or entry.resource != APPLICATIONS or names.MARKER in stamps
