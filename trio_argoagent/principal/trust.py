"""The hub's authorities while one takes over from another: the agents are told, and what they answer is
written down.

``trio-argoagent ctl pki rotate-ca`` changes the Secret ``argocd-agent-ca`` and reads, from an annotation of
each agent's cluster secret, which roots the agent trusts and which one its certificate is of. Nothing is said
or written unless that Secret says that a rotation is under way.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Final, TypeVarTuple, Unpack

import attrs
import msgspec
import trio

from trio_argoagent import errors
from trio_argoagent.errors import UserError
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.net.certificates import all_facts, pem_blocks
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.stream.protocol import messages

LOOK: Final = 10.0
"""Seconds between two looks at the Secret."""
GATHER: Final = 1.0
"""Seconds for which what is heard is gathered before it is written: a fleet comes at once."""
PATIENCE: Final = 10.0
"""Seconds for the hub's API server."""
FRESH: Final = 3600.0
"""Seconds for which it is not written anew that an agent is still there."""
TRUST: Final = "trio-argoagent/trust"
"""The annotation of a cluster secret: what was last seen of an agent, see ``Seen``."""
Given = TypeVarTuple("Given")
_ANSWERS: Final = (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError, trio.TooSlowError)


class Seen(msgspec.Struct, frozen=True):
    """What was last seen of an agent.

    Attributes:
        at: when (Unix time).
        issuer: fingerprint of the root that its certificate is of; empty: of none that takes part.
        roots: fingerprints of those that it trusts; None: it has not said.
    """

    at: int
    issuer: str = ""
    roots: tuple[str, ...] | None = None


def read_seen(text: str) -> Seen | None:
    """What the annotation says; None: nothing that can be read."""
    try:
        return msgspec.json.decode(text, type=Seen) if text else None
    except msgspec.MsgspecError:
        return None


@attrs.define
class _Live:
    """An agent that is connected.

    Attributes:
        anchor: of the root that its certificate is of, see ``net.certificates.Facts``; empty: it has none.
        roots: that it trusts; None: it has not said.
        written: what stands in its secret because of this link; None: nothing yet.
    """

    anchor: str
    roots: tuple[str, ...] | None = None
    written: Seen | None = None


class Authorities:
    """See the module.

    Args:
        cluster: the hub's.
        namespace: Argo CD's.
        env: of the principal.
        secret_of: the name of an agent's cluster secret; empty: it has none.
        wake: to call when there is something new to say.
        report: told what cannot be done: name, text, level.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        env: Env,
        secret_of: Callable[[str], str],
        wake: Callable[[], None],
        report: Callable[[str, str, str], None],
    ) -> None:
        self._cluster, self._namespace, self._env = cluster, namespace, env
        self._secret = ""
        self._secret_of, self._wake, self._report = secret_of, wake, report
        self._live: dict[str, _Live] = {}
        self._version = self._problem = ""
        self._heard = trio.Event()
        self.said: messages.Authorities | None = None
        """What every agent is told; None: there is no rotation."""

    def follow(self, secret: str) -> None:
        """Before ``run``: the Secret of the authority. Without it nothing is said or written."""
        self._secret = secret

    def link_up(self, agent: str, anchor: str) -> None:
        """An agent has come with a certificate of the root of this ``Facts.anchor`` (empty: it has none)."""
        self._live[agent] = _Live(anchor)
        self._heard.set()

    def hear(self, agent: str, said: messages.Trusted) -> None:
        """An agent says what it trusts."""
        if agent in self._live:
            self._live[agent].roots = tuple(each.hex().upper() for each in said.roots)
            self._heard.set()

    def link_down(self, agent: str) -> None:
        """It has gone."""
        self._live.pop(agent, None)

    async def run(self) -> None:
        """Look at the Secret and write down what is seen, until cancelled."""
        if not self._secret:
            return
        while True:
            self._heard = trio.Event()
            await self._guarded(self._look)
            if self.said is None:
                await trio.sleep(LOOK)
                continue
            for agent in tuple(self._live):
                await self._guarded(self._write, agent)
            with trio.move_on_after(LOOK):
                await trio.sleep(GATHER)
                await self._heard.wait()

    async def _guarded(self, step: Callable[[Unpack[Given]], Awaitable[None]], *given: *Given) -> None:
        problem = ""
        try:
            with trio.fail_after(PATIENCE):
                await step(*given)
        except (UserError, *_ANSWERS) as exc:
            problem = f"Secret {self._namespace}/{self._secret}: {str(exc) or 'no answer'}"
        if problem and problem != self._problem:
            self._report("ca-unknown", problem, "warning")
        self._problem = problem

    async def _look(self) -> None:
        try:
            found = await self._cluster.get(SECRETS, self._namespace, self._secret)
        except errors.NotFound:
            self._version, said = "", None
        else:
            if found.meta.resource_version == self._version:
                return
            said = said_by(found)
            self._version = found.meta.resource_version
        if said != self.said:
            self.said = said
            for each in self._live.values():
                each.written = None
            self._wake()

    async def _write(self, agent: str) -> None:
        live, secret = self._live.get(agent), self._secret_of(agent)
        if live is None or not secret or self.said is None:
            return
        now, known = int(self._env.now()), live.written
        seen = Seen(now, issuer_of(live.anchor, self.said), live.roots)
        same = known is not None and (known.issuer, known.roots) == (seen.issuer, seen.roots)
        if known is not None and same and now < known.at + FRESH:
            return
        annotations = {TRUST: msgspec.json.encode(seen).decode()}
        await self._cluster.patch(
            SECRETS, self._namespace, secret, MergePatch({"metadata": {"annotations": annotations}})
        )
        live.written = seen


def said_by(secret: Object) -> messages.Authorities | None:
    """What the agents are told because of this Secret; None: there is no rotation.

    Raises:
        UserError: it cannot be read.
    """
    from trio_argoagent.pki import rotation
    from trio_argoagent.pki.bundles import Bundle

    state = rotation.read(secret.annotations.get(rotation.ANNOTATION, ""))
    if state is None:
        return None
    data = secret.get("data") or {}
    try:
        pem = base64.b64decode(data.get("ca.crt") or data.get("tls.crt") or "", validate=True)
        own = Bundle.read(base64.b64decode(data.get("tls.crt") or "", validate=True))
        signer = bytes.fromhex(own.fingerprints[0])
        dropped = (bytes.fromhex(state.old),) if state.phase is rotation.Phase.DROP else ()
    except (binascii.Error, ValueError) as exc:
        raise UserError(f"it cannot be read: {exc}") from exc
    return messages.Authorities(Bundle.read(pem).pem, signer, dropped)


def issuer_of(anchor: str, said: messages.Authorities) -> str:
    """Fingerprint of the root with this anchor; empty: it is none of those that take part."""
    roots = all_facts(pem_blocks(said.pem))
    return next((root.fingerprint for root in roots if root.anchor == anchor), "")
