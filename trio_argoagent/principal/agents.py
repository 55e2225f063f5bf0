"""The agents of a hub: follows their cluster secrets and carries out what ``registry`` decides."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model import identity
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.model.rulings import Decision, Ruling, about
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import clusters
from trio_argoagent.principal.clusters import Entry, Pin
from trio_argoagent.principal.hub import Hub
from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.registry import (
    PINNED_RETRY,
    Admit,
    Deed,
    Effect,
    Register,
    Registry,
    WritePin,
)
from trio_argoagent.replication.known import Known
from trio_argoagent.runtime.config import SelfRegistration
from trio_argoagent.stream.protocol.messages import Goodbye, Reason, Refuse

MAX_AGENTS: Final = 10_000
"""Agents one principal will know."""
PATIENCE: Final = 10.0
"""Seconds for the hub's API server to take note of an agent that dials; it waits for us meanwhile."""
BUSY_RETRY: Final = 2.0
"""Seconds after which an agent that could not be noted may ask again."""
_ANSWERS: Final = (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError)


@attrs.define(eq=False)
class _Life:
    """One peer at work."""

    peer: Peer
    pin: Pin
    home: str
    after: _Life | None
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    ended: trio.Event = attrs.field(factory=trio.Event)

    async def run(self) -> None:
        try:
            if self.after is not None:
                # Two of one agent must not write at once.
                await self.after.ended.wait()
                self.after = None
            with self.scope:
                await self.peer.run()
        finally:
            self.ended.set()


