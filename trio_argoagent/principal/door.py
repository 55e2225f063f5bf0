"""The principal's door: who is let in, who is refused, and which of two processes of one agent stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import attrs
import trio
from msgspec import structs

from trio_argoagent.model import identity
from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.ports.transport import Link
from trio_argoagent.principal import clusters, rivals
from trio_argoagent.principal.agents import Agents
from trio_argoagent.principal.gatekeeper import Gatekeeper
from trio_argoagent.principal.hub import Hub
from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.presence import Live
from trio_argoagent.principal.rivals import Rivalry
from trio_argoagent.principal.tunnels import LinkTunnels
from trio_argoagent.replication.happenings import Happenings, Involved
from trio_argoagent.replication.session import Session
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.stream.protocol import messages, negotiation
from trio_argoagent.stream.protocol.messages import Goodbye, Reason, Refuse
from trio_argoagent.sync.mapping import Style

REPLACED: Final = Goodbye(Reason.REPLACED, "another process with this agent's certificate has taken over")
STOPPING: Final = Refuse(Reason.NOT_READY, "this principal stops: dial again", 1.0)
_SHOWN: Final = {Reason.SELECTOR: "its --label-selector is none: the agent's log says why"}
"""What an Event says instead of a text that repeats what the agent has said."""
LONG: Final = 60.0
"""Seconds after which one may ask again whom a person has to help first."""


class Refused(Exception):
    """This agent is not let in; says what it is told."""

    def __init__(self, answer: Refuse) -> None:
        super().__init__(answer.detail)
        self.answer = answer


@attrs.define(eq=False)
class Seat:
    """The one place of an agent, taken by a link.

    Attributes:
        instance: the agent's process, as it calls itself.
        since: when it came (Unix time).
        scope: of the link.
        ended: set when nothing of the link is left.
        goodbye: what it is told when its place is taken.
        why: it was asked to leave, or made to; empty: nobody did.
        session: once it has been welcomed.
        tunnels: of its link, likewise.
    """

    instance: str
    since: float
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    ended: trio.Event = attrs.field(factory=trio.Event)
    goodbye: Goodbye = REPLACED
    why: str = ""
    session: Session | None = None
    tunnels: LinkTunnels | None = None

    async def lives(self) -> bool:
        """Is there still somebody at the other end?"""
        return self.session is not None and await self.session.lives(rivals.PROBE)

    def drain(self) -> None:
        """Ask the agent to go on over another connection, if it has been welcomed."""
        if self.session is not None and self.tunnels is not None:
            self.tunnels.retire()
            self.session.drain()

    def leave(self, goodbye: Goodbye | None = None) -> None:
        """End this link, with that goodbye."""
        self.goodbye = goodbye or self.goodbye
        self.why = self.goodbye.detail
        self.scope.cancel()

    def part(self, session: Session, goodbye: Goodbye) -> None:
        """End the session in order, with that goodbye."""
        self.why = goodbye.detail
        session.leave(goodbye)


class Door:
    """See the module.

    Args:
        hub: where refusals are told of.
        config: of the principal.
        agents: who there is.
        gatekeeper: who stays outside, whatever he says.
        report: told what happens: agent, name, text, level.
    """

    def __init__(
        self,
        hub: Hub,
        config: PrincipalConfig,
        agents: Agents,
        gatekeeper: Gatekeeper,
        report: Callable[[str, str, str, str], None],
    ) -> None:
        self._hub, self._config, self._agents, self._report = hub, config, agents, report
        self._gatekeeper = gatekeeper
        self._seats: dict[str, Seat] = {}
        self._rivalries: dict[str, Rivalry] = {}
        self._told = Happenings(hub.cluster, hub.env, _itself)
        self._closed = False

    def part(self, name: str, goodbye: Goodbye) -> None:
        """This agent is forgotten: its link ends."""
        self._rivalries.pop(name, None)
        if name in self._seats:
            self._seats[name].leave(goodbye)

    def strike(self, who: identity.Peer, why: str) -> None:
        """Whoever has this link has broken the protocol."""
        self._gatekeeper.strike(who, why)

    def close(self) -> None:
        """Let nobody in any more."""
        self._closed = True

    @property
    def seats(self) -> Mapping[str, Seat]:
        """The places that are taken now, by agent."""
        return dict(self._seats)

    def wake(self) -> None:
        """What all agents are to be told may have changed."""
        for seat in self._seats.values():
            if seat.session is not None:
                seat.session.wake()

    async def wait_empty(self) -> None:
        """Return when none is taken."""
        while self._seats:
            await next(iter(self._seats.values())).ended.wait()

    def is_contested(self, name: str) -> bool:
        """Do two processes of this agent fight for its place?"""
        return self._rivalries.get(name, Rivalry()).is_contested(trio.current_time())

    def live(self) -> dict[str, Live]:
        """Who is connected now."""
        return {name: Live(int(seat.since), self.is_contested(name)) for name, seat in self._seats.items()}

    async def admit(self, link: Link, hello: messages.Hello) -> Peer:
        """The peer of this agent; its place is free, and stays so until the caller's next checkpoint.

        Raises:
            Refused: it is not let in.
        """
        name = link.peer.name
        outside = self._gatekeeper.refusal
        refusal = outside(link.peer) or _unfit(name, self._config, hello) or self._unhoused(name, hello)
        pin = clusters.Pin(hello.mode, hello.namespace, hello.cluster_uid)
        while refusal is None:
            # Something may have come up against it while the hub took note, or its predecessor left.
            refusal = await self._agents.admit(link.peer, pin) or outside(link.peer)
            seat = self._seats.get(name)
            if refusal is not None:
                break
            if self._closed:
                refusal = STOPPING
            elif seat is None:
                return self._agents.peers[name]
            else:
                refusal = await self._claim(name, seat, hello.instance)
        raise Refused(refusal)

    def _unhoused(self, name: str, hello: messages.Hello) -> Refuse | None:
        """May this agent have the hub namespace that is its own?"""
        config, entry = self._config, self._agents.entry(name)
        if config.allowed_namespaces is None or config.style_of(hello.mode) is Style.DESTINATION:
            return None
        home = entry.home if entry is not None else name
        if config.allowed_namespaces.match(home):
            return None
        text = f"hub namespace {home} is not among the principal's --allowed-namespaces"
        return Refuse(Reason.MAPPING, text, LONG)

    async def _claim(self, name: str, seat: Seat, instance: str) -> Refuse | None:
        """Ask for a place that is taken; why it stays taken, if so.

        The newest wins: a rolling update must not deadlock. The old nursery exits first.
        """
        if seat.instance != instance:
            now = trio.current_time()
            rivalry = self._rivalries[name] = self._rivalries.get(name, Rivalry()).claimed(now)
            if rivalry.is_contested(now) and await seat.lives():
                text = f"two processes have the certificate of {name}, and take turns: stop one of them"
                self._report(name, "agent-contested", text, "error")
                return Refuse(Reason.DUPLICATE, text, rivals.RIVAL_RETRY)
        if self._seats.get(name) is seat:
            self._report(name, "link-replaced", "a newer link takes over", "warning")
            seat.leave()
            await seat.ended.wait()
        return None

    @contextmanager
    def seated(self, name: str, instance: str) -> Iterator[Seat]:
        """A link takes the free place of this agent, and leaves it."""
        seat = self._seats[name] = Seat(instance, self._hub.env.now())
        try:
            yield seat
        finally:
            del self._seats[name]
            seat.ended.set()

    async def tell(self, name: str, answer: Refuse) -> None:
        """Let the hub's people know that this agent is refused: an Event on its cluster secret."""
        if answer.reason is Reason.NOT_READY:
            return
        about = clusters.involved(self._agents.entry(name), name, self._hub.namespace)
        text = _SHOWN.get(answer.reason, answer.detail)
        await self._told.say(about, f"agent {name} was not let in: {text}")


async def _itself(about: Involved) -> Involved:
    return about


def _unfit(name: str, config: PrincipalConfig, hello: messages.Hello) -> Refuse | None:
    """Why nobody who says this can be let in."""
    terms = negotiation.agree(hello, config.offer)
    if isinstance(terms, Refuse):
        return structs.replace(terms, retry_after=LONG)
    if not is_dns_label(name) or name == config.namespace:
        detail = f"{name!r} cannot be an agent's name: use a DNS label other than the hub's own namespace"
        return Refuse(Reason.IDENTITY, detail, LONG)
    style = config.style_of(hello.mode)
    if hello.mapping != style:
        theirs = hello.mapping if hello.mapping in tuple(Style) else "something that is unknown here"
        detail = f"the agent maps by {theirs}, the principal by {style}"
        return Refuse(Reason.MAPPING, f"{detail}: give both --destination-based-mapping, or neither", LONG)
    try:
        LabelSelector.parse(hello.selector)
    except ValueError as exc:
        return Refuse(Reason.SELECTOR, f"its --label-selector: {exc}", LONG)
    return None
