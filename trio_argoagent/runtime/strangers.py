"""Says why somebody who dialled did not get as far as a link: a wrong certificate has two ends.

Whoever can reach the port can fail, as often as he likes: each cause is told once in a while, and connections
that only come and go (health checks, port scans) not at all.
"""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.errors import LinkBroken, RemoteProtocolError
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.server import log_error
from trio_argoagent.runtime.events import Event, Observer

SILENCE: Final = 60.0
"""Seconds for which the same cause is not told again."""
MAX_CAUSES: Final = 64
"""Causes remembered; when there are more, all are told anew."""


class Strangers:
    """An ``on_error`` of ``stream.listen.Http2Listener``.

    Args:
        observer: told.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._told: dict[str, float] = {}

    def __call__(self, exc: Exception) -> None:
        """A connection has failed before, or apart from, what the principal sees of it."""
        if isinstance(exc, TlsFailed) and not exc.reason:
            return  # Hung up before saying anything.
        if isinstance(exc, TlsFailed) and exc.reason == "CERTIFICATE_VERIFY_FAILED":
            self._tell(f"{exc}; agents need certificates of the CA in --root-ca-path")
        elif isinstance(exc, TlsFailed | RemoteProtocolError):
            self._tell(str(exc))
        elif not isinstance(exc, LinkBroken):
            log_error(exc)

    def _tell(self, cause: str) -> None:
        now = trio.current_time()
        if now < self._told.get(cause, -SILENCE) + SILENCE:
            return
        if len(self._told) >= MAX_CAUSES:
            self._told.clear()
        self._told[cause] = now
        text = f"somebody who dialled was not let in: {cause}"
        self._observer(Event("connection-refused", "", text, "warning"))
