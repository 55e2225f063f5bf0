"""Options that say who an agent is; argocd-agent's names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import click

from trio_argoagent.errors import UserError
from trio_argoagent.runtime.authentication import Method, Source
from trio_argoagent.stream.admission import Identify

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class AuthOptions:
    """What they say."""

    auth: str
    require_client_certs: bool
    client_cert_subject_match: bool

    def identify(self, namespace: str) -> Identify:
        """Who asks.

        Args:
            namespace: the principal's own.

        Raises:
            UserError: they contradict each other, or an expression cannot be used.
        """
        method = Method.parse(self.auth)
        if method.source is Source.HEADER:
            raise UserError("--auth header: agents show certificates here: use mtls:<regex>")
        return method.identify(namespace, matches_subject=self.client_cert_subject_match)


def auth_options(command: F) -> F:
    """All of them; the command gets them as one argument, ``auth``."""

    @functools.wraps(command)
    def packed(**given: Any) -> Any:
        fields = {field.name: given.pop(field.name) for field in attrs.fields(AuthOptions)}
        return command(auth=AuthOptions(**fields), **given)

    options = (
        click.option(
            "--auth",
            envvar="ARGOCD_PRINCIPAL_AUTH",
            default="",
            metavar="METHOD",
            help="How agents are known: mtls:<regex> by the subject of their certificate, mtls:uri:<regex> by"
            " a URI in it; the first group is the name. Without it: by its common name.",
        ),
        click.option(
            "--require-client-certs",
            envvar="ARGOCD_PRINCIPAL_TLS_CLIENT_CERT_REQUIRE",
            is_flag=True,
            help="Let nobody without a certificate through the handshake. A link takes one in any case.",
        ),
        click.option(
            "--client-cert-subject-match",
            envvar="ARGOCD_PRINCIPAL_TLS_CLIENT_CERT_MATCH_SUBJECT",
            is_flag=True,
            help="The common name of a certificate must be the agent's name, too.",
        ),
    )
    result: Any = packed
    for option in reversed(options):
        result = option(result)
    return result  # type: ignore[no-any-return]
