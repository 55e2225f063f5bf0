"""Where certificates and CAs for links come from, of both programs; argocd-agent's names.

Files win over a Secret by its usual name; beside one by another name they are a contradiction.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

import attrs
import click

from trio_argoagent.cli.tls_options import tls_options
from trio_argoagent.net.contexts import OPENSSL, TlsSettings

F = TypeVar("F", bound=Callable[..., Any])
PRINCIPAL_SECRET: Final = "argocd-agent-principal-tls"
CLIENT_SECRET: Final = "argocd-agent-client-tls"
CA_SECRET: Final = "argocd-agent-ca"


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

    def named(self) -> dict[str, bool]:
        """Likewise."""
        return {
            "--tls-client-cert": bool(self.tls_client_cert),
            "--tls-client-key": bool(self.tls_client_key),
            "--root-ca-path": bool(self.root_ca_path),
            "--insecure-tls": self.insecure_tls,
        }


def principal_tls_options(command: F) -> F:
    """All of them; the command gets them as one argument, ``tls``."""
    return _packed(command, PrincipalTls, "ARGOCD_PRINCIPAL", (*_server(), *_client_ca()))


def agent_tls_options(command: F) -> F:
    """All of them; the command gets them as one argument, ``tls``."""
    return _packed(command, AgentTls, "ARGOCD_AGENT", (*_client(), *_server_ca()))


def _packed(command: F, kind: Any, prefix: str, options: tuple[Callable[[Any], Any], ...]) -> F:
    @functools.wraps(command)
    def packed(tls_settings: TlsSettings, **given: Any) -> Any:
        ours = {field.name: given.pop(field.name) for field in attrs.fields(kind) if field.name in given}
        return command(tls=kind(**ours, settings=tls_settings), **given)

    result: Any = tls_options(prefix)(packed)
    for option in reversed(options):
        result = option(result)
    return result  # type: ignore[no-any-return]


def _text(flag: str, envvar: str, metavar: str, text: str, default: str = "") -> Callable[[Any], Any]:
    return click.option(
        flag, envvar=envvar, default=default, show_default=bool(default), metavar=metavar, help=text
    )


def _server() -> tuple[Callable[[Any], Any], ...]:
    prefix = "ARGOCD_PRINCIPAL_TLS"
    return (
        _text(
            "--tls-secret-name",
            f"{prefix}_SECRET_NAME",
            "NAME",
            "Secret with the principal's certificate and key (tls.crt, tls.key).",
            PRINCIPAL_SECRET,
        ),
        _text(
            "--tls-cert",
            f"{prefix}_SERVER_CERT_PATH",
            "FILE",
            "PEM: the principal's certificate, with its chain, instead of the Secret.",
        ),
        _text("--tls-key", f"{prefix}_SERVER_KEY_PATH", "FILE", "PEM: its private key."),
        click.option(
            "--insecure-tls-generate",
            envvar=f"{prefix}_SERVER_ALLOW_GENERATE",
            is_flag=True,
            help="INSECURE: make a certificate in memory, for development; agents need --insecure-tls.",
        ),
    )


def _client_ca() -> tuple[Callable[[Any], Any], ...]:
    prefix = "ARGOCD_PRINCIPAL_TLS_SERVER"
    return (
        _text(
            "--tls-ca-secret-name",
            f"{prefix}_ROOT_CA_SECRET_NAME",
            "NAME",
            "Secret with the CA of the agents' certificates (ca.crt, else tls.crt).",
            CA_SECRET,
        ),
        _text(
            "--root-ca-path",
            f"{prefix}_ROOT_CA_PATH",
            "FILE",
            "PEM: the CA of the agents' certificates, instead of the Secret.",
        ),
    )


def _client() -> tuple[Callable[[Any], Any], ...]:
    prefix = "ARGOCD_AGENT_TLS"
    return (
        _text(
            "--tls-secret-name",
            f"{prefix}_SECRET_NAME",
            "NAME",
            "Secret with the agent's certificate and key (tls.crt, tls.key).",
            CLIENT_SECRET,
        ),
        _text(
            "--tls-client-cert",
            f"{prefix}_CLIENT_CERT_PATH",
            "FILE",
            "PEM: the agent's certificate, instead of the Secret; its common name is the agent's name.",
        ),
        _text("--tls-client-key", f"{prefix}_CLIENT_KEY_PATH", "FILE", "PEM: its private key."),
    )


def _server_ca() -> tuple[Callable[[Any], Any], ...]:
    prefix = "ARGOCD_AGENT_TLS"
    return (
        _text(
            "--root-ca-secret-name",
            f"{prefix}_ROOT_CA_SECRET_NAME",
            "NAME",
            "Secret with the CA of the principal's certificate (ca.crt, else tls.crt).",
            CA_SECRET,
        ),
        _text(
            "--root-ca-path",
            f"{prefix}_ROOT_CA_PATH",
            "FILE",
            "PEM: the CA of the principal's certificate, instead of the Secret.",
        ),
        click.option(
            "--insecure-tls",
            envvar=f"{prefix}_INSECURE",
            is_flag=True,
            help="INSECURE: take any certificate of the principal.",
        ),
    )
