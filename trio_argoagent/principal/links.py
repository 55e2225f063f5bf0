"""The principal's links, each from its hello to its end: for how long they last, and how all of them stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent._version import __version__
from trio_argoagent.model.rulings import Auditor, Decision, about, unaudited
from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.transport import Link
from trio_argoagent.principal.agents import PATIENCE
from trio_argoagent.principal.door import Door, Refused, Seat
from trio_argoagent.principal.history import History
from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.rivals import RIVAL_RETRY
from trio_argoagent.principal.trust import Authorities
from trio_argoagent.principal.tunnels import LinkTunnels
from trio_argoagent.principal.turnstile import Place, Turnstile
from trio_argoagent.replication.feeds import Feeds, Trust
from trio_argoagent.replication.handover import Greeting, expect_hello
from trio_argoagent.replication.session import Session
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.runtime.endings import Endings
from trio_argoagent.stream.protocol import handshake, messages, negotiation
from trio_argoagent.stream.protocol.bases import Pool
from trio_argoagent.stream.protocol.messages import Goodbye, Reason

HANDSHAKE_TIMEOUT: Final = 10.0
"""Seconds from accepting a link to the agent's hello."""
STOP_TIMEOUT: Final = 5.0
"""Seconds that the agents have to find another principal when this one is to stop."""
MOVE_TIMEOUT: Final = 60.0
"""Seconds that an agent has to go on over another connection once its own is too old."""
STOPS: Final = Goodbye(Reason.SHUTDOWN, "the principal stops")
AGED: Final = Goodbye(Reason.SHUTDOWN, "the connection is older than the principal allows")
YOUNGEST: Final = 0.5
"""Share of the greatest age at which links begin to be replaced: those that began together end spread."""

LAST_WORDS: Final = 0.5
"""Seconds that whoever is out has to take our goodbye and to hang up."""
OUTCAST: Final = frozenset((Reason.REVOKED, Reason.UNKNOWN_AGENT, Reason.BANNED))
"""Who is told goodbye for these reasons keeps nothing of the connection."""
_DECISIONS: Final = {
    Reason.MODE: Decision.MODE_REFUSED,
    Reason.REVOKED: Decision.REVOKED,
    Reason.BANNED: Decision.BANNED,
}


