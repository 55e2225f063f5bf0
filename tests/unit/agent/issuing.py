"""A principal's port on the loopback interface that issues certificates, in real time."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from trio_argoagent.agent.office import TlsOffice
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli import ctl_token
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.model.rulings import Ruling
from trio_argoagent.net.contexts import server_context
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import Authority
from trio_argoagent.pki.names import agent_name
from trio_argoagent.pki.tokens import Token
from trio_argoagent.ports.transport import Link
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.principal.enrolment import Desk
from trio_argoagent.runtime.enrolment import Rules
from trio_argoagent.runtime.world import real_env
from trio_argoagent.stream.admission import Admission, by_certificate
from trio_argoagent.stream.enrolling import enrolment_routes
from trio_argoagent.stream.listen import Http2Listener

from ..principal.enrolling import put_authority

HUB = "argocd"
LOOPBACK = "127.0.0.1"
ENV = real_env()


def make_authority(name: str = "ours") -> Authority:
    """A root, as of now."""
    serial = keys.serial_number(ENV.entropy(keys.SERIAL_SIZE))
    return Authority.create(keys.new_key(), name=name, serial=serial, now=ENV.now())


@attrs.define
class Issuer:
    """What serves.

    Attributes:
        cluster: the hub.
        authority: of its Secret.
        port: of the principal.
        rulings: what it has decided.
        names: of the agents that had a link.
    """

    cluster: LocalCluster
    authority: Authority
    port: int
    rulings: list[Ruling]
    names: list[str]
    http1: bool = False

    async def token(self, name: str = "east", *, replace: bool = False) -> Token:
        """A token, as ctl makes it."""
        made = await ctl_token.create(self.cluster, HUB, name, 600.0, ENV, replace=replace)
        return made.token

    def office(self, host: str = LOOPBACK) -> TlsOffice:
        """An agent's way to it."""
        return TlsOffice(host, self.port, ENV.now, websocket=self.http1)


@asynccontextmanager
async def open_issuer(
    *,
    port_authority: Authority | None = None,
    rules: Rules | None = None,
    routes: bool = True,
    http1: bool = False,
) -> AsyncIterator[Issuer]:
    """A hub that knows the agent ``east``, and a principal's port.

    Args:
        port_authority: that has certified the port; None: the hub's own.
        rules: of issuing.
        routes: False: a principal that knows nothing of enrolment.
        http1: links are WebSockets, and nobody speaks HTTP/2.
    """
    authority, rulings, names = make_authority(), list[Ruling](), list[str]()
    cluster = LocalCluster(argocd_server(entropy=ENV.entropy), env=ENV, actor="principal")
    await cluster.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HUB}})
    await cluster.create(SECRETS, make_secret("east", HUB))
    await put_authority(cluster, authority)
    admission = Admission(by_certificate(agent_name))
    desk = Desk(cluster, HUB, ENV, rules or Rules(), admission, audit=rulings.append)
    sockets = await trio.open_tcp_listeners(0, host=LOOPBACK)
    found = enrolment_routes(desk.answer, desk.roots) if routes else {}
    context = _context(port_authority or authority, authority, "http/1.1" if http1 else "h2")
    listener = Http2Listener(sockets, context, admission, lambda exc: None, websocket=http1, routes=found)

    async def welcome(link: Link) -> None:
        names.append(link.peer.name)

    async with trio.open_nursery() as nursery:
        await nursery.start(listener.serve, welcome)
        port = sockets[0].socket.getsockname()[1]
        yield Issuer(cluster, authority, port, rulings, names, http1)
        nursery.cancel_scope.cancel()


def _context(mine: Authority, clients: Authority, alpn: str) -> ssl.SSLContext:
    key = keys.new_key()
    serial = keys.serial_number(ENV.entropy(keys.SERIAL_SIZE))
    certificate = mine.issue_server(
        key.public_key(), name="p", hosts=[LOOPBACK], serial=serial, now=ENV.now(), lifetime=86_400.0
    )
    return server_context(
        certificate=certificate,
        key=keys.key_pem(key),
        client_ca=clients.certificate_pem,
        require_client=False,
        alpn=(alpn,),
        minimum=ssl.TLSVersion.TLSv1_3,
    )
