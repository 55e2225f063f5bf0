"""The hub's tokens at work: found by what somebody shows, judged, used up once, and taken away in the end."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from trio_argoagent import errors
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.pki.tokens import Kept, Verdict, judge
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import tokens
from trio_argoagent.principal.claims import judged
from trio_argoagent.stream.protocol.enrolment import Shown

if TYPE_CHECKING:
    from trio_argoagent.pki.keys import PublicKey


@attrs.define
class Found:
    """What there is of a token that somebody shows.

    Attributes:
        shown: by him.
        secret: of the hub; None: there is none of that id.
        kept: what it says; None: nothing that can be used.
        claims: what he believes to be called, as it was judged last.
        holder: see ``pki.tokens.judge``, likewise.
    """

    shown: Shown
    secret: Object | None
    kept: Kept | None
    claims: str = ""
    holder: str = ""

    def judge(
        self, *, claims: str, key: PublicKey, now: float, holder: str = "", taken: bool = False
    ) -> str:
        """The agent that it is for; for arguments see ``pki.tokens.judge``.

        Raises:
            Denying: it is not granted.
        """
        self.claims, self.holder = claims, holder
        wanted = {"claims": claims, "key": _hash(key), "holder": holder}
        verdict = judge(self.kept, self.shown.secret, **wanted, taken=taken, now=now)
        judged(verdict)
        assert self.kept is not None  # Else it is unknown.
        return self.kept.agent


class Redeemer:
    """See the module.

    Args:
        cluster: the hub.
        namespace: Argo CD's.
        env: time.
    """

    def __init__(self, cluster: Cluster, namespace: str, env: Env) -> None:
        self._cluster, self._namespace, self._env = cluster, namespace, env

    async def find(self, shown: Shown) -> Found:
        """What there is of this token.

        Raises:
            ApiError: the hub does not answer.
        """
        try:
            secret = await self._cluster.get(SECRETS, self._namespace, tokens.secret_name(shown.id))
        except errors.NotFound:
            return Found(shown, None, None)
        return Found(shown, secret, tokens.read_secret(secret))

    async def use(self, found: Found, key: PublicKey) -> None:
        """Use a token up: of all who try it at once the API server lets one through.

        Raises:
            Denying: another one was faster, or somebody has taken it back.
            ApiError: the hub does not answer.
        """
        if found.secret is None or found.kept is None or found.kept.used:
            return
        try:
            patch = tokens.use(found.secret, _hash(key), self._env.now(), found.holder)
            await self._cluster.patch(SECRETS, self._namespace, found.secret.meta.name, patch)
        except errors.Conflict:
            again = await self.find(found.shown)
            again.judge(claims=found.claims, key=key, now=self._env.now())
        except errors.NotFound:
            judged(Verdict.UNKNOWN)

    async def sweep(self) -> None:
        """Take away the tokens that nobody needs any more.

        Raises:
            ApiError: the hub does not let us.
        """
        found = await self._cluster.list(SECRETS, self._namespace, selector=tokens.SELECTOR)
        for secret in found.items:
            kept, name = tokens.read_secret(secret), secret.meta.name
            if kept is not None and self._env.now() >= kept.expires + tokens.KEPT:
                with suppress(errors.NotFound, errors.Conflict):
                    await self._cluster.delete(SECRETS, self._namespace, name, uid=secret.meta.uid)


def _hash(key: PublicKey) -> str:
    from trio_argoagent.pki import requests

    return requests.key_hash(key)

