"""SSL contexts from PEM bytes, and what a certificate says about its owner.

One context serves all connections of its kind; building one costs a millisecond.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import attrs

from trio_argoagent.errors import UserError

Current = Callable[[], ssl.SSLContext]
"""The newest context, asked for each connection anew: what has been rotated counts for the next one."""
Context = ssl.SSLContext | Current


def newest(context: Context) -> ssl.SSLContext:
    """The context for a connection that is made now."""
    return context if isinstance(context, ssl.SSLContext) else context()


@attrs.frozen
class TlsSettings:
    """What a user may choose of TLS itself.

    Attributes:
        minimum: the lowest version; None: what the listener or dialler takes by itself.
        maximum: the highest version; None: any.
        suites: OpenSSL's names of the cipher suites of TLS 1.2 and older; empty: OpenSSL's own choice. All
            three of TLS 1.3 are always there: Python chooses among them from 3.15 on only.
    """

    minimum: ssl.TLSVersion | None = None
    maximum: ssl.TLSVersion | None = None
    suites: tuple[str, ...] = ()

    def apply(self, context: ssl.SSLContext, minimum: ssl.TLSVersion) -> None:
        """Set them.

        Args:
            context: of a server or a client.
            minimum: the lowest version where the user has chosen none.

        Raises:
            UserError: OpenSSL has no such cipher suite here.
        """
        context.minimum_version = self.minimum or minimum
        if self.maximum is not None:
            context.maximum_version = self.maximum
        if self.suites:
            try:
                context.set_ciphers(":".join(self.suites))
            except ssl.SSLError as exc:
                raise UserError(
                    f"OpenSSL has none of the cipher suites {', '.join(self.suites)} here"
                ) from exc


OPENSSL: TlsSettings = TlsSettings()
"""What OpenSSL does by itself."""


def server_context(
    *,
    certificate: bytes,
    key: bytes,
    client_ca: bytes | None,
    require_client: bool,
    alpn: Sequence[str],
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    settings: TlsSettings = OPENSSL,
) -> ssl.SSLContext:
    """The listening side.

    Args:
        certificate: PEM, leaf first, then the chain.
        key: PEM, not encrypted.
        client_ca: PEM; client certificates must come from it. None: none is asked for.
        require_client: refuse clients without a certificate.
        alpn: protocols, best first, such as ``("h2", "http/1.1")``.
        minimum: the lowest TLS version, unless the user says otherwise. Links take 1.3.
        settings: what the user says.

    Raises:
        UserError: the PEM bytes are not usable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.apply(context, minimum)
    # Tickets would cost a third of a handshake, and nobody resumes a session here.
    context.num_tickets = 0
    if client_ca is not None:
        _load_ca(context, client_ca)
        context.verify_mode = ssl.CERT_REQUIRED if require_client else ssl.CERT_OPTIONAL
    elif require_client:
        raise UserError("client certificates are required, but there is no CA to check them with")
    _load_identity(context, certificate, key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def client_context(
    *,
    ca: bytes | None,
    certificate: bytes | None,
    key: bytes | None,
    alpn: Sequence[str],
    verify: bool = True,
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    settings: TlsSettings = OPENSSL,
) -> ssl.SSLContext:
    """The dialling side.

    Args:
        ca: PEM; the server must be certified by it. None: by one of the system's authorities.
        certificate: PEM of our own identity, with its chain; None: we have none.
        key: PEM, not encrypted.
        alpn: protocols, best first.
        verify: False takes any server: for ``insecure-skip-tls-verify`` and ``--insecure-tls`` only.
        minimum: the lowest TLS version, unless the user says otherwise.
        settings: what the user says.

    Raises:
        UserError: the PEM bytes are not usable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.apply(context, minimum)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca is None:
        context.load_default_certs()
    else:
        _load_ca(context, ca)
    if certificate is not None and key is not None:
        _load_identity(context, certificate, key)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def common_name(certificate_der: bytes) -> str:
    """The subject's common name; empty when it has none."""
    return next(iter(_subject(certificate_der, "COMMON_NAME")), "")


def organisations(certificate_der: bytes) -> tuple[str, ...]:
    """The subject's organisations, in order."""
    return _subject(certificate_der, "ORGANIZATION_NAME")


def _subject(certificate_der: bytes, attribute: str) -> tuple[str, ...]:
    from cryptography import x509

    subject = x509.load_der_x509_certificate(certificate_der).subject
    found = (each.value for each in subject.get_attributes_for_oid(getattr(x509.NameOID, attribute)))
    return tuple(each if isinstance(each, str) else each.decode("utf-8", "replace") for each in found)


def fingerprint(certificate_der: bytes) -> str:
    """SHA-256 over the certificate, upper-case hexadecimal without colons."""
    import hashlib

    return hashlib.sha256(certificate_der).hexdigest().upper()


def _load_ca(context: ssl.SSLContext, pem: bytes) -> None:
    try:
        context.load_verify_locations(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError) as exc:
        raise UserError(f"the CA certificates are not usable PEM: {exc}") from exc


def _load_identity(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    with _private_file(certificate.rstrip() + b"\n" + key) as path:
        try:
            # The password stops OpenSSL from asking on the terminal.
            context.load_cert_chain(path, password=b"")
        except (ssl.SSLError, ValueError) as exc:
            raise UserError(f"certificate and key are not usable, or do not belong together: {exc}") from exc


@contextmanager
def _private_file(content: bytes) -> Iterator[str]:
    """A path to ``content``: ``ssl`` takes certificates from files only. In memory where the system can."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("identity", os.MFD_CLOEXEC)
        path = f"/proc/self/fd/{fd}"
    else:
        fd, path = tempfile.mkstemp()  # made with mode 0600
    try:
        with os.fdopen(fd, "wb", closefd=False) as file:
            file.write(content)
        yield path
    finally:
        os.close(fd)
        if not path.startswith("/proc/"):
            os.unlink(path)