class Agents:
    """See the module.

    Args:
        hub: where they are registered.
        build: makes the peer of a registered agent, given its hub namespace.
        part: called before an agent is forgotten or begun anew, with what its link shall be told.
        forget: called when nothing is left of an agent that is followed no more.
        report: told what happens: agent, name, text, level.
        registration: how an agent without a secret gets one; None: it does not.
    """

    def __init__(
        self,
        hub: Hub,
        build: Callable[[str, Pin, str], Peer],
        part: Callable[[str, Goodbye], None],
        forget: Callable[[str], None],
        report: Callable[[str, str, str, str], None],
        registration: SelfRegistration | None,
    ) -> None:
        self._hub, self._build, self._report = hub, build, report
        self._part, self._forgotten = part, forget
        self._secrets = hub.secrets
        self._known = Known(hub.secrets)
        self._registration = registration
        self._registry = Registry(registers=registration is not None, most=MAX_AGENTS)
        self._lives: dict[str, _Life] = {}
        self._homes: dict[str, str] = {}
        self._leaving: dict[str, _Life] = {}
        self._newborn, self._births = trio.open_memory_channel[_Life](MAX_AGENTS)
        self.peers: dict[str, Peer] = {}
        """The agents whose wishes are followed, by name."""
        self._secrets.on_change(self._on_secret)
        self._secrets.on_state(self._on_state)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Work for all agents until cancelled. Started once it is known which there are."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._secrets.run, name=f"informer {self._secrets.name}")
            task_status.started()
            async for life in self._births:
                nursery.start_soon(self._live, life, name=f"agent {life.peer.mapping.agent}")

    async def _live(self, life: _Life) -> None:
        await life.run()
        name = life.peer.mapping.agent
        if name not in self.peers:
            # What its last steps have put there.
            self._hub.memory.forget(name)
            self._forgotten(name)

    # What the secrets say

    def _on_secret(self, change: Change) -> None:
        self._look(change.object.meta.name)

    def _look(self, secret: str) -> None:
        # An answer to our own write may be newer than what the informer shows.
        found = self._known.get(self._hub.namespace, secret)
        entry = clusters.read_entry(found) if found is not None else None
        if entry is not None and entry.problem:
            self._report(entry.agent, "agent-unusable", entry.problem, "warning")
        for deed in self._registry.see(secret, entry):
            self._do(deed)

    def _on_state(self) -> None:
        if self._secrets.degraded:
            text = f"the hub's cluster secrets: {self._secrets.degraded}"
            self._report("", "agents-unknown", text, "warning")

    def _do(self, deed: Deed) -> None:
        if deed.effect is Effect.FORGET:
            self._forget(deed.agent, Goodbye(Reason.UNKNOWN_AGENT, deed.why))
        elif deed.entry is not None and deed.entry.pin is not None:
            self._follow(deed.agent, deed.entry.pin, deed.entry.home)

    def _follow(self, name: str, pin: Pin, home: str) -> None:
        if len(self.peers) >= MAX_AGENTS:
            self._report(name, "agent-unusable", f"this principal knows {MAX_AGENTS} agents already", "error")
            return
        peer = self.peers[name] = self._build(name, pin, home)
        self._homes[home] = name
        life = self._lives[name] = _Life(peer, pin, home, self._leaving.pop(name, None))
        self._newborn.send_nowait(life)

    def _forget(self, name: str, goodbye: Goodbye) -> None:
        if self._end(name, goodbye) is not None:
            self._report(name, "agent-forgotten", goodbye.detail, "info")
            self._hub.audit(Ruling(Decision.REVOKED, "link", goodbye.detail, name))

    def restart(self, name: str, goodbye: Goodbye) -> None:
        """Whatever this agent has said is forgotten, also what was about to be done about it.

        Its link ends with that goodbye, and it may come back. What its copies are follows from the hub's
        objects again.
        """
        life = self._end(name, goodbye)
        if life is not None:
            self._follow(name, life.pin, life.home)

    def _end(self, name: str, goodbye: Goodbye) -> _Life | None:
        if self.peers.pop(name, None) is None:
            return None
        life = self._lives.pop(name)
        self._homes = {home: agent for home, agent in self._homes.items() if agent != name}
        life.scope.cancel()
        self._leaving = {n: each for n, each in self._leaving.items() if not each.ended.is_set()}
        self._leaving[name] = life
        self._part(name, goodbye)
        self._hub.memory.forget(name)
        return life

    # Who dials

    async def admit(self, who: identity.Peer, pin: Pin) -> Refuse | None:
        """Somebody with the certificate of this agent says that it is this: why it is not let in, if so.

        When it is let in it is in ``peers`` now, and pinned on the hub.
        """
        name = who.name
        with trio.move_on_after(PATIENCE):
            try:
                while not isinstance(decision := self._registry.judge(name, pin), Admit | Refuse):
                    refusal = await self._note(who, decision)
                    if refusal is not None:
                        return refusal
            except _ANSWERS as exc:
                return _busy(name, str(exc))
            if isinstance(decision, Refuse):
                return decision
            return None if name in self.peers else _busy(name, f"it knows {MAX_AGENTS} agents already")
        return _busy(name, f"no answer within {PATIENCE:.0f} s")

    def owner(self, namespace: str) -> str:
        """The agent whose Applications are in this hub namespace; empty: none that is followed."""
        return self._homes.get(namespace, "")

    def entry(self, name: str) -> Entry | None:
        """What the cluster secret of this agent says; None: it has none."""
        return self._registry.entry(name)

    async def _note(self, who: identity.Peer, decision: WritePin | Register) -> Refuse | None:
        """Write down who this agent is; why that cannot be, if so."""
        if isinstance(decision, Register):
            return await self._register(who, decision.pin)
        await self._write_pin(who, decision)
        return None

    async def _register(self, who: identity.Peer, pin: Pin) -> Refuse | None:
        """Make the cluster secret of an agent that has none.

        Raises:
            NotFound: the secret with Argo CD's client certificate is missing.
        """
        assert self._registration is not None
        name, cluster, namespace, tls = who.name, self._hub.cluster, self._hub.namespace, None
        if self._registration.client_secret:
            found = await cluster.get(SECRETS, namespace, self._registration.client_secret)
            tls = {key: base64.b64decode(text) for key, text in (found.get("data") or {}).items()}
        address = self._registration.address
        value = clusters.make_secret(name, namespace, address, tls=tls, pin=pin, registered=True)
        try:
            made = await cluster.create(SECRETS, value)
        except errors.AlreadyExists:
            made = await cluster.get(SECRETS, namespace, clusters.secret_name(name))
            if not clusters.is_of(made, name):
                text = f"secret {made.meta.name} is there, without the labels of {name}'s cluster: set them"
                return Refuse(Reason.IDENTITY, f"{text}, or remove it", PINNED_RETRY)
        self._wrote(made)
        self._report(name, "agent-registered", f"{name} has a cluster secret from now on", "info")
        self._hub.audit(about(who, Decision.REGISTERED, "link", f"secret {made.meta.name}, for {pin}"))
        return None

    async def _write_pin(self, who: identity.Peer, decision: WritePin) -> None:
        name, secret = who.name, decision.entry.secret
        live = self._known.get(self._hub.namespace, secret)
        assert live is not None  # The decision is about what it says.
        metadata = {
            "uid": live.meta.uid,
            "resourceVersion": live.meta.resource_version,
            "annotations": {clusters.PINNED: str(decision.pin)},
        }
        try:
            patch = MergePatch({"metadata": metadata})
            self._wrote(await self._hub.cluster.patch(SECRETS, self._hub.namespace, secret, patch))
            self._report(name, "agent-pinned", f"{name} is {decision.pin} from now on", "info")
            self._hub.audit(about(who, Decision.PINNED, "link", f"{decision.pin}"))
        except errors.Conflict:
            self._wrote(await self._hub.cluster.get(SECRETS, self._hub.namespace, secret))
        except errors.NotFound:
            self._known.gone(self._hub.namespace, secret, live.meta.uid, live.meta.resource_version)
            self._look(secret)

    def _wrote(self, secret: Object) -> None:
        self._known.wrote(clusters.lean(secret))
        self._look(secret.meta.name)


def _busy(name: str, detail: str) -> Refuse:
    return Refuse(Reason.NOT_READY, f"the hub cannot take note of {name} now: {detail}", BUSY_RETRY)
