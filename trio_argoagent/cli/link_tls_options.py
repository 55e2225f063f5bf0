"""What the options say on where certificates and CAs for links come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from trio_argoagent.cli.tls_sources import Wanted
from trio_argoagent.errors import UserError
from trio_argoagent.net.contexts import TlsSettings
from trio_argoagent.runtime.options.reading import pick
from trio_argoagent.runtime.options.suites import read_settings
from trio_argoagent.runtime.options.usual import CA_SECRET, CLIENT_SECRET, PRINCIPAL_SECRET
from trio_argoagent.runtime.tlsvalues import CA, CERTIFICATE, KEY


@attrs.frozen
class PrincipalTls:
    """What a principal's options say."""

    tls_secret_name: str
    tls_cert: str
    tls_key: str
    insecure_tls_generate: bool
    tls_ca_secret_name: str
    root_ca_path: str
    tls_min_version: str | None = None
    tls_max_version: str | None = None
    tls_ciphersuites: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PrincipalTls:
        """What the values of the options say."""
        return pick(cls, values)

    @property
    def settings(self) -> TlsSettings:
        """Of TLS itself.

        Raises:
            UserError: they contradict each other.
        """
        return read_settings(self.tls_min_version, self.tls_max_version, self.tls_ciphersuites)

    def named(self) -> dict[str, bool]:
        """Which options were given, of those that say where a certificate, a key or a CA is."""
        return {
            "--tls-cert": bool(self.tls_cert),
            "--tls-key": bool(self.tls_key),
            "--root-ca-path": bool(self.root_ca_path),
            "--insecure-tls-generate": self.insecure_tls_generate,
        }

    @property
    def certificate(self) -> Wanted:
        """Its certificate and key."""
        return Wanted(
            ((CERTIFICATE, "--tls-cert", self.tls_cert), (KEY, "--tls-key", self.tls_key)),
            "--tls-secret-name",
            self.tls_secret_name,
            PRINCIPAL_SECRET,
            "make it with 'trio-argoagent ctl pki issue principal', or give --tls-cert and --tls-key",
        )

    @property
    def authorities(self) -> Wanted:
        """The CAs of agents."""
        return Wanted(
            ((CA, "--root-ca-path", self.root_ca_path),),
            "--tls-ca-secret-name",
            self.tls_ca_secret_name,
            CA_SECRET,
            "make it with 'trio-argoagent ctl pki init', or give --root-ca-path",
        )

    def check(self) -> None:
        """Look whether the options go together.

        Raises:
            UserError: they contradict each other.
        """
        if self.insecure_tls_generate and self.certificate.is_named:
            raise UserError(
                "--insecure-tls-generate: leave it out, or name neither a certificate nor a Secret"
            )
        self.certificate.check()
        self.authorities.check()


@attrs.frozen
class AgentTls:
    """What an agent's options say."""

    tls_secret_name: str
    tls_client_cert: str
    tls_client_key: str
    root_ca_secret_name: str
    root_ca_path: str
    insecure_tls: bool
    tls_min_version: str | None = None
    tls_max_version: str | None = None
    tls_ciphersuites: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AgentTls:
        """What the values of the options say."""
        return pick(cls, values)

    @property
    def settings(self) -> TlsSettings:
        """Likewise.

        Raises:
            UserError: they contradict each other.
        """
        return read_settings(self.tls_min_version, self.tls_max_version, self.tls_ciphersuites)

    def named(self) -> dict[str, bool]:
        """Likewise."""
        return {
            "--tls-client-cert": bool(self.tls_client_cert),
            "--tls-client-key": bool(self.tls_client_key),
            "--root-ca-path": bool(self.root_ca_path),
            "--insecure-tls": self.insecure_tls,
        }

    @property
    def certificate(self) -> Wanted:
        """Its certificate and key."""
        return Wanted(
            (
                (CERTIFICATE, "--tls-client-cert", self.tls_client_cert),
                (KEY, "--tls-client-key", self.tls_client_key),
            ),
            "--tls-secret-name",
            self.tls_secret_name,
            CLIENT_SECRET,
            "make it with 'trio-argoagent ctl pki issue agent', or give --tls-client-cert and"
            " --tls-client-key",
        )

    @property
    def authorities(self) -> Wanted:
        """The CAs of the principal."""
        return Wanted(
            ((CA, "--root-ca-path", self.root_ca_path),),
            "--root-ca-secret-name",
            self.root_ca_secret_name,
            CA_SECRET,
            "make it with 'trio-argoagent ctl pki propagate', or give --root-ca-path",
        )

    def check(self) -> None:
        """Likewise.

        Raises:
            UserError: they contradict each other.
        """
        if self.insecure_tls and self.authorities.is_named:
            raise UserError("--insecure-tls: leave it out, or name no CA: with it none is looked at")
        self.certificate.check()
        self.authorities.check()
