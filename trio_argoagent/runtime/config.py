"""The values the two programs are started with. The command line and the environment only fill these in."""

from __future__ import annotations

from typing import Final

import attrs

from trio_argoagent.model.identity import Mode
from trio_argoagent.sync.guard import Limits
from trio_argoagent.sync.policy import DEFAULTS, NOTHING, Local, Policies

KEEPALIVE: Final = 30.0
"""Seconds between marks, and of silence before a ping; two such intervals of silence end a link."""
PROXY: Final = "argocd-agent-resource-proxy:9090"
"""Where Argo CD's server reaches the spokes by default: the Service of argocd-agent's resource proxy."""


@attrs.frozen
class AgentConfig:
    """An agent.

    Attributes:
        namespace: Argo CD's namespace on the spoke.
        mode: which side owns the specs.
        name: for logs until the principal has told it; the certificate decides.
        limits: which deletions that the hub asks for pass by themselves.
        policies: for spoke objects that are not, or no longer, the copies that the hub wants.
        count_every: seconds between two looks at what the hub shall know of this cluster's size; 0: it is
            not told.
    """

    namespace: str
    mode: Mode
    name: str = "agent"
    limits: Limits = attrs.field(factory=Limits)
    policies: Policies = DEFAULTS
    count_every: float = 0.0


@attrs.frozen
class SelfRegistration:
    """How an agent that the hub does not know gets its Argo CD cluster secret.

    Attributes:
        address: ``host:port`` of the resource proxy, by which Argo CD's server reaches the spokes.
        client_secret: a secret of Argo CD's namespace with what it shows there (``tls.crt``, ``tls.key``,
            ``ca.crt``); empty: nothing.
    """

    address: str
    client_secret: str = ""


@attrs.frozen
class PrincipalConfig:
    """A principal.

    Attributes:
        namespace: Argo CD's namespace on the hub.
        keepalive: seconds, told to the agents.
        limits: which deletions that an autonomous agent reports pass by themselves.
        local: what of the metadata belongs to the hub.
        registration: how an agent without a cluster secret gets one; None: it is refused.
        intent_expiry: seconds in which a sync must be started on its spoke; 0: it may wait for ever.
    """

    namespace: str
    keepalive: float = KEEPALIVE
    limits: Limits = attrs.field(factory=Limits)
    local: Local = NOTHING
    registration: SelfRegistration | None = None
    intent_expiry: float = 0.0
