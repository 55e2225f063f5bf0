"""A hundred agents get another CA while their objects change: no link is lost but for those that move.

Virtual time. The principal, the agents, their renewers, the hub's desk and ``ctl pki rotate-ca`` are the
product's. The network carries frames without TLS, so a connection is let through by what its two ends hold
then, as the handshakes of ``tests/unit/pki/test_rotation_in_tls.py`` are.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import trio
import trio.testing
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.agent import Agent
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli import ctl_pki, ctl_rotate, vaults
from trio_argoagent.cli.key_options import Order
from trio_argoagent.cli.vaults import ClusterVault
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.model.rulings import Decision
from trio_argoagent.net.certificates import CLIENTS, SERVERS, Facts, facts
from trio_argoagent.pki import keys
from trio_argoagent.pki.bundles import Bundle
from trio_argoagent.pki.rotation import NOTES
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.transport import Link
from trio_argoagent.principal import Principal
from trio_argoagent.runtime.config import AgentConfig, PrincipalConfig
from trio_argoagent.runtime.enrolment import Rules
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.runtime.material import Material, open_material
from trio_argoagent.runtime.tlssources import Secret
from trio_argoagent.runtime.tlsvalues import Identity, Trust
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.furnishing import EVERYWHERE, add_agent
from trio_argoagent.testing.network import Network

from ..unit.agent.enrolling import SPOKE, Spoke, make_spoke
from ..unit.principal.enrolling import DAY, HUB, Hub, make_hub

HOUR = 3600.0
AGENTS = 100
EDIT_EVERY = 5.0
"""Seconds between two edits of somebody's Application."""
SETTLE = 700.0
"""Seconds after the end of the rotation in which the last links move."""
RUN_EVERY = 60.0
"""Seconds between two runs of ``rotate-ca``."""


def issuer_of(identity: Identity, trust: Trust) -> Facts | None:
    """The root among those that has signed this certificate."""
    found = Bundle.read(trust.pem).issuer_of(keys.load_certificates(identity.certificate)[0])
    return facts(found.public_bytes(Encoding.DER)) if found is not None else None


@attrs.define
class Site:
    """One agent, and what its links are made of."""

    spoke: Spoke
    freshness: Freshness
    events: Counter[str] = attrs.field(factory=Counter)

    @property
    def identity(self) -> Identity:
        """Its certificate, as it is used now."""
        return _identity(self.freshness)

    @property
    def trust(self) -> Trust:
        """What it trusts now."""
        return _trust(self.freshness)

    def told(self, event: Event) -> None:
        """The agent reports something."""
        self.events[event.name] += 1


@attrs.define
class Play:
    """The fleet, and the listener of its principal: it lets in whoever TLS would let in."""

    hub: Hub
    network: Network
    freshness: Freshness
    sites: dict[str, Site]
    refused: list[str] = attrs.field(factory=list)

    async def serve(self, handler: Callable[[Link], Awaitable[None]], **more: Any) -> None:
        """See ``Listener``."""

        async def checked(link: Any) -> None:
            site = self.sites[link.peer.name]
            theirs = issuer_of(_identity(site.freshness), _trust(self.freshness))
            ours = issuer_of(_identity(self.freshness), _trust(site.freshness))
            if theirs is None or ours is None:
                self.refused.append(link.peer.name)
                return
            link.peer = attrs.evolve(link.peer, anchor=theirs.anchor)
            await handler(link)

        await self.network.listener().serve(checked, **more)


def _identity(freshness: Freshness) -> Identity:
    assert freshness.identity is not None
    return freshness.identity.value


def _trust(freshness: Freshness) -> Trust:
    assert freshness.trust is not None
    return freshness.trust.value


async def _follow(material: Material, cluster: LocalCluster, space: str, name: str, what: str) -> Freshness:
    trust = await material.trust("links", Secret(cluster, space, vaults.CA, "--ca", notes=NOTES))
    secret = Secret(cluster, space, name, "--tls")
    return Freshness(await material.identity("links", secret, what, trust), trust)


async def make_play(hub: Hub, material: Material, *names: str) -> Play:
    """A hub and its spokes, with certificates of one root for half a year."""
    vault = ClusterVault(hub.cluster, HUB)
    await ctl_pki.issue_server(vault, "principal", ("hub.example",), Order(), hub.env, upsert=False)
    await hub.cluster.create(APP_PROJECTS, app_project(namespace=HUB, **EVERYWHERE))
    sites = {}
    for name in names:
        await add_agent(hub.cluster, HUB, name)
        await hub.cluster.create(APPLICATIONS, application("web", namespace=name))
        spoke = await make_spoke(hub)
        await spoke.put(lifetime=180 * DAY, name=name)
        sites[name] = Site(spoke, await _follow(material, spoke.cluster, SPOKE, vaults.CLIENT, CLIENTS))
    own = await _follow(material, hub.cluster, HUB, vaults.PRINCIPAL, SERVERS)
    return Play(hub, Network(random.Random(1)), own, sites)


async def edit(play: Play) -> None:
    """Somebody changes Applications all the time."""
    count = 0
    while True:
        for name in play.sites:
            count += 1
            patch = MergePatch({"spec": {"source": {"targetRevision": f"v{count}"}}})
            await play.hub.cluster.patch(APPLICATIONS, name, "web", patch)
            await trio.sleep(EDIT_EVERY)


