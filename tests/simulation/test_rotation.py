"""Certificates and CAs are rotated under a living fleet: every link moves, and none is lost."""

from __future__ import annotations

import base64
import contextlib
import math
import random
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import cast

import attrs
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.agent import uplink
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.net.certificates import CLIENTS, SERVERS, Facts
from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.net.errors import TlsFailed
from trio_argoagent.net.refusals import Ours
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import Authority
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import tenure
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.freshness import Freshness, Mark
from trio_argoagent.runtime.material import LOOK, Material, renewed
from trio_argoagent.runtime.tlssources import Secret
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet, SpokePlan, run_fleet
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE
from trio_argoagent.testing.outages import HUB
from trio_argoagent.testing.tlswire import Side, TlsNetwork

NAMES = ("m1", "m2", "m3", "a1", "a2")
CA, MINE = "ca", "mine"
DECADES = 20 * 365 * 86_400.0
"""Seconds: OpenSSL judges by the real clock, and the fleet's begins years ago."""
MOVED = max(uplink.RENEWED_SPREAD, tenure.SPREAD) + 2 * LOOK + 60.0
"""Seconds after which everybody has another link."""


@attrs.frozen
class Trust:
    """A CA, all of one name, as when somebody makes it anew."""

    authority: Authority

    @classmethod
    def make(cls) -> Trust:
        """A new one."""
        return cls(Authority.create(keys.new_key(), name="hub", serial=7, now=_past(), lifetime=DECADES))

    @property
    def pem(self) -> bytes:
        """Its root."""
        return self.authority.certificate_pem

    def issue(self, program: str) -> dict[str, bytes]:
        """A certificate for this program, and its key."""
        key = keys.new_key()
        if program == PRINCIPAL:
            pem = self.authority.issue_server(
                key.public_key(), name="p", hosts=[LOOPBACK], serial=_serial(), now=_past(), lifetime=DECADES
            )
        else:
            pem = self.authority.issue_client(
                key.public_key(), agent=program, serial=_serial(), now=_past(), lifetime=DECADES
            )
        return {"tls.crt": pem, "tls.key": keys.key_pem(key)}


def _past() -> float:
    return real_env().now() - DECADES / 2


def _serial() -> int:
    return keys.serial_number(real_env().entropy(keys.SERIAL_SIZE))


class World:
    """A fleet whose programs have their material in Secrets of their own clusters."""

    def __init__(self) -> None:
        modes = {"m": Mode.MANAGED, "a": Mode.AUTONOMOUS}
        self.fleet = Fleet(11, [SpokePlan(name, modes[name[0]]) for name in NAMES], level=2)
        self.sides: dict[str, Side] = {}
        self.refused: list[Exception] = []
        self.said: list[tuple[str, Event]] = []
        self.fleet.network = TlsNetwork(random.Random(5), self.sides, self.refused.append)
        self.fleet.observers.append(lambda program, event: self.said.append((program, event)))

    def cluster(self, program: str) -> str:
        """Where this program is at home."""
        return HUB if program == PRINCIPAL else program

    async def put(self, program: str, name: str, files: dict[str, bytes]) -> None:
        """Its Secret holds that from now on."""
        cluster = self.fleet.cluster(self.cluster(program))
        data = {file: base64.b64encode(content).decode() for file, content in files.items()}
        await cluster.patch(SECRETS, NAMESPACE, name, MergePatch({"data": data}))

    async def furnish(self, program: str, trust: Trust, nursery: trio.Nursery) -> None:
        """Give a program its Secrets, and let it follow them."""
        cluster = self.fleet.cluster(self.cluster(program))
        for name in (CA, MINE):
            head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}}
            await cluster.create(SECRETS, head)
        await self.put(program, CA, {"ca.crt": trust.pem})
        await self.put(program, MINE, trust.issue(program))
        env = self.fleet.env
        material = Material(env, lambda event: self.said.append((program, event)))
        bundle = await material.trust("links", Secret(cluster, NAMESPACE, CA, "--ca"))
        purpose = SERVERS if program == PRINCIPAL else CLIENTS
        mine = Secret(cluster, NAMESPACE, MINE, "--cert")
        identity = await material.identity("links", mine, purpose, bundle)

        def make() -> ssl.SSLContext:
            certificate, key, ca = identity.value.certificate, identity.value.key, bundle.value.pem
            if program == PRINCIPAL:
                return server_context(
                    certificate=certificate, key=key, client_ca=ca, require_client=False, alpn=("h2",)
                )
            return client_context(ca=ca, certificate=certificate, key=key, alpn=("h2",))

        def shown() -> Sequence[Facts]:
            return identity.value.chain

        def trusted() -> Sequence[Facts]:
            return bundle.value.roots

        ours = Ours(env.now, purpose, shown, trusted)
        self.sides[program] = Side(renewed(make, identity, bundle), Freshness(identity, bundle), ours)
        nursery.start_soon(material.run)

    def count(self, name: str) -> dict[str, int]:
        """How often each agent has told of this."""
        counts = {agent: 0 for agent in NAMES}
        for program, event in self.said:
            if program in counts and event.name == name:
                counts[program] += 1
        return counts

    def texts(self, program: str, name: str) -> list[str]:
        """What a program has told of this."""
        return [event.text for who, event in self.said if who == program and event.name == name]

    async def moved(self, number: int) -> None:
        """Each agent has had so many links since, each begun before the last was left, and none broke."""
        await trio.sleep(MOVED)
        assert self.count("link-up") == dict.fromkeys(NAMES, number)
        assert self.count("link-broken") == self.count("link-refused") == dict.fromkeys(NAMES, 0)
        assert [exc for exc in self.refused if isinstance(exc, TlsFailed)] == []
        await self.fleet.wait_consistent()


