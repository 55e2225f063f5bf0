"""Who is asking: a bearer token or the common name of a client certificate. Whoever is known may do all."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Final

from trio_argoagent.errors import Unauthorized
from trio_argoagent.net.address import format_address
from trio_argoagent.net.contexts import common_name
from trio_argoagent.net.http import Request

MAX_REMEMBERED: Final = 1024  # certificates whose name is remembered; reading one costs 0.1 ms


class Access:
    """The rule of ``serve_api``.

    A token that is given must be good, even if there is a certificate: a client with an outdated token is
    to hear of it.

    Args:
        tokens: token -> user.
    """

    def __init__(self, tokens: Mapping[str, str]) -> None:
        # By digest: how long a look-up takes then says nothing about the tokens.
        self._users = {_digest(token): user for token, user in tokens.items()}
        self._names: dict[bytes, str] = {}

    def __call__(self, request: Request) -> str:
        """The user of a request.

        Raises:
            Unauthorized: the token is not one of ours, or there is neither token nor certificate.
        """
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() == "bearer":
            user = self.user_of(token.strip())
        elif scheme:
            user = ""
        else:
            user = self._named(request.peer_certificate)
        if not user:
            raise Unauthorized("Unauthorized")
        return user

    def user_of(self, token: str) -> str:
        """Whose token that is; empty: nobody's."""
        return self._users.get(_digest(token), "")

    def _named(self, certificate: bytes | None) -> str:
        if certificate is None:
            return ""
        name = self._names.get(certificate)
        if name is None:
            if len(self._names) >= MAX_REMEMBERED:
                self._names.clear()
            name = self._names[certificate] = common_name(certificate)
        return name


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def kubeconfig(host: str, port: int, ca_pem: bytes, token: str, name: str, namespace: str = "default") -> str:
    """The text of a kubeconfig with one context, as JSON, which is YAML too.

    Args:
        host: where the server listens; its certificate must name it.
        port: TCP.
        ca_pem: who certifies the server.
        token: one of those the server knows.
        name: of the cluster, the context and the user.
        namespace: the default one.
    """
    server = f"https://{format_address(host, port)}"
    authority = base64.b64encode(ca_pem).decode("ascii")
    value = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
    return json.dumps(value, indent=2) + "\n"
