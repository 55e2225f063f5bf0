"""An agent applies for a certificate: makes a key, asks the hub's office, tries what it gets, and keeps it.

What is kept works: a connection was had with it. A key is held until an application has come to its end, so
that an answer that was lost can be asked for again.
"""

from __future__ import annotations

import attrs

from trio_argoagent.agent.keeping import Kept, Store
from trio_argoagent.agent.office import Office
from trio_argoagent.agent.renewing import Validity
from trio_argoagent.errors import ArgoAgentError, UserError
from trio_argoagent.stream.protocol.enrolment import Denial, Denied, Enrol, Issued, Proof, Shown


class NotIssued(ArgoAgentError):
    """The office says no."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(f"the hub issues no certificate: {denied.detail}")
        self.denied = denied


@attrs.frozen
class Certificate:
    """What an agent's certificate says.

    Attributes:
        name: the agent's; empty: it names none that we could read.
        validity: from when until when.
        der: the certificate itself.
        key_hash: of its public key.
    """

    name: str
    validity: Validity
    der: bytes
    key_hash: str


def read_certificate(pem: bytes) -> Certificate | None:
    """The leaf of a chain; None: there is none that can be read."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding

    from trio_argoagent.pki import keys, names, requests

    try:
        leaf = keys.load_certificates(pem)[0]
        public = leaf.public_key()
        key_hash = requests.key_hash(public) if isinstance(public, keys.PublicKey) else ""
    except (UserError, ValueError, UnsupportedAlgorithm):
        return None
    try:
        name = names.agent_name(leaf)
    except UserError:
        name = ""  # Of another shape: the hub knows who we are.
    begins, ends = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
    return Certificate(name, Validity(begins, ends), leaf.public_bytes(Encoding.DER), key_hash)


class Applicant:
    """See the module.

    Args:
        office: of the hub.
        store: where the certificate is kept.
    """

    def __init__(self, office: Office, store: Store) -> None:
        self._office, self.store = office, store
        self._key = b""

    async def by_token(self, token: Shown, trusted: Kept, name: str = "") -> Certificate:
        """The first certificate, or another one by an operator's word.

        Args:
            token: without its third part.
            trusted: the root that it names.
            name: that we have had until now; empty: none.

        Raises:
            NotIssued: the office says no.
            LinkError: it does not answer, or what it has given us does not work.
            CannotKeep: the certificate cannot be kept.
        """
        message = Enrol(self._request(name), name, token=token)
        return await self._apply(message, trusted, anonymous=True)

    async def by_certificate(self, kept: Kept, own: Certificate) -> Certificate:
        """The next one; raises as ``by_token``.

        Who we are says the connection; what we read in our certificate may be another name than the hub's
        ``--auth`` finds there.
        """
        return await self._apply(Enrol(self._request(own.name)), kept, anonymous=False)

    async def by_last_key(self, kept: Kept, own: Certificate) -> Certificate:
        """The next one, after the last has expired; raises as ``by_token``."""
        from trio_argoagent.pki import keys, rejoin

        request = self._request(own.name)
        try:
            signature = rejoin.sign(keys.load_key(kept.key), request)
        except UserError as exc:
            raise NotIssued(Denied(Denial.PROOF, str(exc))) from exc
        return await self._apply(Enrol(request, proof=Proof(own.der, signature)), kept, anonymous=True)

    def _request(self, name: str) -> bytes:
        from trio_argoagent.pki import keys, requests

        self._key = self._key or keys.key_pem(keys.new_key())
        return requests.make(keys.load_key(self._key), name)

    async def _apply(self, message: Enrol, kept: Kept, *, anonymous: bool) -> Certificate:
        answer = await self._office.ask(message, kept, anonymous=anonymous)
        if not isinstance(answer, Issued):
            raise NotIssued(answer)
        issued = read_certificate(answer.chain)
        if issued is None or not self._is_ours(issued) or message.name not in ("", issued.name):
            raise NotIssued(Denied(Denial.OTHER, "what it has sent is no certificate for our key and name"))
        new = Kept(answer.chain, self._key, trusting(kept.roots, answer.roots))
        await self._office.try_out(new)
        await self.store.write(new)
        self._key = b""
        return issued

    def _is_ours(self, issued: Certificate) -> bool:
        from trio_argoagent.pki import keys, requests

        return issued.key_hash == requests.key_hash(keys.load_key(self._key).public_key())


def trusting(before: bytes, said: bytes) -> bytes:
    """What to trust from now on: what we have trusted until now, and the roots that the hub names beside it.

    None is taken away here: its port may have a certificate of another authority, and others may have put
    roots there. What the hub withdraws, it withdraws by name (``pki.following``). Roots that cannot be
    followed are no reason to be without a certificate: whether what we trust will do is tried out.

    Args:
        before: PEM; empty: nothing, for whoever takes any certificate.
        said: the hub's, PEM.
    """
    from trio_argoagent.pki.following import followed

    try:
        return followed(before or said, said, ())
    except UserError:
        return before
