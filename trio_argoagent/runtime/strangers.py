"""Says why somebody who dialled did not get as far as a link: a wrong certificate has two ends.

Whoever can reach the port can fail, as often as he likes: each cause is told once in a while, and connections
that only come and go (health checks, port scans) not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trio_argoagent.errors import LinkBroken, RemoteProtocolError
from trio_argoagent.model.rulings import Auditor, Decision, Ruling, unaudited
from trio_argoagent.net.certificates import CLIENTS
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.refusals import ABOUT_CERTIFICATES, Ours, Verdict, judged, rejected
from trio_argoagent.net.server import log_error
from trio_argoagent.net.verdicts import Fault
from trio_argoagent.runtime.events import Observer
from trio_argoagent.runtime.rarely import Rarely

_WHO: Final = "somebody who dialled was not let in"
_CA: Final = "agents need certificates of the CA in --root-ca-path or in the Secret of --tls-ca-secret-name"
_REMEDIES: Final[Mapping[Fault, str]] = {
    Fault.EXPIRED: "renew the Secret argocd-agent-client-tls of that agent",
    Fault.NOT_YET: "",
    Fault.PURPOSE: "issue it again, for clientAuth",
    Fault.IS_CA: "issue one for the agent with that CA",
    Fault.TOO_LONG: "issue it nearer to its root",
    Fault.WEAK: "issue it again with a stronger key",
}
"""What to do about an agent's certificate; else it is of the wrong CA."""


class Strangers:
    """An ``on_error`` of ``stream.listen.Http2Listener``.

    Args:
        observer: told.
        audit: likewise, of each.
        ours: what is known here of both certificates; None: nothing.
    """

    def __init__(self, observer: Observer, audit: Auditor = unaudited, ours: Ours | None = None) -> None:
        self._line, self._audit, self._ours = Rarely(observer, "connection-refused"), audit, ours

    def __call__(self, exc: Exception) -> None:
        """A connection has failed before, or apart from, what the principal sees of it."""
        if isinstance(exc, TlsFailed) and not exc.reason:
            return  # Hung up before saying anything.
        if isinstance(exc, TlsFailed) and exc.code:
            self._uncertified(judged(exc, self._ours, CLIENTS))
        elif isinstance(exc, TlsFailed) and exc.reason.partition("_ALERT_")[2] in ABOUT_CERTIFICATES:
            said = exc.reason.partition("_ALERT_")[2]
            clause = rejected(said, self._ours)
            self._refused(f"it does not accept our certificate ({said.replace('_', ' ').lower()}): {clause}")
        elif isinstance(exc, TlsFailed | RemoteProtocolError):
            self._refused(str(exc))
        elif not isinstance(exc, LinkBroken):
            log_error(exc)

    def _uncertified(self, verdict: Verdict) -> None:
        """Its certificate was refused: who it says that it is, which nobody has proven, helps to find it."""
        shown = verdict.certificate
        who = f"its certificate {shown.subject} (SHA-256 {shown.fingerprint})" if shown else "its certificate"
        remedy = _REMEDIES.get(verdict.fault, _CA)
        self._line.tell(f"{_WHO}: {who}: {verdict.clause}{remedy and f'; {remedy}'}")
        asked = f"connection with a certificate of {shown.subject}" if shown else "connection"
        fingerprint = shown.fingerprint if shown else ""
        why = f"its certificate is {verdict.fault.value}"
        self._audit(Ruling(Decision.REFUSED, asked, why, fingerprint=fingerprint))

    def _refused(self, why: str) -> None:
        self._line.tell(f"{_WHO}: {why}")
        self._audit(Ruling(Decision.REFUSED, "connection", why))
