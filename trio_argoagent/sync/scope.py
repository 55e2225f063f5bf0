"""What of its spoke an agent looks at, and lets be written: namespaces, and the objects that are chosen."""

from __future__ import annotations

from typing import Final

import attrs

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.sync import kinds
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.patterns import NONE, Patterns
from trio_argoagent.sync.selection import WHOLE, Selection

FORBIDDEN: Final = "is not among the agent's --allowed-namespaces"
"""Part of the reason for what is refused because of its namespace."""


@attrs.frozen
class Scope:
    """See the module.

    Attributes:
        namespace: Argo CD's own on the spoke.
        style: how Applications find this agent. By namespace they all lie in Argo CD's own.
        allowed: by destination, the other namespaces of which Applications are counted and written.
        creates_namespaces: are namespaces that Applications need made, within these?
        selection: of the objects that are this cluster's own.
    """

    namespace: str
    style: Style = Style.NAMESPACE
    allowed: Patterns = NONE
    creates_namespaces: bool = False
    selection: Selection = WHOLE

    def watched(self, kind: Kind) -> str:
        """The namespace in which objects of a kind are looked for; empty: in all."""
        everywhere = self.style is Style.DESTINATION and not kinds.BASE[kind].shared
        return "" if everywhere else self.namespace

    def covers(self, namespace: str) -> bool:
        """Do objects of this namespace count?"""
        return namespace == self.namespace or (
            self.style is Style.DESTINATION and self.allowed.match(namespace)
        )

    def refusal(self, key: Key) -> str:
        """Why nothing may be written under this key; empty: it may."""
        return "" if self.covers(key.namespace) else f"namespace {key.namespace} {FORBIDDEN}"

    def may_create(self, namespace: str) -> bool:
        """May this namespace be made, if an Application needs it?"""
        return self.creates_namespaces and self.covers(namespace)
