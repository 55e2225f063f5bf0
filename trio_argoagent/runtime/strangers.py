"""Says why somebody who dialled did not get as far as a link: a wrong certificate has two ends.

Whoever can reach the port can fail, as often as he likes: each cause is told once in a while, and connections
that only come and go (health checks, port scans) not at all.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.errors import LinkBroken, RemoteProtocolError
from trio_argoagent.model.rulings import Auditor, Decision, Ruling, unaudited
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.server import log_error
from trio_argoagent.runtime.events import Observer
from trio_argoagent.runtime.rarely import Rarely

_WHO: Final = "somebody who dialled was not let in"


class Strangers:
    """An ``on_error`` of ``stream.listen.Http2Listener``.

    Args:
        observer: told.
        audit: likewise, of each.
    """

    def __init__(self, observer: Observer, audit: Auditor = unaudited) -> None:
        self._line, self._audit = Rarely(observer, "connection-refused"), audit

    def __call__(self, exc: Exception) -> None:
        """A connection has failed before, or apart from, what the principal sees of it."""
        if isinstance(exc, TlsFailed) and not exc.reason:
            return  # Hung up before saying anything.
        if isinstance(exc, TlsFailed) and exc.reason == "CERTIFICATE_VERIFY_FAILED":
            self._refused(str(exc), "; agents need certificates of the CA in --root-ca-path")
        elif isinstance(exc, TlsFailed | RemoteProtocolError):
            self._refused(str(exc))
        elif not isinstance(exc, LinkBroken):
            log_error(exc)

    def _refused(self, why: str, advice: str = "") -> None:
        self._line.tell(f"{_WHO}: {why}{advice}")
        self._audit(Ruling(Decision.REFUSED, "connection", why))
