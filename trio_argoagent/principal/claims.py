"""Who asks for a certificate, and what stands against him: decisions only.

The hub notes on an agent's cluster secret what it has issued::

    trio-argoagent/certificate    the fingerprint of the last one, when it expires, and the hash of its key
    trio-argoagent/replaced       when a token was used last, and the last certificate from before: neither it
                                  nor an older one gets another one here
    trio-argoagent/rejoined       how often the agent has come back by its last key, and when it did
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from trio_argoagent.model.identity import Peer
from trio_argoagent.model.objects import Object
from trio_argoagent.model.rulings import Decision
from trio_argoagent.net.certificates import standing
from trio_argoagent.net.tls import fingerprint
from trio_argoagent.pki.tokens import Verdict
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import clusters
from trio_argoagent.principal.tokens import moment, written
from trio_argoagent.stream.admission import Identify, Refusal, Shown
from trio_argoagent.stream.protocol.enrolment import Denial, Denied, Enrol, Proof

if TYPE_CHECKING:
    from cryptography import x509

    from trio_argoagent.pki.keys import PublicKey

CERTIFICATE: Final = "trio-argoagent/certificate"
REPLACED: Final = "trio-argoagent/replaced"
REJOINED: Final = "trio-argoagent/rejoined"

NEW_TOKEN: Final = "make a new one: trio-argoagent ctl agent token NAME"
REPLACE: Final = "make a token: trio-argoagent ctl agent token {name} --replace"
NOT_ISSUING: Final = "this principal does not issue certificates"
TOO_MANY: Final = 429
"""The status of a gate that is to be asked again later: somebody is banned."""


class Denying(Exception):
    """There is no certificate.

    Args:
        denial: for machines.
        detail: what the agent is told.
        retry_after: seconds; 0: not said.
        reason: what the audit log says; empty: the same.
        audited: has the auditor heard of it already?
        shown: what the Event on the agent's cluster secret says instead, where it is not to repeat what
            whoever asks has said, or would not be told of that denial otherwise; empty: the detail.
    """

    def __init__(
        self,
        denial: Denial,
        detail: str,
        *,
        retry_after: float = 0.0,
        reason: str = "",
        audited: bool = False,
        shown: str = "",
    ) -> None:
        super().__init__(reason or detail)
        self.answer = Denied(denial, detail, retry_after)
        self.reason, self.audited, self.shown = reason or detail, audited, shown


@attrs.frozen
class Way:
    """One way in.

    Attributes:
        word: for the audit log.
        decision: that it was granted.
    """

    word: str
    decision: Decision


TOKEN: Final = Way("token", Decision.ENROLLED)
CONNECTION: Final = Way("certificate", Decision.RENEWED)
LAST_KEY: Final = Way("last key", Decision.REJOINED)


def way_of(asked: Enrol) -> Way:
    """Which of the three it is."""
    if asked.token is not None:
        return TOKEN
    return LAST_KEY if asked.proof is not None else CONNECTION


TOKEN_SAYS: Final[Mapping[Verdict, tuple[Denial, str]]] = {
    Verdict.UNKNOWN: (Denial.TOKEN, f"the hub has no such token: {NEW_TOKEN}"),
    Verdict.WRONG: (Denial.TOKEN, f"the hub has no such token: {NEW_TOKEN}"),
    Verdict.OTHER_NAME: (Denial.NAME, "the token is another agent's"),
    Verdict.USED: (Denial.USED, f"the token has been used already: {NEW_TOKEN}"),
    Verdict.EXPIRED: (Denial.EXPIRED, f"the token has expired: {NEW_TOKEN}"),
    Verdict.TAKEN: (
        Denial.TAKEN,
        "the agent has a certificate that may still be valid: if this one is to replace it, make a token with"
        " --replace",
    ),
}
"""What a token that is not granted gets: who guesses cannot tell an id that exists from one that does not."""


def judged(verdict: Verdict) -> None:
    """Raises Denying unless the token is granted."""
    if verdict in TOKEN_SAYS:
        denial, detail = TOKEN_SAYS[verdict]
        raise Denying(denial, detail, reason=f"{verdict.value}: {detail}")


def key_of(request: bytes) -> PublicKey:
    """The key to be certified.

    Raises:
        Denying: the request is none, or its key is not taken.
    """
    from trio_argoagent.pki import requests

    found = requests.judge(request)
    if isinstance(found, requests.Flaw):
        raise Denying(Denial.WEAK_KEY if found is requests.Flaw.WEAK else Denial.REQUEST, found.value)
    return found


def by_connection(shown: Shown, identify: Identify) -> Peer:
    """Who the certificate of the connection names.

    Raises:
        Denying: there is none, or it names nobody.
    """
    if shown.certificate is None:
        raise Denying(Denial.NOBODY, "show a token, a certificate or the proof of your last key")
    return _named(identify(shown))


def by_last_key(
    asked: Enrol,
    proof: Proof,
    shown: Shown,
    identify: Identify,
    *,
    authorities: Sequence[x509.Certificate],
    window: float,
    now: float,
) -> Peer:
    """Who the last certificate names.

    Args:
        asked: the request.
        proof: of it.
        shown: where it comes from.
        identify: who a certificate names.
        authorities: that have certified agents.
        window: seconds after the expiry.
        now: Unix time.

    Raises:
        Denying: it proves nothing.
    """
    from trio_argoagent.pki import rejoin

    verdict = rejoin.judge(
        proof.certificate, proof.signature, asked.request, authorities=authorities, window=window, now=now
    )
    if verdict in (rejoin.Verdict.FOREIGN, rejoin.Verdict.UNPROVEN):
        text = "the last certificate and the signature prove nothing here"
        raise Denying(Denial.PROOF, text, reason=f"{verdict.value}: {text}")
    last = Shown(proof.certificate, (), shown.address, lambda: standing((proof.certificate,)))
    peer = _named(identify(last))
    if verdict is rejoin.Verdict.EARLY:
        raise Denying(Denial.PROOF, "the last certificate is not valid yet: compare the clocks")
    if verdict is rejoin.Verdict.LATE:
        text = f"the last certificate expired more than {window / 86_400:g} days ago"
        raise Denying(Denial.LATE, f"{text}: {REPLACE.format(name=peer.name)}")
    return peer


def by_token(agent: str, token: Object, shown: Shown) -> Peer:
    """Who shows a token of this agent, issued when the hub's API server says that it was made."""
    return Peer(agent, "", shown.address, issued=_moment(token.meta.creation_timestamp or ""))


