"""Keeps an agent's certificate valid: renews it in time, or else comes back by the last key."""

from __future__ import annotations

from collections import Counter
from typing import Final

import attrs
import trio

from trio_argoagent.agent.applying import Applicant, Certificate, NotIssued, read_certificate
from trio_argoagent.agent.keeping import CannotKeep, Kept
from trio_argoagent.agent.office import Expired
from trio_argoagent.agent.renewing import BACKOFF, DAY, Outcome, Renewing
from trio_argoagent.errors import LinkError
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.stream.protocol.enrolment import Denial

LOOK: Final = 4 * 3600.0
"""Seconds between two looks at what is kept: somebody may have put another certificate there by hand."""
HURRY: Final = 60.0
"""Seconds within which a certificate of a root that leaves is renewed, by chance: a fleet is told at once."""
UNREADABLE_LOOK: Final = 60.0
"""The same, when it could not be read."""
_OUTCOMES: Final = {Denial.BUSY: Outcome.FAILED, Denial.NOT_ISSUING: Outcome.NOT_ISSUING}
"""All other denials are for good."""
_EVENTS: Final = {
    Outcome.FAILED: ("renewal-failed", "warning"),
    Outcome.NOT_ISSUING: ("renewal-off", "warning"),
    Outcome.REFUSED: ("renewal-refused", "error"),
}


class Renewer:
    """See the module.

    Args:
        applicant: asks for certificates.
        env: time and chance.
        observer: told of what happens, and of an expiry that comes near.
        renews: False: it only warns.
    """

    def __init__(self, applicant: Applicant, env: Env, observer: Observer, *, renews: bool = True) -> None:
        self._applicant, self._env, self._observer, self._renews = applicant, env, observer, renews
        self._kept = Kept()
        self._own: Certificate | None = None
        self._plan = Renewing(float("inf"))
        self._warned = float("inf")
        self._by_key = False
        self._signer, self._told = "", trio.Event()
        self._hurried: Certificate | None = None
        self.outcomes: Counter[str] = Counter()
        """What has come of its attempts: ``renewed``, or a value of ``Outcome``."""

    def issued_by(self, signer: str) -> None:
        """The hub issues by this root now, as it says over the link: a certificate of another is renewed.

        Args:
            signer: fingerprint of the root; empty: the hub says none.
        """
        if signer != self._signer:
            self._signer = signer
            self._told.set()

    async def run(self) -> None:
        """Do so until cancelled."""
        while True:
            self._told = trio.Event()
            wait = await self.look()
            with trio.move_on_after(wait):
                await self._told.wait()

    async def look(self) -> float:
        """Do what is due now; seconds until the next look."""
        try:
            kept = await self._applicant.store.read()
        except CannotKeep as exc:
            self._say("renewal-failed", str(exc), "warning")
            return UNREADABLE_LOOK
        self._take(kept)
        own = self._own
        if own is None:
            return LOOK
        self._warn(own)
        self._hurry(own)
        if self._renews and self._env.now() >= self._plan.due:
            await self._attempt(kept, own)
        return max(0.0, min(LOOK, self._plan.due - self._env.now()) if self._renews else LOOK)

    def _hurry(self, own: Certificate) -> None:
        """Is it of a root that leaves? Then it is due within a minute, once."""
        if not self._signer or self._hurried == own:
            return
        if _issuer(self._kept) not in ("", self._signer):
            self._hurried = own
            soon = self._env.now() + self._env.random.uniform(0.0, HURRY)
            self._plan = attrs.evolve(self._plan, due=min(self._plan.due, soon))

    def _take(self, kept: Kept) -> None:
        """Is there another certificate than before? Then everything begins anew."""
        if kept == self._kept:
            return
        own = read_certificate(kept.certificate) if kept.key else None
        if own != self._own:
            self._begin(own)
        self._kept = kept

    def _begin(self, own: Certificate | None) -> None:
        self._own, self._warned, self._by_key = own, float("inf"), False
        if own is not None:
            self._plan = Renewing.of(own.validity, self._env.random)

    async def _attempt(self, kept: Kept, own: Certificate) -> None:
        apply = self._applicant.by_certificate
        if self._by_key or own.validity.is_over(self._env.now()):
            apply = self._applicant.by_last_key
        try:
            new = await apply(kept, own)
        except Expired as exc:
            # The hub's clock decides; ours will agree, later or never.
            self._by_key = True
            self._ended(Outcome.FAILED, str(exc))
        except NotIssued as exc:
            outcome = _OUTCOMES.get(exc.denied.reason, Outcome.REFUSED)
            self._ended(outcome, str(exc), exc.denied.retry_after)
        except (LinkError, CannotKeep) as exc:
            self._ended(Outcome.FAILED, str(exc))
        else:
            self.outcomes["renewed"] += 1
            self._begin(new)
            # One that lives hardly longer, as its authority ends: never as fast as we can.
            soonest = self._env.now() + BACKOFF[0]
            self._plan = attrs.evolve(self._plan, due=max(self._plan.due, soonest))
            self._say("certificate-renewed", f"{new.name} has a certificate until {_when(new)}", "info")

    def _ended(self, outcome: Outcome, text: str, told: float = 0.0) -> None:
        self.outcomes[outcome.value] += 1
        self._plan, tells = self._plan.ended(outcome, self._env.now(), self._env.random, told=told)
        if tells:
            name, level = _EVENTS[outcome]
            self._say(name, f"the certificate is not renewed: {text}", level)

    def _warn(self, own: Certificate) -> None:
        threshold = own.validity.threshold(self._env.now())
        if threshold >= self._warned:
            return
        self._warned = threshold
        if not threshold:
            advice = "make a token on the hub: trio-argoagent ctl agent token NAME --replace"
            self._say("certificate-expired", f"the certificate expired at {_when(own)}: {advice}", "error")
        else:
            text = f"the certificate expires at {_when(own)}, in less than {threshold / DAY:.0f} d"
            self._say("certificate-expires", text, "warning")

    def _say(self, name: str, text: str, level: str) -> None:
        self._observer(Event(name, self._own.name if self._own is not None else "", text, level))


def _issuer(kept: Kept) -> str:
    """Fingerprint of the root, among those that are trusted, that our certificate is of; empty: of none."""
    from trio_argoagent.errors import UserError
    from trio_argoagent.pki import keys
    from trio_argoagent.pki.bundles import Bundle, fingerprint

    try:
        found = Bundle.read(kept.roots).issuer_of(keys.load_certificates(kept.certificate)[0])
    except UserError:
        return ""
    return fingerprint(found) if found is not None else ""


def _when(own: Certificate) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(own.validity.ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
