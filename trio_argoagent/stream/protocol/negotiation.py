"""What two sides of a link agree on: one version of the protocol, and what both can do beyond it.

Each side makes an ``Offer``; the agent's travels in its hello. The principal chooses, and its welcome says
what. Versions are never compared for equality: whoever speaks N also speaks the two before it, so that either
side of a fleet may be upgraded first, and one agent at a time. A capability counts where both have it; one
that we do not know, and one that is missing, never ends a link.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.stream.protocol import messages as m

NEWEST: Final = 1
"""The newest version of the protocol that this software speaks."""
OLDER: Final = 2
"""How many versions before its newest one a program still speaks."""


class Capability(enum.StrEnum):
    """What a side can do beyond the version of the protocol. The value is its name in hello and welcome."""

    ZSTD = "zstd"
    """Reads bodies that are compressed."""
    PREFIX = "prefix"
    """Reads bodies that are compressed against an earlier one of the same key."""
    PARTS = "parts"
    """Reads bodies that come in parts."""
    TUNNEL = "tunnel"
    """Opens and serves tunnels beside the link."""
    HYDRATE = "hydrate"
    """Knows requests for a hydration: the verb of an Intent that the first agents had no word for."""


def spoken(newest: int) -> tuple[int, int]:
    """The oldest and the newest version that a program speaks whose newest one is this."""
    return max(1, newest - OLDER), newest


@attrs.frozen
class Offer:
    """What one side can do.

    Attributes:
        protocols: the oldest and the newest version of the protocol that it speaks.
        capabilities: what it can do beyond that.
    """

    protocols: tuple[int, int] = spoken(NEWEST)
    capabilities: tuple[Capability, ...] = ()

    def without(self, *capabilities: Capability) -> Offer:
        """The same, but for these."""
        return attrs.evolve(self, capabilities=tuple(c for c in self.capabilities if c not in capabilities))


OURS: Final = Offer(capabilities=tuple(Capability))
"""All that this software can do."""


@attrs.frozen
class Terms:
    """What both sides of one link have agreed on.

    Attributes:
        protocol: the version that they speak.
        capabilities: what both can do, in the order of ``Capability``.
    """

    protocol: int = 1
    capabilities: tuple[Capability, ...] = ()

    def has(self, capability: Capability) -> bool:
        """Can both do this?"""
        return capability in self.capabilities


def agree(hello: m.Hello, ours: Offer) -> Terms | m.Refuse:
    """The principal's choice: the newest version that both speak and all that both can do; or its refusal."""
    oldest, newest = max(hello.protocols[0], ours.protocols[0]), min(hello.protocols[1], ours.protocols[1])
    if oldest <= newest:
        return Terms(newest, _common(hello.capabilities, ours))
    older = "agent" if hello.protocols[1] < ours.protocols[0] else "principal"
    text = f"the agent speaks protocol {_span(hello.protocols)}, the principal {_span(ours.protocols)}"
    return m.Refuse(m.Reason.VERSION, f"{text}: upgrade the {older}")


def accept(welcome: m.Welcome, ours: Offer) -> Terms:
    """What the principal has chosen of our offer.

    Raises:
        RemoteProtocolError: a version that we have not offered.
    """
    oldest, newest = ours.protocols
    if not oldest <= welcome.protocol <= newest:
        chosen = f"protocol {welcome.protocol}"
        raise RemoteProtocolError(f"the principal chose {chosen}, we offered {_span(ours.protocols)}")
    return Terms(welcome.protocol, _common(welcome.capabilities, ours))


def names(capabilities: Iterable[Capability]) -> tuple[str, ...]:
    """As hello and welcome say them."""
    return tuple(capability.value for capability in capabilities)


def _common(theirs: Sequence[str], ours: Offer) -> tuple[Capability, ...]:
    return tuple(each for each in Capability if each in ours.capabilities and each.value in theirs)


def _span(versions: tuple[int, int]) -> str:
    oldest, newest = versions
    return str(oldest) if oldest == newest else f"{oldest} to {newest}"
