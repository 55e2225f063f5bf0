"""What the options that say who an agent is mean together."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from trio_argoagent.cli.bootstrap_options import Bootstrap
from trio_argoagent.cli.link_tls_options import AgentTls, PrincipalTls
from trio_argoagent.errors import UserError
from trio_argoagent.net.plaintext import Neighbours
from trio_argoagent.net.proxy import environment_proxy
from trio_argoagent.runtime.authentication import Method, Source
from trio_argoagent.runtime.creds import PAIRING, Creds
from trio_argoagent.stream.admission import Identify


@attrs.frozen
class Authentication:
    """What a principal asks of agents.

    Attributes:
        identify: who asks.
        requires: may nobody get through the TLS handshake without a certificate?
        neighbours: who may connect without TLS; None: nobody, there is TLS.
    """

    identify: Identify
    requires: bool
    neighbours: Neighbours | None


@attrs.frozen
class AuthOptions:
    """What a principal's options say."""

    auth: str
    require_client_certs: bool
    client_cert_subject_match: bool
    insecure_plaintext: bool
    plaintext_from: tuple[str, ...]

    def read(self, namespace: str, tls: PrincipalTls) -> Authentication:
        """What they mean together.

        Args:
            namespace: the principal's own.
            tls: what the options of TLS say.

        Raises:
            UserError: they contradict each other, or an expression cannot be used.
        """
        method, neighbours = Method.parse(self.auth), self._neighbours()
        by_header = method.source is Source.HEADER
        if by_header != self.insecure_plaintext:
            pair = ("--auth header:<name>:<regex>", "--insecure-plaintext")
            what, other = pair if by_header else reversed(pair)
            raise UserError(PAIRING.format(what=what, other=other))
        if by_header:
            _refuse(
                tls.named()
                | {
                    "--require-client-certs": self.require_client_certs,
                    "--client-cert-subject-match": self.client_cert_subject_match,
                }
            )
        identify = method.identify(namespace, matches_subject=self.client_cert_subject_match)
        return Authentication(identify, self.require_client_certs, neighbours)

    def _neighbours(self) -> Neighbours | None:
        if self.plaintext_from and not self.insecure_plaintext:
            raise UserError("--plaintext-from: needs --insecure-plaintext; with TLS, certificates count")
        try:
            return Neighbours.parse(self.plaintext_from) if self.insecure_plaintext else None
        except UserError as exc:
            raise UserError(f"--plaintext-from: {exc}") from exc


@attrs.frozen
class CredsOptions:
    """What an agent's options say."""

    creds: str = attrs.field(repr=False)
    insecure_plaintext: bool

    def read(
        self, environment: Mapping[str, str], tls: AgentTls, bootstrap: Bootstrap, host: str, port: int
    ) -> Creds:
        """What they mean together.

        Args:
            environment: in which an HTTP proxy may be named.
            tls: what the options of TLS say.
            bootstrap: likewise, of a first certificate.
            host: of the principal.
            port: likewise.

        Raises:
            UserError: they contradict each other, or each other's environment.
        """
        creds = Creds.parse(self.creds)
        if creds.by_certificate == self.insecure_plaintext:
            pair = ("--insecure-plaintext", "--creds header:")
            what, other = pair if self.insecure_plaintext else reversed(pair)
            raise UserError(PAIRING.format(what=what, other=other))
        if self.insecure_plaintext:
            tokens = {"--bootstrap-token": bool(bootstrap.token or bootstrap.token_file)}
            _refuse(tls.named() | tokens)
        if self.insecure_plaintext and (proxy := environment_proxy(environment, host, port)) is not None:
            raise UserError(
                f"--insecure-plaintext: the proxy {proxy.where} (HTTPS_PROXY) would see it all: put {host}"
                " into NO_PROXY"
            )
        return creds


def _refuse(given: Mapping[str, bool]) -> None:
    """Certificates, where there is no TLS."""
    for option in (name for name, is_given in given.items() if is_given):
        raise UserError(f"{option}: leave it out: with --insecure-plaintext nobody shows a certificate")