async def revisions(play: Play) -> list[tuple[str, str]]:
    """What each Application wants: on the hub, and on its spoke."""
    found = []
    for name, site in play.sites.items():
        here = await play.hub.cluster.get(APPLICATIONS, name, "web")
        there = await site.spoke.cluster.get(APPLICATIONS, SPOKE, "web")
        found.append(tuple(str(each.get("spec")["source"]["targetRevision"]) for each in (here, there)))
    return found  # type: ignore[return-value]


def make_principal(play: Play) -> Principal:
    """The hub's."""
    principal = Principal(PrincipalConfig(HUB), cluster=play.hub.cluster, listener=play, env=play.hub.env)
    principal.follow(play.freshness)
    return principal


def make_agent(play: Play, name: str) -> Agent:
    """One of them, started anew."""
    site = play.sites[name]
    return Agent(
        AgentConfig(SPOKE, Mode.MANAGED, name),
        cluster=site.spoke.cluster,
        dialer=play.network.dialer(name),
        env=play.hub.env,
        observer=site.told,
        renewer=site.spoke.renewer(),
        freshness=site.freshness,
    )


async def take_part(play: Play, site: Site, vault: ClusterVault) -> None:
    """Let the only agent have both roots, and a certificate of the new one; it hears of nothing further."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(make_agent(play, "away").run)
        new = ""
        with trio.fail_after(HOUR):
            while not new or new != getattr(issuer_of(site.identity, site.trust), "fingerprint", ""):
                standing = await ctl_rotate.rotate(vault, Order(), play.hub.env)
                assert standing.rotation is not None
                new = standing.rotation.new
                await trio.sleep(RUN_EVERY)
        nursery.cancel_scope.cancel()


async def test_an_agent_that_it_was_over_without(autojump_clock: trio.testing.MockClock) -> None:
    """It went away with both roots: when it comes back, by its last key, it is told which one was dropped."""
    hub = await make_hub(Rules(lifetime=HOUR))
    async with trio.open_nursery() as nursery, open_material(hub.env, lambda event: None) as material:
        play = await make_play(hub, material, "away")
        site, vault = play.sites["away"], ClusterVault(hub.cluster, HUB)
        (old,) = (await ctl_pki.trusted(vault)).fingerprints
        principal = make_principal(play)
        await nursery.start(lambda task_status: principal.run(task_status=task_status))
        await take_part(play, site, vault)
        standing = await ctl_rotate.rotate(vault, Order(), hub.env, without=["away"])
        while standing.rotation is not None:
            await trio.sleep(RUN_EVERY)
            standing = await ctl_rotate.rotate(vault, Order(), hub.env)
        (new,) = (await ctl_pki.trusted(vault)).fingerprints
        await trio.sleep(2 * HOUR)
        assert site.trust.fingerprints == (old, new)
        nursery.start_soon(make_agent(play, "away").run)
        await trio.sleep(60.0)
        assert hub.rulings[-1].decision is Decision.REJOINED
        assert site.trust.fingerprints == (new,)
        await trio.sleep(HOUR)
        assert site.trust.fingerprints == (new,)
        assert principal.peers["away"].link is not None and play.refused == []
        nursery.cancel_scope.cancel()


async def test_a_fleet_under_load(autojump_clock: trio.testing.MockClock) -> None:
    """From one root to another: each connection is left for the next one only, and nothing stays behind."""
    hub = await make_hub()
    async with trio.open_nursery() as nursery:
        async with open_material(hub.env, lambda event: None) as material:
            play = await make_play(hub, material, *(f"a{n}" for n in range(AGENTS)))
            vault = ClusterVault(hub.cluster, HUB)
            principal = make_principal(play)
            await nursery.start(lambda task_status: principal.run(task_status=task_status))
            for name in play.sites:
                nursery.start_soon(make_agent(play, name).run)
            await trio.sleep(60.0)
            editing = trio.CancelScope()

            async def edit_on() -> None:
                with editing:
                    await edit(play)

            nursery.start_soon(edit_on)
            old = (await ctl_pki.trusted(vault)).fingerprints
            phases = []
            with trio.fail_after(2 * 3600.0):
                while (standing := await ctl_rotate.rotate(vault, Order(), hub.env)).rotation is not None:
                    phases.append(str(standing.rotation.phase))
                    await trio.sleep(RUN_EVERY)
            await trio.sleep(SETTLE)
            editing.cancel()
            await trio.sleep(60.0)
            assert list(dict.fromkeys(phases)) == ["trust", "renew", "drop"]
            new = (await ctl_pki.trusted(vault)).fingerprints
            assert len(new) == 1 and new != old
            assert play.refused == []
            for name, site in play.sites.items():
                assert site.events["link-broken"] == site.events["link-refused"] == 0, name
                assert site.events["link-up"] == 1 + site.events["link-moving"], name
                assert site.events["certificate-renewed"] + site.spoke.names.count("certificate-renewed") == 1
                assert _trust(site.freshness).fingerprints == new, name
                assert issuer_of(_identity(site.freshness), _trust(site.freshness)) is not None, name
            assert all(here == there for here, there in await revisions(play))
            nursery.cancel_scope.cancel()
