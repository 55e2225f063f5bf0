"""The way to the principal: dial, greet, talk, and dial again; for ever.

A link is one cancel scope. When it ends, however it ends, nothing of it is left, and the next one starts from
what both sides hold. Where the principal asks for another connection it is made before the old one is left,
and only one of them at a time has a session.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from typing import Final

import attrs
import trio

from trio_argoagent._version import __version__
from trio_argoagent.agent.counting import Counting
from trio_argoagent.agent.mooring import Mooring
from trio_argoagent.agent.spoke import Spoke
from trio_argoagent.agent.targets import make_targets
from trio_argoagent.agent.trust import Trust
from trio_argoagent.agent.tunnels import Tunnels
from trio_argoagent.agent.views import Views
from trio_argoagent.errors import LinkError, LinkRefused, ProtocolError, Unreachable, leaves
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.transport import Dialer, Link, LinkStatistics
from trio_argoagent.replication import feeds
from trio_argoagent.replication.handover import Greeting
from trio_argoagent.replication.session import Session
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.runtime.endings import Endings
from trio_argoagent.runtime.freshness import Freshness, Mark
from trio_argoagent.runtime.redial import HEALTHY, Ended, Redial
from trio_argoagent.stream.protocol import handshake, messages, negotiation

HANDSHAKE_TIMEOUT: Final = 60.0
"""Seconds from hello to the principal's welcome: many may stand in line, and who gives up stands last."""
REPLACED_WAIT: Final = 60.0
"""Seconds before a process that was replaced dials again, so that two of them do not fight for ever."""
RENEWED_SPREAD: Final = 600.0
"""Seconds over which agents dial again when their TLS material is new: a CA is new for all at once."""
RENEWED_MARGIN: Final = 60.0
"""Seconds before the old certificate expires by which that has happened."""
KEEPALIVES: Final = (1.0, 300.0)
"""Seconds: whatever the principal says, silence is looked into within these bounds."""


class LinkState(enum.StrEnum):
    """Where the way to the principal is."""

    STARTING = "starting"
    DIALING = "dialing"
    LIVE = "live"
    WAITING = "waiting"


@attrs.frozen
class LinkStatus:
    """Where it is at one moment; for the attributes see ``Uplink``."""

    state: LinkState
    name: str
    since: float
    trouble: str


