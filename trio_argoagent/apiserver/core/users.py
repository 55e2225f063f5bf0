"""Who somebody is to the server, and the tokens that it makes for ServiceAccounts.

Source: Kubernetes' documentation, "Authenticating" and "Managing Service Accounts".
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from trio_argoagent.apiserver.core import failures, meta
from trio_argoagent.apiserver.core.kinds import SERVICE_ACCOUNTS
from trio_argoagent.apiserver.core.reads import Reads
from trio_argoagent.errors import BadRequest, NotFound
from trio_argoagent.model.resources import Resource

MASTERS: Final = "system:masters"
"""The group that may do everything, whatever the rules say."""
AUTHENTICATED: Final = "system:authenticated"
"""The group of whoever is known at all."""
ACCOUNTS: Final = "system:serviceaccounts"
_ACCOUNT: Final = "system:serviceaccount:"

TOKEN_REQUESTS: Final = Resource("authentication.k8s.io", "v1", "tokenrequests", "TokenRequest")
DEFAULT_LIFETIME: Final = 3600
"""Seconds that a token is good for, unless it is asked for otherwise."""
LIFETIMES: Final = (600, 1 << 32)
"""Seconds that may be asked for."""
MAX_TOKENS: Final = 10_000
"""Tokens that are remembered; one more makes the oldest one void."""


@attrs.frozen
class User:
    """Somebody who is known.

    Attributes:
        name: the user name.
        groups: those that come with it; ``AUTHENTICATED`` goes without saying.
    """

    name: str
    groups: tuple[str, ...] = ()

    @classmethod
    def admin(cls, name: str) -> User:
        """One who may do everything."""
        return cls(name, (MASTERS,))

    @classmethod
    def account(cls, namespace: str, name: str) -> User:
        """A ServiceAccount."""
        return cls(f"{_ACCOUNT}{namespace}:{name}", (ACCOUNTS, f"{ACCOUNTS}:{namespace}"))

    @classmethod
    def named(cls, name: str, groups: tuple[str, ...]) -> User:
        """Somebody of that name, as who impersonates says it: without groups, an account gets its own."""
        parts = account_of(name)
        return cls.account(*parts) if parts and not groups else cls(name, groups)

    @property
    def all_groups(self) -> tuple[str, ...]:
        """With ``AUTHENTICATED``."""
        return self.groups if AUTHENTICATED in self.groups else (*self.groups, AUTHENTICATED)


def account_of(name: str) -> tuple[str, str] | None:
    """Namespace and name of the ServiceAccount that has this user name; None: it is nobody of that sort."""
    namespace, _, account = name.removeprefix(_ACCOUNT).partition(":")
    return (namespace, account) if name.startswith(_ACCOUNT) and namespace and account else None


def digest(token: str) -> bytes:
    """By which a token is known: how long a look-up takes then says nothing about the tokens."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


@attrs.frozen
class _Issued:
    namespace: str
    name: str
    uid: str
    until: float


class Tokens:
    """The tokens of ServiceAccounts: good as long as the account stands and their time is not up.

    A real server signs what it says of the account; here it is remembered, and the token means nothing.

    Args:
        server: where the accounts are.
        entropy: that many random bytes.
    """

    def __init__(self, server: Reads, entropy: Callable[[int], bytes]) -> None:
        self._server, self._entropy = server, entropy
        self._issued: dict[bytes, _Issued] = {}

    def issue(self, namespace: str, name: str, value: Any, now: float) -> dict[str, Any]:
        """Answer a TokenRequest.

        Raises:
            NotFound: there is no such account.
            BadRequest: it is no TokenRequest.
            Invalid: it asks for a lifetime that no token has.
        """
        if not isinstance(value, Mapping) or value.get("kind", TOKEN_REQUESTS.kind) != TOKEN_REQUESTS.kind:
            raise BadRequest(f"the body must be a {TOKEN_REQUESTS.kind}")
        spec = value.get("spec") or {}
        seconds = _lifetime(name, spec.get("expirationSeconds"))
        account = self._server.get(SERVICE_ACCOUNTS, namespace, name)
        token = base64.urlsafe_b64encode(self._entropy(30)).decode("ascii")
        while len(self._issued) >= MAX_TOKENS:
            del self._issued[next(iter(self._issued))]
        self._issued[digest(token)] = _Issued(namespace, name, account.uid, now + seconds)
        return {
            "kind": TOKEN_REQUESTS.kind,
            "apiVersion": TOKEN_REQUESTS.api_version,
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": meta.timestamp(now)},
            "spec": {**spec, "audiences": spec.get("audiences") or [], "expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": meta.timestamp(now + seconds)},
        }

    def user_of(self, token: str, now: float) -> User | None:
        """Whose token that is now; None: nobody's."""
        issued = self._issued.get(digest(token))
        if issued is None or now >= issued.until:
            return None
        try:
            account = self._server.get(SERVICE_ACCOUNTS, issued.namespace, issued.name)
        except NotFound:
            return None
        return User.account(issued.namespace, issued.name) if account.uid == issued.uid else None


def _lifetime(name: str, asked: Any) -> int:
    if asked is None:
        return DEFAULT_LIFETIME
    shortest, longest = LIFETIMES
    why = ""
    if not isinstance(asked, int) or asked < shortest:
        why = "may not specify a duration less than 10 minutes"
    elif asked > longest:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        problem = failures.invalid_value("spec.expirationSeconds", asked, why)
        raise failures.invalid(TOKEN_REQUESTS.group, TOKEN_REQUESTS.kind, name, [problem])
    return int(asked)
