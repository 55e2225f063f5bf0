"""The hub's authorities while one takes over from another: the agents are told, and what they answer is
written down.

``trio-argoagent ctl pki rotate-ca`` changes the Secret ``argocd-agent-ca`` and reads, from an annotation of
each agent's cluster secret, which roots the agent trusts and which one its certificate is of. Nothing is
written unless that Secret says that a rotation is under way, and nothing is said but to whoever still trusts
what an earlier one has dropped while he was away. It is read by whoever follows the roots that links are
taken from, so that what agents are told is what they will be let in by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs
import msgspec
import trio

from trio_argoagent import errors
from trio_argoagent.errors import UserError
from trio_argoagent.model import nesting
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.net.certificates import all_facts, pem_blocks
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime import tlsvalues
from trio_argoagent.runtime.material import Held
from trio_argoagent.stream.protocol import messages

RETRY: Final = 10.0
"""Seconds after which it is looked again whether there is something to write."""
GATHER: Final = 1.0
"""Seconds for which what is heard is gathered before it is written: a fleet comes at once."""
PATIENCE: Final = 10.0
"""Seconds for the hub's API server."""
FRESH: Final = 3600.0
"""Seconds for which it is not written anew that an agent is still there."""
TRUST: Final = "trio-argoagent/trust"
"""The annotation of a cluster secret: what was last seen of an agent, see ``Seen``."""
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
        return nesting.decode(msgspec.json.Decoder(Seen), text.encode()) if text else None
    except (msgspec.MsgspecError, UnicodeError):
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
        wake: to call when there is something new to say to agents that have said nothing just now.
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
        self._held: Held[tlsvalues.Trust] | None = None
        self._secret_of, self._wake, self._report = secret_of, wake, report
        self._live: dict[str, _Live] = {}
        self._read: tlsvalues.Parts | None = None
        self._unreadable = ""
        self._problems: frozenset[str] = frozenset()
        self._heard = trio.Event()
        self.said: messages.Authorities | None = None
        """What every agent is told; None: there is no rotation."""
        self._over: messages.Authorities | None = None  # What those are told whom rotations have left behind.

    def follow(self, held: Held[tlsvalues.Trust]) -> None:
        """Before ``run``: the roots that links are taken from, with the annotation that tells of a rotation.

        Without it nothing is said or written.
        """
        self._held = held

    def said_to(self, agent: str) -> messages.Authorities | None:
        """What this agent is told, now that it has said what it trusts; None: nothing."""
        if self.said is not None or self._over is None:
            return self.said
        live = self._live.get(agent)
        trusted = live.roots or () if live is not None else ()
        return self._over if any(each.hex().upper() in trusted for each in self._over.dropped) else None

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
        """Say what holds, and write down what is seen, until cancelled."""
        if self._held is None:
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow, self._held)
            while True:
                self._heard = trio.Event()
                self._look(self._held)
                await self._write_all()
                if self.said is None:
                    await self._heard.wait()
                    continue
                with trio.move_on_after(RETRY):
                    await trio.sleep(GATHER)
                    await self._heard.wait()

    async def _follow(self, held: Held[tlsvalues.Trust]) -> None:
        while True:
            await held.changed.wait()
            self._heard.set()

    def _look(self, held: Held[tlsvalues.Trust]) -> None:
        if held.parts is self._read:
            return
        self._read, self._unreadable = held.parts, ""
        try:
            said, rotates = said_by(held.parts)
        except UserError as exc:
            self._unreadable = f"{held.source.where}: {exc}"
            return
        before = self.said, self._over
        self.said, self._over = (said, None) if rotates else (None, said)
        if before != (self.said, self._over):
            for each in self._live.values():
                each.written = None
            self._wake()

    async def _write_all(self) -> None:
        """What cannot be done is told once, however often it is tried, and whatever else goes well."""
        problems = [self._unreadable] if self._unreadable else []
        for agent in tuple(self._live) if self.said is not None else ():
            try:
                with trio.fail_after(PATIENCE):
                    await self._write(agent)
            except _ANSWERS as exc:
                why = str(exc) or "no answer"
                problems.append(f"what agent {agent} trusts cannot be written down: {why}")
        fresh = [each for each in problems if each not in self._problems]
        if fresh:
            more = f" (and {len(fresh) - 1} more)" if len(fresh) > 1 else ""
            self._report("ca-unknown", fresh[0] + more, "warning")
        self._problems = frozenset(problems)

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


def said_by(parts: tlsvalues.Parts) -> tuple[messages.Authorities | None, bool]:
    """What agents are told because the Secret holds this (None: nothing), and whether that is a rotation.

    Raises:
        UserError: it cannot be read.
    """
    from trio_argoagent.pki import rotation
    from trio_argoagent.pki.bundles import Bundle

    held = {name: part.content for name, part in parts.items()}
    state = rotation.read(held.get(rotation.ANNOTATION, b"").decode())
    dropped = rotation.read_dropped(held.get(rotation.DROPPED, b"").decode())
    if state is not None and state.phase is rotation.Phase.DROP:
        dropped = (*dropped, state.old)
    if state is None and not dropped:
        return None, False
    own = held.get(tlsvalues.CERTIFICATE, b"")
    try:
        bundle = Bundle.read(held.get(tlsvalues.CA) or own)
        signer = bytes.fromhex(Bundle.read(own).fingerprints[0])
        # What was taken back in is not dropped any more.
        gone = dict.fromkeys(each for each in dropped if each not in bundle.fingerprints)
        said = messages.Authorities(bundle.pem, signer, tuple(map(bytes.fromhex, gone)))
    except ValueError as exc:
        raise UserError(f"it cannot be read: {exc}") from exc
    return said, state is not None


def issuer_of(anchor: str, said: messages.Authorities) -> str:
    """Fingerprint of the root with this anchor; empty: it is none of those that take part."""
    roots = all_facts(pem_blocks(said.pem))
    return next((root.fingerprint for root in roots if root.anchor == anchor), "")
