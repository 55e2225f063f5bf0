"""Who is asking: a bearer token, or the common name and the organisations of a client certificate."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Final

from trio_argoagent.apiserver.core import access
from trio_argoagent.apiserver.core.access import Attributes, Authorizer
from trio_argoagent.apiserver.core.users import Tokens, User, account_of, digest
from trio_argoagent.errors import Unauthorized
from trio_argoagent.net.address import format_address
from trio_argoagent.net.contexts import common_name, organisations
from trio_argoagent.net.http import Request
from trio_argoagent.ports.env import Env

MAX_REMEMBERED: Final = 1024  # certificates whose name is remembered; reading one costs 0.1 ms
_USER: Final = "impersonate-user"
_GROUP: Final = "impersonate-group"


class Access:
    """The rule of ``serve_api``.

    A token that is given must be good, even if there is a certificate: a client with an outdated token is
    to hear of it.

    Args:
        tokens: token -> user; a bare name is that of an administrator.
        accounts: the tokens of ServiceAccounts, and the clock that they run by; None: there are none.
    """

    def __init__(self, tokens: Mapping[str, str | User], accounts: tuple[Tokens, Env] | None = None) -> None:
        self._users = {
            digest(token): user if isinstance(user, User) else User.admin(user)
            for token, user in tokens.items()
        }
        self.accounts = accounts
        self._named: dict[bytes, User] = {}

    def __call__(self, request: Request) -> User:
        """The user of a request.

        Raises:
            Unauthorized: the token is not one of ours, or there is neither token nor certificate.
        """
        scheme, _, token = request.header("authorization").partition(" ")
        user = None
        if scheme.lower() == "bearer":
            user = self.user_of(token.strip())
        elif not scheme:
            user = self._certified(request.peer_certificate)
        if user is None:
            raise Unauthorized("Unauthorized")
        return user

    def user_of(self, token: str) -> User | None:
        """Whose token that is; None: nobody's."""
        user = self._users.get(digest(token))
        if user is None and self.accounts is not None:
            tokens, env = self.accounts
            user = tokens.user_of(token, env.now())
        return user

    def _certified(self, certificate: bytes | None) -> User | None:
        if certificate is None:
            return None
        user = self._named.get(certificate)
        if user is None:
            if len(self._named) >= MAX_REMEMBERED:
                self._named.clear()
            user = User(common_name(certificate), organisations(certificate))
            self._named[certificate] = user
        return user if user.name else None


def acting(request: Request, user: User, authorizer: Authorizer) -> User:
    """Who a user acts as: the one that the headers name, where the user may impersonate that one.

    Raises:
        Forbidden: the user may not.
    """
    name = request.header(_USER)
    if not name:
        return user
    groups = tuple(value for header, value in request.headers if header == _GROUP)
    account = account_of(name)
    about = ("serviceaccounts", "", *account) if account else ("users", "", "", name)
    access.check(authorizer, user, Attributes("impersonate", "", *about))
    for group in groups:
        access.check(authorizer, user, Attributes("impersonate", "", "groups", name=group))
    return User.named(name, groups)


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
