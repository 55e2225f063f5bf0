"""Who may have a link, and what others are told; whatever carries links.

Two questions, asked of every request on every connection: who is this (``Identify``, by what the connection
has proven and by the request's headers), and may he come in now (``Gate``)? Whoever was named once on a
connection is its owner until it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from trio_argoagent.errors import RemoteProtocolError, UserError
from trio_argoagent.model.identity import Peer
from trio_argoagent.model.rulings import Auditor, Decision, Ruling, unaudited
from trio_argoagent.net.certificates import Standing, unbound
from trio_argoagent.net.http import Headers
from trio_argoagent.net.tls import fingerprint


@attrs.frozen
class Refusal:
    """Our no, as HTTP says it."""

    status: int
    text: str
    """One line."""
    retry_after: float = 0.0
    """Seconds after which it may be otherwise; 0: not said."""

    @property
    def headers(self) -> Headers:
        """Those of the answer."""
        text = ("content-type", "text/plain; charset=utf-8")
        return (text, ("retry-after", f"{self.retry_after:.0f}")) if self.retry_after else (text,)


NOTHING: Final = Refusal(404, "there is nothing here")
NO_WEBSOCKETS: Final = Refusal(
    501, "WebSockets are not allowed here: give --enable-websocket to the principal as well"
)
NO_HTTP2: Final = Refusal(505, "a link needs HTTP/2")
SECOND_LINK: Final = Refusal(409, "this connection has a link already")
ANOTHER: Final = Refusal(
    421,
    "this connection belongs to another agent: have the proxy before the principal make a connection of its"
    " own for each agent, or give --enable-websocket to both programs",
)
CA: Final = Refusal(403, "your certificate is a CA's own: have that CA issue one for the agent")
ABUSE: Final = "it opens tunnels that nobody has asked for"
"""Why the connection of an agent that guesses ends."""
CROWDED: Final = "it has no link, and others without one wait"
"""Why the connection of somebody ends who stays without a link."""
VISITORS: Final = 1024
"""HTTP/2 connections that ask for something and have no link, and as many others; with one more the oldest of
them ends. Without that whoever can reach the port could keep it full, without any certificate, by asking now
and then."""
TWO_AGENTS: Final = "requests of two agents came on one connection"
"""Why a connection ends that names a second owner."""


@attrs.frozen
class Shown:
    """What whoever asks has shown of himself.

    Attributes:
        certificate: DER, verified in the handshake; None: he has shown none.
        headers: of the request, names in lower case.
        address: ``host:port`` that the connection comes from; empty where there is none.
        standing: how long the certificate counts.
    """

    certificate: bytes | None
    headers: Headers = ()
    address: str = ""
    standing: Callable[[], Standing] = unbound


Identify = Callable[[Shown], Peer | Refusal]
Gate = Callable[[Peer], Refusal | None]
Strike = Callable[[Peer, str], None]


def by_certificate(name_of: Callable[[bytes], str]) -> Identify:
    """Whoever has a certificate is who it says.

    Args:
        name_of: the agent's name by its certificate (DER); raises UserError if it names nobody.
    """

    def identify(shown: Shown) -> Peer | Refusal:
        if shown.certificate is None:
            return Refusal(401, "a link needs a client certificate")
        try:
            name = name_of(shown.certificate)
        except UserError as exc:
            return Refusal(403, str(exc))
        return Peer(name, fingerprint(shown.certificate), shown.address)

    return identify


def _open(peer: Peer) -> None:
    return None


def _forgive(peer: Peer, why: str) -> None:
    """Misbehaviour has no consequences beyond the connection."""


@attrs.frozen
class Admission:
    """Who comes in.

    Attributes:
        identify: who asks, or why he is nobody.
        gate: why somebody may not come in now; None: he may. It tells the auditor itself. Whoever is nobody
            has an address only.
        audit: told of whoever is nobody.
        strike: told who has misbehaved on a connection, and how.
    """

    identify: Identify
    gate: Gate = _open
    audit: Auditor = unaudited
    strike: Strike = _forgive

    def known(self, shown: Shown) -> Peer | Refusal:
        """Who asks, with how long his certificate counts; or why he is nobody."""
        said = self.identify(shown)
        return _lasting(said, shown.standing()) if isinstance(said, Peer) else said

    def admit(self, shown: Shown) -> Peer | Refusal:
        """Who asks, or our no."""
        said = self.known(shown)
        if isinstance(said, Peer):
            return self.gate(said) or said
        if (no := self.turns_away(shown)) is not None:
            return no
        self.refused(shown, said)
        return said

    def refused(self, shown: Shown, refusal: Refusal) -> None:
        """Tell the auditor of somebody who has proven nothing that he could be called by."""
        proven = fingerprint(shown.certificate) if shown.certificate is not None else ""
        self.audit(Ruling(Decision.REFUSED, "link", refusal.text, "", proven, shown.address))

    def turns_away(self, shown: Shown) -> Refusal | None:
        """Why somebody who has proven nothing may not even ask; None: he may."""
        return self.gate(Peer("", "", shown.address)) if shown.certificate is None else None

    def blame(self, certificate: bytes | None, address: str, exc: RemoteProtocolError) -> None:
        """Whoever has this connection has broken the rules: a ``net.server.Blame``."""
        said = self.identify(Shown(certificate, (), address))
        self.strike(said if isinstance(said, Peer) else Peer("", "", address), str(exc))


def _lasting(peer: Peer, standing: Standing) -> Peer | Refusal:
    """The same, for as long as its certificate counts. OpenSSL takes a CA's own, too; nobody should."""
    if standing.is_ca:
        return CA
    # Where a header says who it is, the certificate is a proxy's: when that was issued says nothing.
    issued = standing.issued if peer.fingerprint else peer.issued
    return attrs.evolve(peer, expires=standing.expires, issued=issued, anchor=standing.anchor)


def same(one: Peer, other: Peer) -> bool:
    """Are both the same, by what was proven?"""
    return (one.name, one.fingerprint) == (other.name, other.fingerprint)
