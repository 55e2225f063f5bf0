"""Whether what a link was made with is still what new links are made with."""

from __future__ import annotations

import math

import attrs

from trio_argoagent.runtime.material import Held, wait_changed
from trio_argoagent.runtime.tlsvalues import Identity, Trust


@attrs.frozen
class Mark:
    """The material of one moment.

    Attributes:
        identity: version of our own certificate.
        trust: version of the CAs that we trust.
        not_after: when our certificate expires (Unix time).
    """

    identity: int
    trust: int
    not_after: float


@attrs.frozen
class Freshness:
    """See the module.

    Attributes:
        identity: our own certificate; None: there is none.
        trust: the CAs of the peers; None: nobody looks at them.
    """

    identity: Held[Identity] | None = None
    trust: Held[Trust] | None = None

    @property
    def mark(self) -> Mark:
        """What a connection that is made now is made with."""
        return Mark(
            self.identity.version if self.identity is not None else 0,
            self.trust.version if self.trust is not None else 0,
            self.identity.value.not_after if self.identity is not None else math.inf,
        )

    async def wait_changed(self, mark: Mark, *, trust: bool = True, identity: bool = True) -> Mark:
        """Return once something is newer: what it is now.

        Args:
            mark: what is known.
            trust: do the CAs count?
            identity: does our certificate?
        """
        held = [each for each in (self.identity, self.trust) if each is not None]

        def differs() -> bool:
            now = self.mark
            return (trust and now.trust != mark.trust) or (identity and now.identity != mark.identity)

        await wait_changed(held, differs)
        return self.mark

    @property
    def roots(self) -> tuple[str, ...]:
        """The fingerprints of the CAs that are trusted now (SHA-256, upper-case hexadecimal)."""
        return self.trust.value.fingerprints if self.trust is not None else ()

    def trusts(self, anchor: str) -> bool:
        """Is the CA that has certified a peer (``Facts.anchor``) still trusted? One without any always is."""
        return self.trust is None or not anchor or self.trust.value.holds(anchor)