def outside(refusal: Refusal) -> Denying:
    """The gate's no, which has told the auditor."""
    denial = Denial.BUSY if refusal.status == TOO_MANY else Denial.REVOKED
    return Denying(denial, refusal.text, retry_after=refusal.retry_after, audited=True)


def _named(said: Peer | Refusal) -> Peer:
    if isinstance(said, Refusal):
        raise Denying(Denial.NOBODY, said.text, retry_after=said.retry_after)
    return said


@attrs.frozen
class Record:
    """What an agent's cluster secret says of its certificates.

    Attributes:
        secret: the one that counts.
        certificate: fingerprint of the last one that was issued here; empty: none was.
        until: when it expires (Unix time).
        holder: SHA-256 of its public key.
        floor: certificates that were issued before this moment get no other one here; 0: all do.
        replaced: fingerprint of the last one of these; empty: none is known.
        rejoins: how often the last key has been good for a new one.
        pinned: has anybody come under this name?
    """

    secret: Object
    certificate: str = ""
    until: float = 0.0
    holder: str = ""
    floor: float = 0.0
    replaced: str = ""
    rejoins: int = 0
    pinned: bool = False

    def is_taken(self, now: float) -> bool:
        """May somebody have a valid certificate in this name? Of those made by hand nothing is known."""
        return self.until > now if self.certificate else self.pinned

    def noting(self, certificate: bytes, until: float, way: Way, now: float) -> MergePatch:
        """Note this certificate (DER), if the secret still is as it was read.

        A token is an operator's word for who the agent is from now on: whoever was it before is not any more.
        """
        notes = {CERTIFICATE: f"{fingerprint(certificate)} {written(until)} {_holder(certificate)}"}
        if way is TOKEN:
            notes[REPLACED] = f"{written(_issued(certificate))} {self.certificate}".rstrip()
        if way is LAST_KEY:
            notes[REJOINED] = f"{self.rejoins + 1} {written(now)}"
        meta = self.secret.meta
        return MergePatch(
            {"metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version, "annotations": notes}}
        )


def read_record(secrets: Sequence[Object], agent: str) -> Record | None:
    """What the secrets of an agent say, whatever people have written into them; None: it has none.

    Raises:
        Denying: nobody can be let in by them.
    """
    entry = clusters.choose(map(clusters.read_entry, secrets))
    if entry is None:
        return None
    if entry.problem:
        # The secret is there: whoever looks at it can mend it.
        raise Denying(Denial.UNKNOWN_AGENT, entry.problem, shown=entry.problem)
    secret = next(each for each in secrets if each.meta.name == entry.secret)
    notes = secret.annotations
    issued, until, holder, *_ = [*notes.get(CERTIFICATE, "").split(" "), "", "", ""]
    count = notes.get(REJOINED, "").partition(" ")[0]
    floor, _, replaced = notes.get(REPLACED, "").partition(" ")
    return Record(
        secret,
        issued if _moment(until) else "",
        _moment(until),
        holder,
        _moment(floor),
        replaced,
        int(count) if count.isascii() and count.isdigit() and len(count) < 10 else 0,
        entry.pin is not None,
    )


def check_floor(certificate: bytes, record: Record, agent: str) -> None:
    """Raises Denying if this certificate (DER) was replaced, by an operator's word."""
    # A moment is a whole second: the one that was replaced may be of the same one as those that count.
    if _issued(certificate) < record.floor or fingerprint(certificate) == record.replaced:
        text = f"this certificate of {agent} was replaced at {written(record.floor)}"
        raise Denying(Denial.REVOKED, f"{text}; to go on here: {REPLACE.format(name=agent)}")


def check_name(claimed: str, name: str) -> None:
    """Raises Denying if whoever asks believes to be somebody else."""
    if claimed not in ("", name):
        text = f"you are {name} here, and not {claimed}"
        shown = "it calls itself by another name, see the audit log"
        raise Denying(Denial.NAME, text, reason=f"it calls itself {claimed}", shown=shown)


def check_fits(certificate: bytes, agent: str, identify: Identify) -> None:
    """Raises Denying if the port would not take what was just issued: no agent must lock itself out."""
    said = identify(Shown(certificate))
    if not isinstance(said, Peer) or said.name != agent:
        why = said.text if isinstance(said, Refusal) else f"it would be {said.name} by it"
        reason = f"--auth does not take the certificates that this principal issues: {why}"
        raise Denying(Denial.NOT_ISSUING, NOT_ISSUING, retry_after=86_400.0, reason=reason)


def _issued(certificate: bytes) -> float:
    """When a certificate was issued, if that was here (Unix time)."""
    from cryptography import x509

    from trio_argoagent.pki.authority import BACKDATE

    return x509.load_der_x509_certificate(certificate).not_valid_before_utc.timestamp() + BACKDATE


def _holder(certificate: bytes) -> str:
    from cryptography import x509

    from trio_argoagent.pki import keys, requests

    key = x509.load_der_x509_certificate(certificate).public_key()
    return requests.key_hash(key) if isinstance(key, keys.PublicKey) else ""


def _moment(text: str) -> float:
    try:
        return moment(text)
    except ValueError:
        return 0.0


def der_of(pem: bytes) -> tuple[bytes, float]:
    """The leaf of a chain that was just issued (DER), and when it expires (Unix time)."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from trio_argoagent.pki import keys

    leaf = keys.load_certificates(pem)[0]
    return leaf.public_bytes(Encoding.DER), leaf.not_valid_after_utc.timestamp()
