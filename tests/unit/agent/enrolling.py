"""An agent's side of enrolment in virtual time: its store in process, the hub's desk next door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs
import trio
from cryptography import x509

from trio_argoagent.agent.applying import Applicant, Certificate, read_certificate
from trio_argoagent.agent.keeping import Kept, SecretDrawer, Store
from trio_argoagent.agent.office import Expired
from trio_argoagent.agent.renewal import Renewer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import Gate, LocalCluster
from trio_argoagent.errors import LinkRefused
from trio_argoagent.model.resources import NAMESPACES
from trio_argoagent.pki import keys
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.admission import Shown
from trio_argoagent.stream.protocol import enrolment as e
from trio_argoagent.stream.protocol.messages import Reason

from ..principal.enrolling import HUB, Hub, authority, key

SPOKE = "argocd"


@attrs.define
class NextDoor:
    """``Office`` without a wire: TLS is what it says of a certificate, by the hub's clock.

    Attributes:
        hub: whose desk it is.
        before: asked before each request; it may raise what a network does.
        skew: seconds that the hub's clock is ahead.
        offered: what it says its roots are.
    """

    hub: Hub
    before: Callable[[], Awaitable[None]] = attrs.field(default=trio.lowlevel.checkpoint)
    skew: float = 0.0
    offered: bytes | None = None
    asked: list[e.Enrol] = attrs.field(factory=list)
    tried: list[Kept] = attrs.field(factory=list)
    lost: int = 0

    async def roots(self) -> bytes:
        """See ``Office``."""
        await self.before()
        return await self.hub.desk.roots() if self.offered is None else self.offered

    async def ask(self, message: e.Enrol, kept: Kept, *, anonymous: bool) -> e.Answer:
        """See ``Office``."""
        await self.before()
        shown = None
        if not anonymous:
            shown = self._handshake(kept)
        self._trusts(kept)
        self.asked.append(e.decode_request(e.encode(message)))
        answer = await self.hub.desk.answer(self.asked[-1], Shown(shown, (), "192.0.2.9:1"))
        if self.lost:
            self.lost -= 1
            raise LinkRefused(Reason.OTHER, "the answer was lost")
        return e.decode_answer(e.encode(answer))

    async def try_out(self, kept: Kept) -> None:
        """See ``Office``."""
        await self.before()
        self._handshake(kept)
        self._trusts(kept)
        self.tried.append(kept)

    def _handshake(self, kept: Kept) -> bytes:
        own = read_certificate(kept.certificate)
        assert own is not None
        assert keys.load_key(kept.key).public_key() == x509.load_der_x509_certificate(own.der).public_key()
        if own.validity.is_over(self.hub.env.now() + self.skew):
            raise Expired(Reason.IDENTITY, "our client certificate has expired")
        return own.der

    def _trusts(self, kept: Kept) -> None:
        if authority().certificate_pem.strip() not in kept.roots:
            raise LinkRefused(Reason.IDENTITY, "the principal's certificate comes from no CA that we trust")


@attrs.define
class Spoke:
    """An agent's part of it.

    Attributes:
        cluster: where its Secrets are.
        office: how it asks.
        applicant: that asks.
        told: what people have heard.
    """

    cluster: LocalCluster
    office: NextDoor
    applicant: Applicant
    told: list[Event]

    def renewer(self, *, renews: bool = True) -> Renewer:
        """A new one, as after a restart."""
        applicant = Applicant(self.office, self.applicant.store)
        return Renewer(applicant, self.office.hub.env, self.told.append, renews=renews)

    async def put(self, *, lifetime: float, using: str = "first", name: str = "east") -> None:
        """A certificate that was made by hand, now."""
        hub = self.office.hub
        public, now = key(using).public_key(), hub.env.now()
        pem = authority().issue_client(public, agent=name, serial=6, now=now, lifetime=lifetime)
        await self.applicant.store.write(Kept(pem, keys.key_pem(key(using)), authority().certificate_pem))

    async def own(self) -> Certificate:
        """The certificate that it has."""
        own = read_certificate((await self.applicant.store.read()).certificate)
        assert own is not None
        return own

    @property
    def names(self) -> list[str]:
        """Of what was told."""
        return [event.name for event in self.told]


async def make_spoke(hub: Hub, access: Gate | None = None) -> Spoke:
    """A spoke without a certificate."""
    cluster = LocalCluster(argocd_server(entropy=hub.env.entropy), env=hub.env, actor="user")
    await cluster.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPOKE}})
    inside = LocalCluster(cluster.server, env=hub.env, actor="agent", gate=access)
    store = Store(
        SecretDrawer(inside, SPOKE, "argocd-agent-client-tls", "kubernetes.io/tls"),
        SecretDrawer(inside, SPOKE, "argocd-agent-ca"),
    )
    office = NextDoor(hub)
    return Spoke(cluster, office, Applicant(office, store), [])


__all__ = ["HUB", "SPOKE", "NextDoor", "Spoke", "make_spoke"]