@contextlib.asynccontextmanager
async def world(trust: Trust) -> AsyncIterator[World]:
    """It runs, and all are connected."""
    made = World()
    async with trio.open_nursery() as nursery, run_fleet(made.fleet, start=False):
        for program in (PRINCIPAL, *NAMES):
            await made.furnish(program, trust, nursery)
        made.fleet.start()
        await made.fleet.wait_consistent()
        made.said.clear()  # Some have dialled before anybody was there.
        yield made
        nursery.cancel_scope.cancel()


async def test_a_rotation_of_everything(autojump_clock: MockClock) -> None:
    """Server, clients, then the CA by overlapping roots: each step costs each agent one planned move."""
    old, new = Trust.make(), Trust.make()
    async with world(old) as hub:
        await hub.moved(0)
        await hub.put(PRINCIPAL, MINE, old.issue(PRINCIPAL))
        await hub.moved(1)
        for name in NAMES:
            await hub.put(name, MINE, old.issue(name))
        await hub.moved(2)
        for program in (PRINCIPAL, *NAMES):
            await hub.put(program, CA, {"ca.crt": old.pem + new.pem})
        await hub.moved(3)
        for program in (PRINCIPAL, *NAMES):
            await hub.put(program, MINE, new.issue(program))
        await trio.sleep(MOVED)
        ups = hub.count("link-up")
        assert all(4 <= number <= 5 for number in ups.values())  # Both ends are new: one move may do.
        await hub.put(PRINCIPAL, CA, {"ca.crt": new.pem})
        await trio.sleep(MOVED)
        assert hub.count("link-up") == ups  # Nobody hangs on the old root.
        for name in NAMES:
            await hub.put(name, CA, {"ca.crt": new.pem})
        await trio.sleep(MOVED)
        assert hub.count("link-up") == {name: number + 1 for name, number in ups.items()}
        assert hub.count("link-broken") == hub.count("link-refused") == dict.fromkeys(NAMES, 0)
        assert hub.texts(PRINCIPAL, "link-outlived") == []
        await hub.fleet.wait_consistent()


class Scripted:
    """A ``Freshness`` whose material is new when the test says so."""

    trust = None
    """It follows no CA certificates."""

    def __init__(self) -> None:
        self.mark, self._new = Mark(0, 0, math.inf), trio.Event()

    def renew(self, not_after: float) -> None:
        """Certificates from now on expire then, and there is a newer one already."""
        self.mark = Mark(self.mark.identity + 1, 0, not_after)
        new, self._new = self._new, trio.Event()
        new.set()

    async def wait_changed(self, mark: Mark, *, trust: bool = True, identity: bool = True) -> Mark:
        """See ``Freshness``."""
        while self.mark == mark:
            await self._new.wait()
        return self.mark


@pytest.mark.parametrize("left", [30.0, 90.0, 1e9])
async def test_a_certificate_that_is_about_to_expire(autojump_clock: MockClock, left: float) -> None:
    """The agent does not take its time then: the old one is left a minute before, or at once."""
    fleet, material = Fleet(3, [SpokePlan("m1")]), Scripted()

    def freshness(program: str) -> Freshness | None:
        return cast(Freshness, material) if program == "m1" else None

    fleet.network.freshness = freshness  # type: ignore[method-assign]
    moving: list[float] = []

    def note(program: str, event: Event) -> None:
        if event.name == "link-moving":
            moving.append(trio.current_time())

    fleet.observers.append(note)
    material.renew(fleet.env.now() + left)
    async with run_fleet(fleet):
        await fleet.wait_consistent()
        expires, began = material.mark.not_after, trio.current_time()
        material.renew(expires + 1e6)
        latest = min(uplink.RENEWED_SPREAD, max(0.0, expires - fleet.env.now() - uplink.RENEWED_MARGIN))
        await trio.sleep(uplink.RENEWED_SPREAD + 1.0)
        (at,) = moving
        assert at - began <= latest
        agent = fleet.agents["m1"].instance
        assert agent is not None and agent.status().links == 2


async def test_a_root_that_is_dropped_too_early(autojump_clock: MockClock) -> None:
    """Who still hangs on it is asked, told goodbye a minute later, and reads why it is not let in again."""
    old, new = Trust.make(), Trust.make()
    async with world(old) as hub:
        await hub.put(PRINCIPAL, CA, {"ca.crt": old.pem + new.pem})
        await hub.put("m1", CA, {"ca.crt": old.pem + new.pem})
        await trio.sleep(2 * LOOK)
        await hub.put("m1", MINE, new.issue("m1"))
        await trio.sleep(MOVED)
        ups = hub.count("link-up")
        await hub.put(PRINCIPAL, CA, {"ca.crt": new.pem})
        await trio.sleep(LOOK + tenure.GRACE - 1.0)
        assert all(agent.instance is not None for agent in hub.fleet.agents.values())
        outlived = hub.texts(PRINCIPAL, "link-outlived")
        assert len(outlived) == len(NAMES) - 1
        assert all("the CA of its certificate is not trusted any more" in text for text in outlived)
        await trio.sleep(2 * LOOK)
        live = {name: hub.fleet.network.links(name) for name in NAMES}
        assert live == {name: int(name == "m1") for name in NAMES}
        assert hub.count("link-up") == ups
        assert "another connection" not in hub.texts("m2", "link-ended")[-1]
        (reason, *_) = hub.texts("m2", "link-refused")
        assert "does not accept our client certificate (unknown ca): it was issued by CN=hub" in reason
