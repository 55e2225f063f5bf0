"""The way to the principal: dial, greet, talk, and dial again; for ever.

A link is one cancel scope. When it ends, however it ends, nothing of it is left, and the next one starts from
what both sides hold.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from typing import Final

import trio

from trio_argoagent._version import __version__
from trio_argoagent.agent.counting import Counting
from trio_argoagent.agent.spoke import Spoke
from trio_argoagent.agent.targets import Target
from trio_argoagent.agent.tunnels import Tunnels
from trio_argoagent.agent.views import Views
from trio_argoagent.errors import LinkError, LinkRefused, ProtocolError, Unreachable, leaves
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.transport import Dialer, Link, LinkStatistics
from trio_argoagent.replication.handover import Greeting
from trio_argoagent.replication.session import Feeds, Session
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.runtime.redial import HEALTHY, Ended, Redial
from trio_argoagent.stream.protocol import handshake, messages, negotiation

HANDSHAKE_TIMEOUT: Final = 20.0
"""Seconds from dialling to the principal's welcome."""
REPLACED_WAIT: Final = 60.0
"""Seconds before a process that was replaced dials again, so that two of them do not fight for ever."""
KEEPALIVES: Final = (1.0, 300.0)
"""Seconds: whatever the principal says, silence is looked into within these bounds."""


class LinkState(enum.StrEnum):
    """Where the way to the principal is."""

    STARTING = "starting"
    DIALING = "dialing"
    LIVE = "live"
    WAITING = "waiting"


class Uplink:
    """See the module.

    Args:
        config: of the agent.
        spoke: its feeds.
        views: what it says of its cluster and remembers of the hub.
        counting: what is in its cluster.
        dialer: opens links.
        targets: what tunnels may lead to.
        env: time and randomness.
        report: told what happens: name, text, level.
    """

    def __init__(
        self,
        config: AgentConfig,
        spoke: Spoke,
        views: Views,
        counting: Counting,
        dialer: Dialer,
        targets: Mapping[str, Target],
        env: Env,
        report: Callable[[str, str, str], None],
    ) -> None:
        self._config, self._spoke, self._views, self._dialer = config, spoke, views, dialer
        self._counting, self._targets = counting, targets
        self._redial, self._random = Redial(), env.random
        self._report = report
        self._instance = env.new_id()
        self._link: Link | None = None
        self._past = LinkStatistics()
        self._told = 0.0
        self.name = config.name
        self.state = LinkState.STARTING
        self.links = 0

    async def run(self, cluster_uid: str) -> None:
        """Keep a link to the principal until cancelled."""
        while True:
            self.state, self._told = LinkState.DIALING, 0.0
            ended = await self._attempt(cluster_uid)
            self.state = LinkState.WAITING
            ended = Ended.TOLD if self._told else ended
            self._redial, wait = self._redial.ended(ended, trio.current_time(), self._told)
            await trio.sleep(wait.draw(self._random))

    async def _attempt(self, cluster_uid: str) -> Ended:
        """One link, from dialling to its end."""
        ended, live = Ended.FAILED, math.inf
        try:
            async with self._dialer.dial() as link:
                with trio.fail_after(HANDSHAKE_TIMEOUT):
                    greeting, welcome = await self._greet(link, cluster_uid)
                live = trio.current_time()
                await self._talk(greeting, welcome)
        except* LinkRefused as group:
            refusal = next(leaves(group))
            assert isinstance(refusal, LinkRefused)
            self._told = refusal.retry_after
            self._report("link-refused", str(refusal), "error")
        except* (LinkError, ProtocolError) as group:
            cause = next(leaves(group))
            ended = Ended.NOBODY if isinstance(cause, Unreachable) else ended
            self._report("link-broken", str(cause), "warning")
        except* trio.TooSlowError:
            self._report("link-broken", f"no welcome within {HANDSHAKE_TIMEOUT:.0f} s", "warning")
        finally:
            self._spoke.workers.core.link_down()
            if self._link is not None:
                self._past = self._past.plus(self._link.statistics())
                self._link = None
        return Ended.LASTED if trio.current_time() >= live + HEALTHY else ended

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

    async def _talk(self, greeting: Greeting, welcome: messages.Welcome) -> None:
        self.name = welcome.agent
        self.state = LinkState.LIVE
        self.links += 1
        self._spoke.principal_uid = welcome.principal_uid
        self._report("link-up", f"connected to the principal ({welcome.version})", "info")
        feeds = Feeds(
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
        )
        self._views.link_up()
        keepalive = min(max(welcome.keepalive, KEEPALIVES[0]), KEEPALIVES[1])
        able = greeting.terms.has(negotiation.Capability.TUNNEL)
        session = Session(greeting, feeds, keepalive, Tunnels(self._targets, able, self._report))
        await session.run(welcome.root)
        if session.goodbye is not None and session.goodbye.reason is messages.Reason.REPLACED:
            self._told = REPLACED_WAIT
            self._spoke.workers.core.stand_down()
        detail = session.goodbye.detail if session.goodbye is not None else "the principal ended the link"
        self._report("link-ended", detail, "info")

    def traffic(self) -> LinkStatistics:
        """What has crossed all links so far."""
        return self._past if self._link is None else self._past.plus(self._link.statistics())