class Uplink:
    """See the module.

    Args:
        config: of the agent.
        spoke: its feeds.
        views: what it says of its cluster and remembers of the hub.
        counting: what is in its cluster.
        trust: which authorities the principal's certificate is taken from.
        dialer: opens links.
        env: time and randomness.
        report: told what happens: name, text, level.

    Attributes:
        freshness: the TLS material that links are made with; None: there is none to follow.
        since: when it has come up, or gone (Unix time).
        trouble: why the last one has ended, or why there was none; for people, empty: there was no other.
    """

    def __init__(
        self,
        config: AgentConfig,
        spoke: Spoke,
        views: Views,
        counting: Counting,
        trust: Trust,
        dialer: Dialer,
        env: Env,
        report: Callable[[str, str, str], None],
    ) -> None:
        self._config, self._spoke, self._views, self._dialer = config, spoke, views, dialer
        self._counting, self._trust = counting, trust
        self._targets = make_targets(config.tunnel_addresses)
        self._redial, self._random = Redial(), env.random
        self.freshness: Freshness | None = None
        self._now = env.now
        self._report = report
        self._instance = env.new_id()
        self._link: Link | None = None
        self._past = LinkStatistics()
        self._session: Session | None = None
        self._next: Mooring | None = None  # What the link that is up is to be left for.
        self._why = ""  # The same, for people.
        self.name = config.name
        self.state = LinkState.STARTING
        self.since = env.now()
        self.trouble = ""
        self.links = 0
        self.endings = Endings()

    async def run(self, cluster_uid: str) -> None:
        """Keep a link to the principal until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                self._turn(LinkState.DIALING)
                mooring, self._next = self._next or self._moor(nursery), None
                ended, told = await self._use(mooring, cluster_uid, nursery)
                if self._next is None:
                    self._turn(LinkState.WAITING)
                    await self._wait(ended, told)

    async def stop(self) -> None:
        """Say goodbye to the principal, if there is a link; what is under way is answered before."""
        if self._session is not None:
            self._session.leave(messages.Goodbye(messages.Reason.SHUTDOWN, "the agent stops"))
            await self._session.ended.wait()

    def _turn(self, state: LinkState) -> None:
        if LinkState.LIVE in (state, self.state):
            self.since = self._now()
        self.state = state

    def _ended(self, name: str, text: str, level: str) -> None:
        self.trouble = text
        self._report(name, text, level)

    def _moor(self, nursery: trio.Nursery) -> Mooring:
        mooring = Mooring(self.freshness.mark if self.freshness is not None else None)
        nursery.start_soon(mooring.hold, self._dialer)
        return mooring

    async def _wait(self, ended: Ended, told: float = 0.0) -> None:
        """Until it is time to dial again."""
        self._redial, wait = self._redial.ended(ended, trio.current_time(), told)
        await trio.sleep(wait.draw(self._random))

    async def _use(self, mooring: Mooring, cluster_uid: str, nursery: trio.Nursery) -> tuple[Ended, float]:
        """One link, from dialling to its end: what has come of it, and the wait that the principal wants."""
        ended, told, since = Ended.FAILED, 0.0, math.inf
        try:
            link = await mooring.link()
            with trio.fail_after(HANDSHAKE_TIMEOUT):
                greeting, welcome = await self._greet(link, cluster_uid)
            since = trio.current_time()
            told = await self._talk(greeting, welcome, nursery, mooring.mark)
        except* (LinkError, ProtocolError) as group:
            ended, told = self._failed(*leaves(group))
        except* trio.TooSlowError as group:
            self.endings.failed(next(leaves(group)))
            self._ended("link-broken", f"no welcome within {HANDSHAKE_TIMEOUT:.0f} s", "warning")
        finally:
            mooring.let_go()
            self._spoke.workers.core.link_down()
            if self._link is not None:
                self._past = self._past.plus(self._link.statistics())
                self._link = None
        if told:
            self._give_up_next()
            return Ended.TOLD, told
        return Ended.LASTED if trio.current_time() >= since + HEALTHY else ended, told

    def _failed(self, *causes: BaseException) -> tuple[Ended, float]:
        """Why there is no link (any more): a refusal decides what follows.

        All is told and counted: there may be a bug of ours among it.
        """
        refusals = [cause for cause in causes if isinstance(cause, LinkRefused)]
        others = [cause for cause in causes if not isinstance(cause, LinkRefused)]
        self.endings.failed(*causes)
        if others:
            self._ended("link-broken", "; ".join(map(str, others)), "warning")
        if refusals:
            self._ended("link-refused", "; ".join(map(str, refusals)), "error")
            told = max(refusal.retry_after for refusal in refusals)
            return (Ended.TOLD if told else Ended.FAILED), told
        nobody = all(isinstance(cause, Unreachable) for cause in others)
        return (Ended.NOBODY if nobody else Ended.FAILED), 0.0

    def _give_up_next(self) -> None:
        if self._next is not None:
            self._next.let_go()
            self._next = None

    async def _move(self, session: Session, nursery: trio.Nursery) -> None:
        """Have another link at hand before this one is left, once that is wanted."""
        since = trio.current_time()
        await session.drained.wait()
        self._report("link-moving", self._why, "info")
        # Uniform in the usual spread, for all agents may have been asked at once; but a link that is not to
        # last is as bad as one that breaks.
        ended, told = Ended.TOLD if trio.current_time() >= since + HEALTHY else Ended.FAILED, 0.0
        while True:
            await self._wait(ended, told)
            self._next = self._moor(nursery)
            try:
                await self._next.link()
            except (LinkError, ProtocolError) as exc:
                self._next = None
                ended, told = self._failed(exc)
            else:
                break
        session.leave(messages.Goodbye(messages.Reason.MOVED, "the agent goes on over another connection"))

    async def _greet(self, link: Link, cluster_uid: str) -> tuple[Greeting, messages.Welcome]:
        self._link = link
        greeting = Greeting(link, handshake.Role.AGENT)
        greeting.say(
            messages.Hello(
                protocols=self._config.offer.protocols,
                capabilities=negotiation.names(self._config.offer.capabilities),
                version=__version__,
                instance=self._instance,
                cluster_uid=cluster_uid,
                mode=self._config.mode,
                namespace=self._config.namespace,
                mapping=self._config.scope.style.value,
                selector=self._config.selector.text,
                incarnation=1,
                root=self._spoke.workers.core.link_up(),
            )
        )
        answer = await greeting.hear()
        if isinstance(answer, messages.Refuse):
            raise LinkRefused(answer.reason, answer.detail, answer.retry_after)
        assert isinstance(answer, messages.Welcome)  # The conversation lets nothing else through.
        greeting.terms = negotiation.accept(answer, self._config.offer)
        return greeting, answer

    async def _outlast(self, session: Session, mark: Mark, freshness: Freshness) -> None:
        """Want another link once the TLS material that this one was made with is the newest no more."""
        await freshness.wait_changed(mark)
        left = max(0.0, mark.not_after - RENEWED_MARGIN - self._now())
        await trio.sleep(min(left, self._random.uniform(0.0, RENEWED_SPREAD)))
        self._why = "our certificate, or the CA that we trust, is new: another connection has it"
        session.drained.set()

    async def _talk(
        self, greeting: Greeting, welcome: messages.Welcome, nursery: trio.Nursery, mark: Mark | None
    ) -> float:
        """The session, to its end; returns the seconds that the principal wants us to keep away."""
        self._why = "the principal asks for another connection"
        self.name = welcome.agent
        self._turn(LinkState.LIVE)
        self.links += 1
        self._spoke.principal_uid = welcome.principal_uid
        self._report("link-up", f"connected to the principal ({welcome.version})", "info")
        both = feeds.Feeds(
            outlet=self._spoke.outlet,
            workers=self._spoke.workers,
            answered=lambda ticket, result: None,
            inlet=self._spoke.inlet,
            compared=self._spoke.compared,
            heard=self._spoke.heard,
            view=self._views.view,
            viewed=self._views.viewed,
            held=self._views.held,
            in_step=lambda: self._report("in-step", "the hub shows what is here", "info"),
            info=self._counting.info,
            trust=self._trust.said,
            entrusted=self._entrusted,
        )
        self._views.link_up()
        self._trust.link_up()
        keepalive = min(max(self._config.silence(welcome.keepalive), KEEPALIVES[0]), KEEPALIVES[1])
        able = greeting.terms.has(negotiation.Capability.TUNNEL)
        tunnels = Tunnels(self._targets, able, self._report)
        session = self._session = Session(greeting, both, keepalive, tunnels)
        try:
            async with trio.open_nursery() as beside:
                beside.start_soon(self._move, session, nursery)
                if self.freshness is not None and mark is not None:
                    beside.start_soon(self._outlast, session, mark, self.freshness)
                beside.start_soon(self._trust.watch, session.wake)
                await session.run(welcome.root)
                beside.cancel_scope.cancel()
        finally:
            self._session = None
        goodbye = session.goodbye
        self.endings.ended(goodbye)
        self._ended("link-ended", (goodbye and goodbye.detail) or "the link has ended", "info")
        if goodbye is None or goodbye.reason is not messages.Reason.REPLACED:
            return 0.0
        self._spoke.workers.core.stand_down()
        return REPLACED_WAIT

    def _entrusted(self, said: feeds.Trust) -> None:
        assert isinstance(said, messages.Authorities)  # The conversation lets nothing else through.
        self._trust.hear(said)

    def status(self) -> LinkStatus:
        """Where it is now."""
        return LinkStatus(self.state, self.name, self.since, self.trouble)

    def traffic(self) -> LinkStatistics:
        """What has crossed all links so far."""
        return self._past if self._link is None else self._past.plus(self._link.statistics())
