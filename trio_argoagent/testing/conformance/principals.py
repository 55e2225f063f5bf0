"""What a principal must do, asked by an agent that holds nothing and wants nothing."""

from __future__ import annotations

from typing import Final

import attrs
from msgspec import structs

from trio_argoagent.model.identity import Mode
from trio_argoagent.ports.transport import Dialer
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.negotiation import NEWEST
from trio_argoagent.testing.conformance.cases import (
    CAPABILITIES,
    ENDING,
    STEADY,
    Case,
    Report,
    expect,
    judging,
)
from trio_argoagent.testing.conformance.talk import Talk

FAR: Final = 1000
"""A version of the protocol that nobody speaks yet."""


@attrs.frozen
class Claim:
    """Who we say that we are; the certificate says our name.

    Attributes:
        namespace: Argo CD's on our spoke.
        cluster_uid: of our spoke.
        mapping: what the principal expects.
        mode: likewise.
    """

    namespace: str = "argocd"
    cluster_uid: str = "conformance"
    mapping: str = "namespace"
    mode: Mode = Mode.MANAGED

    def hello(self) -> m.Hello:
        """The first message."""
        return m.Hello(
            protocols=(1, NEWEST),
            capabilities=CAPABILITIES,
            version="conformance",
            instance="conformance",
            cluster_uid=self.cluster_uid,
            mode=self.mode,
            namespace=self.namespace,
            mapping=self.mapping,
            selector="",
            incarnation=1,
            root=bytes(m.ROOT_SIZE),
        )


class _Asking:
    """The cases that depend on who we are."""

    def __init__(self, claim: Claim) -> None:
        self._hello = claim.hello()

    async def greet(self, talk: Talk, **changes: object) -> m.Welcome:
        """Say hello, with these fields changed, and be welcome."""
        hello = structs.replace(self._hello, **changes)
        talk.say(hello)
        welcome = await talk.hear(m.Welcome)
        oldest, newest = hello.protocols
        expect(
            oldest <= welcome.protocol <= newest,
            f"it chose protocol {welcome.protocol}, which was not offered",
        )
        extra = set(welcome.capabilities) - set(hello.capabilities)
        expect(not extra, f"it welcomed capabilities that were not offered: {', '.join(sorted(extra))}")
        return welcome

    async def welcomes(self, talk: Talk) -> None:
        await self.greet(talk)
        await talk.still_there()

    async def without_capabilities(self, talk: Talk) -> None:
        await self.greet(talk, capabilities=())
        await talk.still_there()

    async def unknown_capabilities(self, talk: Talk) -> None:
        welcome = await self.greet(talk, capabilities=(*CAPABILITIES, "conformance-flying"))
        expect("conformance-flying" not in welcome.capabilities, "it welcomed a capability that nobody has")

    async def newer_agent(self, talk: Talk) -> None:
        await self.greet(talk, protocols=(1, FAR))
        await talk.still_there()

    async def too_new_agent(self, talk: Talk) -> None:
        await self._refused(talk, m.Reason.VERSION, protocols=(FAR, FAR + 1))

    async def other_mapping(self, talk: Talk) -> None:
        other = "namespace" if self._hello.mapping != "namespace" else "destination"
        await self._refused(talk, m.Reason.MAPPING, mapping=other)

    async def other_mode(self, talk: Talk) -> None:
        other = Mode.MANAGED if self._hello.mode is Mode.AUTONOMOUS else Mode.AUTONOMOUS
        await self._refused(talk, m.Reason.MODE, mode=other)

    async def _refused(self, talk: Talk, reason: m.Reason, **changes: object) -> None:
        talk.say(structs.replace(self._hello, **changes))
        refuse = await talk.hear(m.Refuse)
        expect(refuse.reason is reason, f"expected the reason {reason.value}, it said {refuse.reason.value}")
        expect(bool(refuse.detail), "it said nothing that a person could read")
        await talk.hear_end()

    async def nothing_before_hello(self, talk: Talk) -> None:
        talk.say(m.Ping(b"too early"))
        await talk.hear_end()

    async def one_hello(self, talk: Talk) -> None:
        await self.greet(talk)
        talk.say(self._hello)
        await talk.hear_end()

    async def no_confirming(self, talk: Talk) -> None:
        await self.greet(talk)
        talk.say(m.Confirm("0" * m.SET_SIZE))
        await talk.hear_end()

    def greetings(self) -> tuple[Case, ...]:
        """Each on a link of its own, from its first message on."""
        return (
            Case("hello", "a hello is answered with a welcome that keeps to it", self.welcomes),
            Case(
                "no-capabilities", "an agent that can do nothing more is welcome", self.without_capabilities
            ),
            Case(
                "unknown-capability", "a capability that nobody knows is ignored", self.unknown_capabilities
            ),
            Case("newer-agent", "an agent that also speaks later versions is welcome", self.newer_agent),
            Case("too-new-agent", "no version in common: refused with version", self.too_new_agent),
            Case("mapping", "another mapping is refused with mapping", self.other_mapping),
            Case("mode", "another mode than before is refused with mode", self.other_mode),
            Case("before-hello", "whatever comes before hello ends the link", self.nothing_before_hello),
            Case("second-hello", "a second hello ends the link", self.one_hello),
            Case("confirm", "an agent that confirms deletions is sent away", self.no_confirming),
        )


async def check_principal(dialer: Dialer, report: Report, claim: Claim | None = None) -> None:
    """Ask a principal. It sees an agent that links some fifteen times, and must know it.

    Args:
        dialer: with the certificate of an agent that exists for this; a real one would be replaced by us.
        report: told each verdict.
        claim: who we are besides; None: see ``Claim``.
    """
    asking = _Asking(claim or Claim())

    def welcomed(case: Case) -> Case:
        async def act(talk: Talk) -> None:
            await asking.greet(talk)
            await case.act(talk)

        return attrs.evolve(case, act=act)

    for case in (*asking.greetings(), *(welcomed(each) for each in (*STEADY, *ENDING))):
        with judging(case, report):
            async with dialer.dial() as link:
                await case.act(Talk(link))
