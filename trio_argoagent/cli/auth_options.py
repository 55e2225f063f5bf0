"""Options that say who an agent is, of both programs; argocd-agent's names, but for ``--plaintext-from``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs
import click

from trio_argoagent.cli.bootstrap_options import Bootstrap
from trio_argoagent.cli.link_tls_options import AgentTls, PrincipalTls
from trio_argoagent.errors import UserError
from trio_argoagent.net.plaintext import Neighbours
from trio_argoagent.net.proxy import environment_proxy
from trio_argoagent.runtime.authentication import Method, Source
from trio_argoagent.runtime.creds import PAIRING, Creds
from trio_argoagent.stream.admission import Identify

F = TypeVar("F", bound=Callable[..., Any])


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
    plaintext_from: str

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
        texts = [each.strip() for each in self.plaintext_from.split(",") if each.strip()]
        if texts and not self.insecure_plaintext:
            raise UserError("--plaintext-from: needs --insecure-plaintext; with TLS, certificates count")
        try:
            return Neighbours.parse(texts) if self.insecure_plaintext else None
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


def auth_options(command: F) -> F:
    """The principal's; the command gets them as one argument, ``auth``."""
    return _packed(
        command,
        "auth",
        AuthOptions,
        click.option(
            "--auth",
            envvar="ARGOCD_PRINCIPAL_AUTH",
            default="",
            metavar="METHOD",
            help="How agents are known: mtls:<regex> by the subject of their certificate, mtls:uri:<regex> by"
            " a URI in it, header:<name>:<regex> by what a mesh's proxy says; the first group is the name."
            " Without it: by the certificate's common name.",
        ),
        click.option(
            "--require-client-certs",
            envvar="ARGOCD_PRINCIPAL_TLS_CLIENT_CERT_REQUIRE",
            is_flag=True,
            help="Let nobody without a certificate through the handshake: none can be asked for with a token,"
            " then. A link takes one in any case.",
        ),
        click.option(
            "--client-cert-subject-match",
            envvar="ARGOCD_PRINCIPAL_TLS_CLIENT_CERT_MATCH_SUBJECT",
            is_flag=True,
            help="The common name of a certificate must be the agent's name, too.",
        ),
        _plaintext("ARGOCD_PRINCIPAL"),
        click.option(
            "--plaintext-from",
            envvar="ARGOCD_PRINCIPAL_PLAINTEXT_FROM",
            default="",
            metavar="NETWORK,...",
            help="Networks that may connect without TLS, besides this pod, where a mesh's sidecar is.",
        ),
    )


def creds_options(command: F) -> F:
    """The agent's; the command gets them as one argument, ``creds``."""
    return _packed(
        command,
        "creds",
        CredsOptions,
        click.option(
            "--creds",
            envvar="ARGOCD_AGENT_CREDS",
            default="",
            metavar="METHOD",
            help="How the agent proves who it is: mtls:any, the default, or header: behind a mesh's proxy.",
        ),
        _plaintext("ARGOCD_AGENT"),
    )


def _plaintext(prefix: str) -> Callable[[Any], Any]:
    return click.option(
        "--insecure-plaintext",
        envvar=f"{prefix}_INSECURE_PLAINTEXT",
        is_flag=True,
        help="INSECURE: no TLS between agent and principal, because a mesh's proxies see to it.",
    )


def _packed(command: F, name: str, kind: Any, *options: Callable[[Any], Any]) -> F:
    @functools.wraps(command)
    def packed(**given: Any) -> Any:
        fields = {field.name: given.pop(field.name) for field in attrs.fields(kind)}
        return command(**{name: kind(**fields)}, **given)

    result: Any = packed
    for option in reversed(options):
        result = option(result)
    return result  # type: ignore[no-any-return]
