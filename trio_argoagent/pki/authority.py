"""A certificate authority: one key that certifies servers and agents.

Every certificate passes OpenSSL's ``VERIFY_X509_STRICT`` (RFC 5280): key identifiers on both, critical basic
constraints, one purpose each, random serial numbers. ``not before`` lies five minutes back, because clocks
differ; when it was issued is said by the period in which its key is used (``PrivateKeyUsagePeriod``), for the
blocklist goes by that. Nothing outlives its authority.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import attrs
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trio_argoagent.errors import UserError
from trio_argoagent.pki import bundles, keys, names

BACKDATE: Final = 300.0
"""Seconds that a certificate is valid before it is issued."""
DAY: Final = 86_400.0
"""Seconds."""
CA_LIFETIME: Final = 3650 * DAY
"""Seconds that an authority lasts, unless the user says otherwise."""
_NO_USAGE: Final = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


@attrs.frozen(repr=False)
class Authority:
    """A root certificate and its key. Never shown by ``repr``.

    Attributes:
        certificate: of the authority itself.
        key: its private key.
    """

    certificate: x509.Certificate
    key: keys.PrivateKey

    @classmethod
    def create(
        cls, key: keys.PrivateKey, *, name: str, serial: int, now: float, lifetime: float = CA_LIFETIME
    ) -> Authority:
        """A new root.

        Args:
            key: freshly generated, of this authority alone.
            name: its common name, at most 64 characters.
            serial: see ``keys.serial_number``.
            now: seconds since the Unix epoch.
            lifetime: seconds.
        """
        subject = _subject(name)
        start, end = _validity(now, lifetime)
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), serial, start, end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(**(_NO_USAGE | {"key_cert_sign": True, "crl_sign": True})), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, keys.digest_for(key))
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, certificate: bytes, key: bytes) -> Authority:
        """The authority of two PEM files, such as the Secret ``argocd-agent-ca`` holds them.

        The certificate that belongs to the key is taken, wherever it stands: during a rotation the file holds
        several.

        Raises:
            UserError: they cannot be read, do not belong together, or are not an authority's.
        """
        loaded = keys.load_key(key)
        for candidate in keys.load_certificates(certificate):
            if candidate.public_key() == loaded.public_key():
                if not bundles.is_authority(candidate):
                    raise UserError("the CA certificate may not certify others: it is not marked as a CA")
                return cls(candidate, loaded)
        raise UserError("the CA certificate and its private key do not belong together")

    @property
    def certificate_pem(self) -> bytes:
        """What others need in order to trust it."""
        return keys.certificate_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The private key."""
        return keys.key_pem(self.key)

    def issue_server(
        self,
        key: keys.PublicKey,
        *,
        name: str,
        hosts: Iterable[str] | None,
        serial: int,
        now: float,
        lifetime: float,
    ) -> bytes:
        """A server's certificate as PEM.

        Args:
            key: the server's public key.
            name: common name, for people; clients look at ``hosts`` alone.
            hosts: DNS names and IP addresses that it is reached by; None: it names none, and only clients
                that check none take it.
            serial: see ``keys.serial_number``.
            now: seconds since the Unix epoch.
            lifetime: seconds; cut to the authority's own.

        Raises:
            UserError: a host is neither DNS name nor IP address, or the authority has expired.
        """
        return self._issue(
            _subject(name),
            key,
            names.host_names(hosts) if hosts is not None else (),
            ExtendedKeyUsageOID.SERVER_AUTH,
            serial,
            now,
            lifetime,
        )

    def issue_client(
        self,
        key: keys.PublicKey,
        *,
        agent: str,
        serial: int,
        now: float,
        lifetime: float,
        trust_domain: str = names.TRUST_DOMAIN,
    ) -> bytes:
        """An agent's certificate as PEM.

        Args:
            key: the agent's public key.
            agent: its name.
            serial: see ``keys.serial_number``.
            now: seconds since the Unix epoch.
            lifetime: seconds; cut to the authority's own.
            trust_domain: of the URI that names the agent.

        Raises:
            UserError: the name cannot be an agent's, or the authority has expired.
        """
        uri = x509.UniformResourceIdentifier(names.agent_uri(agent, trust_domain))
        return self._issue(
            _subject(agent), key, [uri], ExtendedKeyUsageOID.CLIENT_AUTH, serial, now, lifetime
        )

    def _issue(
        self,
        subject: x509.Name,
        key: keys.PublicKey,
        alternatives: Sequence[x509.GeneralName],
        purpose: x509.ObjectIdentifier,
        serial: int,
        now: float,
        lifetime: float,
    ) -> bytes:
        if not keys.strong(key):
            raise UserError("the key to be certified is too weak, or of a kind that is not taken")
        start, end = _validity(now, lifetime)
        last = self.certificate.not_valid_after_utc
        if _time(now) >= last:
            raise UserError(f"the CA expired at {last:%Y-%m-%d %H:%M} UTC: make a new one")
        issuer = self.certificate
        builder = (
            x509.CertificateBuilder(issuer.subject, subject, key, serial, start, min(end, last))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**(_NO_USAGE | {"digital_signature": True})), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_authority_identifier(issuer, self.key), critical=False)
            .add_extension(x509.PrivateKeyUsagePeriod(_time(now), None), critical=False)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return keys.certificate_pem(builder.sign(self.key, keys.digest_for(self.key)))


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _time(seconds: float) -> datetime:
    # Certificates know whole seconds.
    return datetime.fromtimestamp(int(seconds), UTC)


def _validity(now: float, lifetime: float) -> tuple[datetime, datetime]:
    if lifetime <= 0:
        raise UserError("a certificate must be valid for some time")
    return _time(now - BACKDATE), _time(now + lifetime)


def _authority_identifier(issuer: x509.Certificate, key: keys.PrivateKey) -> x509.AuthorityKeyIdentifier:
    """It must equal the issuer's own identifier, however that was computed."""
    try:
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
