"""What a session works with: both feeds as one side of a link sees them, and what is done about tunnels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs

from trio_argoagent.model.keys import Key
from trio_argoagent.model.records import Record, Result
from trio_argoagent.ports.transport import Link
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.replication.workers import Workers
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync.source import Ticket

Trust = messages.Trusted | messages.Authorities
"""What is said of authorities: the first by an agent, the second by a principal."""


@attrs.frozen
class Feeds:
    """The two feeds as one side of a link sees them.

    Attributes:
        outlet: of the feed that this side sends.
        workers: of the feed that this side receives.
        answered: called with each record that is answered for good, and its answer.
        inlet: checks and translates a record before it is taken; a RemoteProtocolError rejects the record.
        compared: called when it has become known what the replica holds of the feed that this side sends.
        heard: called with the key of each record that is answered, if only for now, and the answer.
        view: what the feed that this side sends is a view of, as of now; None: not said.
        viewed: told what the other side's feed is a view of, before any of its records.
        held: told which deletions the other side does not carry out.
        in_step: called once a link, when the other side is first known to hold all that it should.
        info: what this side's cluster holds, as of now, for people; None: not said.
        informed: told what the other side's cluster holds.
        trust: what this side has to say of authorities, as of now; None: nothing.
        entrusted: told what the other side says of them.
        foreign: told of each key of a kind that the other side may not send.
    """

    outlet: Outlet
    workers: Workers
    answered: Callable[[Ticket, Result], None]
    inlet: Callable[[Record], Record]
    compared: Callable[[], None] = lambda: None
    heard: Callable[[Key, Result], None] = lambda key, result: None
    view: Callable[[], messages.View | None] = lambda: None
    viewed: Callable[[messages.View], None] = lambda view: None
    held: Callable[[messages.Held], None] = lambda held: None
    in_step: Callable[[], None] = lambda: None
    info: Callable[[], messages.ClusterInfo | None] = lambda: None
    informed: Callable[[messages.ClusterInfo], None] = lambda info: None
    trust: Callable[[], Trust | None] = lambda: None
    entrusted: Callable[[Trust], None] = lambda trust: None
    foreign: Callable[[Key], None] = lambda key: None


class Tunnelling(Protocol):
    """What one side does about the tunnels of one link."""

    async def run(self, link: Link, wake: Callable[[], None]) -> None:
        """Live with the link, until cancelled; ``wake`` is called when there is something to say."""

    def next(self) -> messages.Open | messages.Decline | None:
        """The next thing to say, or None for now."""

    def hear(self, message: messages.Open | messages.Decline) -> None:
        """The other side has said this.

        Raises:
            RemoteProtocolError: it must not.
        """
