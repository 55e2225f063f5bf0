"""Who may say what when.

The agent opens and greets; the principal welcomes or refuses; then both talk freely until one says goodbye.
Each side keeps a ``Conversation`` and tells it everything that it sends and receives. Messages cross on the
way, so the two tables are not mirror images: whoever has said ``goodbye`` still hears what the peer said
before it knew.

    START ── hello ──▸ GREETED ── welcome ──▸ LIVE ── drain ──▸ DRAINING
                          │ refuse              └──┬── goodbye ──┘
                          ▾                        ▾
                        CLOSED ◂── goodbye ── LEAVING (we said it) or LEFT (the peer said it)
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.stream.protocol import messages as m


class Role(enum.StrEnum):
    """Which end of the link."""

    AGENT = "agent"
    PRINCIPAL = "principal"


class Direction(enum.StrEnum):
    """Which way a message goes, seen from the conversation's own side."""

    SENT = "sent"
    RECEIVED = "received"


class State(enum.Enum):
    """How far a conversation has come."""

    START = "start"
    """Nothing has been said."""
    GREETED = "greeted"
    """The agent has said hello."""
    LIVE = "live"
    """Welcome: both talk freely."""
    DRAINING = "draining"
    """The principal wants the agent on another connection: both go on until it has one."""
    LEAVING = "leaving"
    """We have said goodbye, the peer has not."""
    LEFT = "left"
    """The peer has said goodbye, we have not."""
    CLOSED = "closed"
    """All is said."""


_Cells = Mapping[tuple[Direction, type[m.Message]], State]

_ANSWERS: Final = (m.Results, m.Have, m.Held, m.Ping, m.Pong)
"""What follows from what was said before."""
_FREELY: Final = (m.RecordMessage, m.Part, m.Mark, m.Buckets, m.Leaf, m.View, *_ANSWERS)
"""What either side may say once it is welcome."""


def _all(direction: Direction, kinds: Iterable[type[m.Message]], then: State) -> _Cells:
    return {(direction, kind): then for kind in kinds}


_S, _R = Direction.SENT, Direction.RECEIVED

TRANSITIONS: Final[Mapping[tuple[Role, State], _Cells]] = {
    (Role.AGENT, State.START): {(_S, m.Hello): State.GREETED, (_R, m.Refuse): State.CLOSED},
    (Role.AGENT, State.GREETED): {(_R, m.Welcome): State.LIVE, (_R, m.Refuse): State.CLOSED},
    (Role.AGENT, State.LIVE): {
        **_all(_S, (*_FREELY, m.ClusterInfo, m.Trusted, m.Decline), State.LIVE),
        **_all(_R, (*_FREELY, m.Confirm, m.Authorities, m.Open), State.LIVE),
        (_R, m.Drain): State.DRAINING,
        (_S, m.Goodbye): State.LEAVING,
        (_R, m.Goodbye): State.LEFT,
    },
    (Role.AGENT, State.DRAINING): {
        **_all(_S, (*_FREELY, m.ClusterInfo, m.Trusted, m.Decline), State.DRAINING),
        **_all(_R, (*_FREELY, m.Confirm, m.Authorities), State.DRAINING),
        (_S, m.Goodbye): State.LEAVING,
        (_R, m.Goodbye): State.LEFT,
    },
    (Role.AGENT, State.LEAVING): {
        **_all(_R, (*_FREELY, m.Confirm, m.Authorities, m.Open, m.Drain), State.LEAVING),
        (_R, m.Goodbye): State.CLOSED,
    },
    (Role.AGENT, State.LEFT): {
        **_all(_S, (*_ANSWERS, m.Decline), State.LEFT),
        (_S, m.Goodbye): State.CLOSED,
    },
    (Role.AGENT, State.CLOSED): {},
    (Role.PRINCIPAL, State.START): {(_R, m.Hello): State.GREETED, (_S, m.Refuse): State.CLOSED},
    (Role.PRINCIPAL, State.GREETED): {(_S, m.Welcome): State.LIVE, (_S, m.Refuse): State.CLOSED},
    (Role.PRINCIPAL, State.LIVE): {
        # Confirmed is on the hub alone: whoever rules a spoke does not rule what the hub deletes.
        **_all(_S, (*_FREELY, m.Confirm, m.Authorities, m.Open), State.LIVE),
        **_all(_R, (*_FREELY, m.ClusterInfo, m.Trusted, m.Decline), State.LIVE),
        (_S, m.Drain): State.DRAINING,
        (_S, m.Goodbye): State.LEAVING,
        (_R, m.Goodbye): State.LEFT,
    },
    (Role.PRINCIPAL, State.DRAINING): {
        **_all(_S, (*_FREELY, m.Confirm, m.Authorities), State.DRAINING),
        **_all(_R, (*_FREELY, m.ClusterInfo, m.Trusted, m.Decline), State.DRAINING),
        (_S, m.Goodbye): State.LEAVING,
        (_R, m.Goodbye): State.LEFT,
    },
    (Role.PRINCIPAL, State.LEAVING): {
        **_all(_R, (*_FREELY, m.ClusterInfo, m.Trusted, m.Decline), State.LEAVING),
        (_R, m.Goodbye): State.CLOSED,
    },
    (Role.PRINCIPAL, State.LEFT): {
        **_all(_S, (*_ANSWERS, m.Confirm), State.LEFT),
        (_S, m.Goodbye): State.CLOSED,
    },
    (Role.PRINCIPAL, State.CLOSED): {},
}
"""The whole order of a conversation. What is not here is a protocol error."""


class Conversation:
    """One side's view of one link. A message out of order raises, and changes nothing.

    Args:
        role: which side this is.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self.state = State.START

    def may_send(self, kind: type[m.Message]) -> bool:
        """Would ``sent`` accept such a message now?"""
        return (Direction.SENT, kind) in TRANSITIONS[self.role, self.state]

    def sent(self, message: m.Message) -> State:
        """Note what is about to be sent; call it first. Returns the new state.

        Raises:
            LocalProtocolError: it must not be sent now.
        """
        return self._step(Direction.SENT, message, LocalProtocolError)

    def received(self, message: m.Message) -> State:
        """Note what has come. Returns the new state.

        Raises:
            RemoteProtocolError: the peer must not say this now.
        """
        return self._step(Direction.RECEIVED, message, RemoteProtocolError)

    def _step(
        self, direction: Direction, message: m.Message, error: type[LocalProtocolError | RemoteProtocolError]
    ) -> State:
        then = TRANSITIONS[self.role, self.state].get((direction, type(message)))
        if then is None:
            kind = type(message).__name__
            raise error(f"{self.role} in state {self.state.value}: {kind} must not be {direction} now")
        self.state = then
        return then
