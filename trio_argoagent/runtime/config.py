"""The values the two programs are started with. The command line and the environment only fill these in."""

from __future__ import annotations

import re
from typing import Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.selectors import EVERYTHING, LabelSelector
from trio_argoagent.stream.protocol.negotiation import OURS, Offer
from trio_argoagent.stream.protocol.vocabulary import MAX_SELECTOR
from trio_argoagent.sync import allowance
from trio_argoagent.sync.destinations import DestinationMapping
from trio_argoagent.sync.flow import DEFAULT, Budget
from trio_argoagent.sync.guard import Limits
from trio_argoagent.sync.mapping import NamespaceMapping, Style
from trio_argoagent.sync.patterns import NONE, Patterns
from trio_argoagent.sync.policy import DEFAULTS, NOTHING, Adoption, Local, Policies
from trio_argoagent.sync.scope import Scope
from trio_argoagent.sync.selection import Selection

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
        style: how the hub's Applications find it.
        allowed_namespaces: by destination, the spoke's namespaces that take part besides Argo CD's own.
        creates_namespaces: are those of them made that Applications need?
        selector: of the objects to replicate.
        ignores_unmanaged: are Applications of the spoke that the hub did not make left alone?
        budget: what of its statuses may be under way unanswered.
        offer: what it says that it can do on a link.
        tunnel_addresses: ``host:port`` each: where the principal may open a tunnel to, over TCP.
        keepalive: seconds of silence before it pings, where the principal names more; 0: as that says.
        patience: seconds in which the spoke must have shown what is essential; 0: it may take any time.

    Raises:
        UserError: two of these contradict each other.
    """

    namespace: str
    mode: Mode
    name: str = "agent"
    limits: Limits = attrs.field(factory=Limits)
    policies: Policies = DEFAULTS
    count_every: float = 0.0
    style: Style = Style.NAMESPACE
    allowed_namespaces: Patterns = NONE
    creates_namespaces: bool = False
    selector: LabelSelector = EVERYTHING
    ignores_unmanaged: bool = False
    budget: Budget = DEFAULT
    offer: Offer = OURS
    tunnel_addresses: tuple[str, ...] = ()
    keepalive: float = 0.0
    patience: float = 0.0

    def __attrs_post_init__(self) -> None:
        if self.mode is Mode.AUTONOMOUS and self.style is Style.DESTINATION:
            raise UserError(
                "--destination-based-mapping: an autonomous agent has none: it is for managed ones"
            )
        if self.creates_namespaces and self.style is not Style.DESTINATION:
            raise UserError("--create-namespace: needs --destination-based-mapping on both sides")
        if self.ignores_unmanaged and self.mode is Mode.AUTONOMOUS:
            raise UserError("--ignore-unmanaged-apps: an autonomous agent's own Applications are all it has")
        _check_selector(self.selector)

    @property
    def scope(self) -> Scope:
        """What of the spoke counts."""
        chosen = Selection((self.selector,))
        return Scope(self.namespace, self.style, self.allowed_namespaces, self.creates_namespaces, chosen)

    def silence(self, told: float) -> float:
        """Seconds of silence before it pings.

        Args:
            told: by the principal.
        """
        return min(told, self.keepalive or told)

    @property
    def effective_policies(self) -> Policies:
        """An Application that is left alone is not adopted either."""
        return (
            attrs.evolve(self.policies, adoption=Adoption.NEVER) if self.ignores_unmanaged else self.policies
        )


def _check_selector(selector: LabelSelector) -> None:
    if len(selector.text) > MAX_SELECTOR:
        raise UserError(f"--label-selector: must have at most {MAX_SELECTOR} characters")


@attrs.frozen
class NamespaceCreation:
    """Which hub namespaces are made for autonomous agents.

    Attributes:
        pattern: a regular expression that is found in the name; empty: any name.
        labels: that they get.
    """

    pattern: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    def allows(self, namespace: str) -> bool:
        """May this one be made?"""
        return re.search(self.pattern, namespace) is not None


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
        max_link_age: seconds after which an agent is asked for another connection, half of it at the least;
            0: never.
        hub_writes: a second, on behalf of one agent; 0: as many as its share allows.
        max_agent_objects: that one agent may make the hub hold; 0: any number.
        style: how it is known which managed agent an Application is for.
        allowed_namespaces: of the hub's Applications. By destination, those that take part besides Argo CD's
            own; by namespace, those that may be an agent's (None: whichever the hub names).
        selector: of the hub's own objects, those to replicate.
        creation: hub namespaces that are made for autonomous agents; None: a person makes them.
        offer: what it can do on a link.

    Raises:
        UserError: a value cannot be used.
    """

    namespace: str
    keepalive: float = KEEPALIVE
    limits: Limits = attrs.field(factory=Limits)
    local: Local = NOTHING
    registration: SelfRegistration | None = None
    intent_expiry: float = 0.0
    max_link_age: float = 0.0
    hub_writes: float = 0.0
    max_agent_objects: int = allowance.DEFAULT
    style: Style = Style.NAMESPACE
    allowed_namespaces: Patterns | None = None
    selector: LabelSelector = EVERYTHING
    creation: NamespaceCreation | None = None
    offer: Offer = OURS

    def __attrs_post_init__(self) -> None:
        _check_selector(self.selector)

    def style_of(self, mode: Mode) -> Style:
        """How Applications find agents of that mode: autonomous ones mirror into a namespace in any case."""
        return self.style if mode is Mode.MANAGED else Style.NAMESPACE

    def mapping(
        self, agent: str, mode: Mode, agent_namespace: str, hub_namespace: str = ""
    ) -> NamespaceMapping:
        """Between the hub and one agent.

        Args:
            agent: its name.
            mode: who owns the specs.
            agent_namespace: Argo CD's on its spoke.
            hub_namespace: where the hub says that its Applications are; empty: where its name says.
        """
        between = (agent, agent_namespace, self.namespace, mode is Mode.AUTONOMOUS, hub_namespace)
        if self.style_of(mode) is Style.NAMESPACE:
            return NamespaceMapping(*between)
        return DestinationMapping(*between, allowed=self.allowed_namespaces or NONE)
