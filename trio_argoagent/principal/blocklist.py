"""What the hub's blocklist says: decisions only.

It is a ConfigMap. Each key is the SHA-256 fingerprint of a certificate that counts no more, as argocd-agent
has it; or ``agent.`` and an agent's name, and then none of its certificates counts that was issued until the
moment in the value, nor whatever does not say when it was issued. Without a moment there none does, however
new it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import attrs

from trio_argoagent.model.fingerprints import is_fingerprint
from trio_argoagent.model.identity import Peer, is_dns_label
from trio_argoagent.principal.tokens import moment

AGENT: Final = "agent."
"""What the key of an agent begins with; argocd-agent passes over such keys."""
_NOBODY: Final[Mapping[str, float]] = {}


@attrs.frozen
class Blocklist:
    """See the module.

    Attributes:
        fingerprints: of certificates that count no more.
        agents: by name, until when what counts no more of an agent was issued (Unix time).
        unusable: the keys that block nothing, in order.
    """

    fingerprints: frozenset[str] = frozenset()
    agents: Mapping[str, float] = _NOBODY
    unusable: tuple[str, ...] = ()

    def names(self, peer: Peer) -> bool:
        """Is this one blocked?"""
        if peer.fingerprint in self.fingerprints:
            return True
        until = self.agents.get(peer.name)
        return until is not None and peer.issued <= until


NOTHING: Final = Blocklist()


def read_blocklist(data: Mapping[str, Any]) -> Blocklist:
    """What the ConfigMap's ``data`` says, whatever people have written into it."""
    names = {str(key).upper() for key in data}
    agents = {
        key.removeprefix(AGENT): _until(str(value)) for key, value in data.items() if agent_of(str(key))
    }
    unusable = sorted(key for key in map(str, data) if not is_fingerprint(key.upper()) and not agent_of(key))
    return Blocklist(frozenset(filter(is_fingerprint, names)), agents, tuple(unusable))


def agent_of(key: str) -> str:
    """The agent that a key names; empty: none."""
    name = key.removeprefix(AGENT)
    return name if name != key and is_dns_label(name) else ""


def _until(value: str) -> float:
    try:
        return moment(value.partition(" ")[0])
    except ValueError:
        return math.inf