class Links:
    """See the module.

    Args:
        config: of the principal.
        door: who is let in.
        history: what is remembered of links that have ended.
        authorities: what agents are told of them, and who hears what they answer.
        env: of the principal.
        report: told what happens: agent, name, text, level.
        audit: told who is let in and who is not.
    """

    def __init__(
        self,
        config: PrincipalConfig,
        door: Door,
        history: History,
        authorities: Authorities,
        env: Env,
        report: Callable[[str, str, str, str], None],
        audit: Auditor = unaudited,
    ) -> None:
        self._config, self._door, self._authorities = config, door, authorities
        self._history = history
        self._random, self._entropy = env.random, env.entropy
        self._instance, self._report, self._audit = env.new_id(), report, audit
        self._turnstile, self._pool = Turnstile(), Pool()
        self.endings = Endings()
        self.principal_uid = ""
        """This hub's uid, before anybody is served."""

    async def serve(self, link: Link) -> None:
        """One link, from its hello to its end."""
        name = link.peer.name
        greeting = Greeting(link, handshake.Role.PRINCIPAL)
        try:
            with trio.fail_after(HANDSHAKE_TIMEOUT):
                hello = expect_hello(await greeting.hear())
            peer = await self._door.admit(link, hello)
            await self._talk(greeting, peer, hello)
        except* Refused as group:
            for refusal in (exc for exc in errors.leaves(group) if isinstance(exc, Refused)):
                self.endings.refusals[refusal.answer.reason] += 1
                self._report(name, "link-refused", refusal.answer.detail, "warning")
                self._rule(link, refusal.answer)
                await self._refuse(greeting, refusal.answer)
        except* trio.TooSlowError as group:
            self.endings.failed(next(errors.leaves(group)))
            self._report(name, "link-broken", f"no hello within {HANDSHAKE_TIMEOUT:.0f} s", "warning")
        except* (errors.LinkError, errors.ProtocolError) as group:
            self._report(name, "link-broken", "; ".join(map(str, errors.leaves(group))), "warning")
            self.endings.failed(*errors.leaves(group))
            for exc in errors.leaves(group):
                if isinstance(exc, errors.RemoteProtocolError):
                    self._door.strike(link.peer, str(exc))

    def _rule(self, link: Link, answer: messages.Refuse) -> None:
        if answer.reason is not Reason.NOT_READY:  # It says nothing of who asks.
            decision = _DECISIONS.get(answer.reason, Decision.REFUSED)
            self._audit(about(link.peer, decision, "link", answer.detail))

    async def _refuse(self, greeting: Greeting, answer: messages.Refuse) -> None:
        name = greeting.link.peer.name
        try:
            greeting.say(answer)
            await greeting.link.close()
        except errors.LinkError as exc:
            # What is raised while a group is handled is seen by no other handler of it.
            self._report(name, "link-broken", str(exc), "warning")
        with trio.move_on_after(PATIENCE):
            await self._door.tell(name, answer)

    async def _talk(self, greeting: Greeting, peer: Peer, hello: messages.Hello) -> None:
        agent = peer.mapping.agent
        with self._history.link(agent) as past:
            with self._door.seated(agent, hello.instance) as seat, seat.scope:
                async with self._turnstile.place() as place:
                    await self._serve_seat(greeting, peer, hello, seat, place)
            past.why = seat.why or _said(seat)
        told = seat.session.goodbye if seat.session is not None else None
        self.endings.ended(seat.goodbye if seat.scope.cancelled_caught else told)
        if seat.scope.cancelled_caught:
            _part(greeting, seat.goodbye)
            if seat.goodbye.reason in OUTCAST:
                await _cut(greeting.link, seat.goodbye)

    async def _serve_seat(
        self, greeting: Greeting, peer: Peer, hello: messages.Hello, seat: Seat, place: Place
    ) -> None:
        try:
            # Told before anything can fail: each link-down has its link-up.
            text = f"{hello.mode} agent {hello.version} is connected"
            self._report(peer.mapping.agent, "link-up", text, "info")
            self._audit(about(greeting.link.peer, Decision.ADMITTED, "link", f"{hello.mode}"))
            terms = greeting.terms = self._terms(hello)
            hydrates = terms.has(negotiation.Capability.HYDRATE)
            peer.choose(self._config.selector, LabelSelector.parse(hello.selector), hydrates=hydrates)
            peer.link_is(greeting.link)
            able = terms.has(negotiation.Capability.TUNNEL)
            tunnels = seat.tunnels = peer.tunnels.on_link = LinkTunnels(greeting.link, able, self._entropy)
            greeting.say(self._welcome(peer, terms))
            feeds = self._with_trust(peer.mapping.agent, greeting.link, _leaving(place, peer.feeds()))
            seat.session = Session(greeting, feeds, self._config.keepalive, tunnels, self._pool)
            peer.holds.link_is(seat.session)
            await self._converse(seat, seat.session, place, hello.root)
        finally:
            peer.workers.core.link_down()
            peer.tunnels.on_link = None
            peer.holds.link_is(None)
            peer.link_is(None)
            self._authorities.link_down(peer.mapping.agent)
            self._report(peer.mapping.agent, "link-down", "the link has ended", "info")

    def _with_trust(self, agent: str, link: Link, feeds: Feeds) -> Feeds:
        """The same, and the agent is told of the hub's authorities."""
        authorities = self._authorities
        authorities.link_up(agent, link.peer.anchor)

        def entrusted(said: Trust) -> None:
            assert isinstance(said, messages.Trusted)  # The conversation lets nothing else through.
            authorities.hear(agent, said)

        return attrs.evolve(feeds, trust=lambda: authorities.said_to(agent), entrusted=entrusted)

    async def _converse(self, seat: Seat, session: Session, place: Place, root: bytes) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(place.expire)
            if self._config.max_link_age:
                nursery.start_soon(self._age, seat, session)
            await session.run(root)
            nursery.cancel_scope.cancel()

    async def _age(self, seat: Seat, session: Session) -> None:
        """Let the link be replaced before it is too old: certificates are looked at anew, and load moves."""
        oldest = self._config.max_link_age
        await trio.sleep(self._random.uniform(YOUNGEST * oldest, oldest))
        seat.drain()
        await trio.sleep(MOVE_TIMEOUT)
        seat.part(session, AGED)

    def _terms(self, hello: messages.Hello) -> negotiation.Terms:
        terms = negotiation.agree(hello, self._config.offer)
        assert isinstance(terms, negotiation.Terms)  # The door lets nobody else in.
        return terms

    def _welcome(self, peer: Peer, terms: negotiation.Terms) -> messages.Welcome:
        return messages.Welcome(
            protocol=terms.protocol,
            capabilities=negotiation.names(terms.capabilities),
            version=__version__,
            instance=self._instance,
            principal_uid=self.principal_uid,
            agent=peer.mapping.agent,
            root=peer.workers.core.link_up(),
            keepalive=self._config.keepalive,
        )

    def drain(self, agent: str = "") -> None:
        """Ask this agent (none named: every one) to go on over another connection."""
        for name, seat in self._door.seats.items():
            if agent in ("", name):
                seat.drain()

    async def stop(self) -> None:
        """Ask every agent to go on elsewhere; who has not within ``STOP_TIMEOUT`` is told goodbye."""
        self._door.close()
        self.drain()
        with trio.move_on_after(STOP_TIMEOUT):
            await self._door.wait_empty()
        for seat in self._door.seats.values():
            if seat.session is not None:
                seat.part(seat.session, STOPS)
            else:
                seat.leave(STOPS)
        await self._door.wait_empty()


def _leaving(place: Place, feeds: Feeds) -> Feeds:
    """The same, but the place is left once it is known what the agent holds."""

    def compared() -> None:
        place.leave()
        feeds.compared()

    return attrs.evolve(feeds, compared=compared)


async def _cut(link: Link, goodbye: Goodbye) -> None:
    """Let it hear why, and hang up; then the connection ends, whether it has or not."""
    try:
        with trio.move_on_after(LAST_WORDS):
            await link.close()
            while await link.receive():
                pass  # What it says now is heard by nobody.
    except (errors.LinkError, errors.ProtocolError):
        pass  # Gone: that is what was wanted.
    finally:
        link.cut(goodbye.detail)


def _said(seat: Seat) -> str:
    """Why the agent has ended its link; empty: it did not say."""
    goodbye = seat.session.goodbye if seat.session is not None else None
    return goodbye.detail or str(goodbye.reason) if goodbye is not None else ""


def _part(greeting: Greeting, goodbye: Goodbye) -> None:
    """Say why a link was cut, as far as it had come."""
    may_say = greeting.conversation.may_send
    if may_say(Goodbye):
        greeting.say(goodbye)
    elif may_say(messages.Refuse):
        greeting.say(messages.Refuse(goodbye.reason, goodbye.detail, RIVAL_RETRY))
