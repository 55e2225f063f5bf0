"""Who may have a link, by the certificate alone, and what others are told; whatever carries links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Peer
from trio_argoagent.net.tls import fingerprint

Refusal = tuple[int, str]
"""A status of HTTP, and one line."""
NOTHING: Final[Refusal] = (404, "there is nothing here")
NO_WEBSOCKETS: Final[Refusal] = (
    501,
    "WebSockets are not allowed here: give --enable-websocket to the principal as well",
)
ABUSE: Final = "it opens tunnels that nobody has asked for"
"""Why the connection of an agent that guesses ends."""


def admit(certificate: bytes | None, identify: Callable[[bytes], str]) -> Peer | Refusal:
    """Who asks for a link, or our no.

    Args:
        certificate: verified (DER); None: there is none.
        identify: the agent's name by it; raises UserError if it names nobody.
    """
    if certificate is None:
        return 401, "a link needs a client certificate"
    try:
        return Peer(identify(certificate), fingerprint(certificate))
    except UserError as exc:
        return 403, str(exc)
