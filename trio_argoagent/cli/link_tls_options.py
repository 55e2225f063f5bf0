"""What the options say on where certificates and CAs for links come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from trio_argoagent.net.contexts import OPENSSL, TlsSettings
from trio_argoagent.runtime.options.reading import pick
from trio_argoagent.runtime.options.suites import read_settings


@attrs.frozen
class PrincipalTls:
    """What a principal's options say."""

    tls_secret_name: str
    tls_cert: str
    tls_key: str
    insecure_tls_generate: bool
    tls_ca_secret_name: str
    root_ca_path: str
    settings: TlsSettings = OPENSSL

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PrincipalTls:
        """What the values of the options say.

        Raises:
            UserError: they contradict each other.
        """
        return pick(cls, values, settings=_settings(values))

    def named(self) -> dict[str, bool]:
        """Which options were given, of those that say where a certificate, a key or a CA is."""
        return {
            "--tls-cert": bool(self.tls_cert),
            "--tls-key": bool(self.tls_key),
            "--root-ca-path": bool(self.root_ca_path),
            "--insecure-tls-generate": self.insecure_tls_generate,
        }


@attrs.frozen
class AgentTls:
    """What an agent's options say."""

    tls_secret_name: str
    tls_client_cert: str
    tls_client_key: str
    root_ca_secret_name: str
    root_ca_path: str
    insecure_tls: bool
    settings: TlsSettings = OPENSSL

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AgentTls:
        """What the values of the options say.

        Raises:
            UserError: they contradict each other.
        """
        return pick(cls, values, settings=_settings(values))

    def named(self) -> dict[str, bool]:
        """Likewise."""
        return {
            "--tls-client-cert": bool(self.tls_client_cert),
            "--tls-client-key": bool(self.tls_client_key),
            "--root-ca-path": bool(self.root_ca_path),
            "--insecure-tls": self.insecure_tls,
        }


def _settings(values: Mapping[str, Any]) -> TlsSettings:
    lowest, highest = values["tls_min_version"], values["tls_max_version"]
    return read_settings(lowest or "", highest or "", values["tls_ciphersuites"])
