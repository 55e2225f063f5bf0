"""A fleet that has exactly the rights of the shipped manifests: it works, and needs each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from trio_argoagent.apiserver.http import Fault
from trio_argoagent.apiserver.http.faults import What
from trio_argoagent.cli.ctl_token import create
from trio_argoagent.errors import NotFound
from trio_argoagent.model.resources import (
    APP_PROJECTS,
    APPLICATIONS,
    CONFIG_MAPS,
    SECRETS,
    Resource,
)
from trio_argoagent.pki.tokens import Kept
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.principal.tokens import KEPT
from trio_argoagent.principal.tokens import make_secret as make_token
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync import names
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd import names as argocd_names
from trio_argoagent.testing.argocd.application_controller import run_application_controller
from trio_argoagent.testing.argocd.applications import app_project, application, automated
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.furnishing import EVERYWHERE
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, Pki

from .kit import ANSWERED, Site, rights

pytestmark = pytest.mark.processes

DEADLINE = 240.0
"""Seconds for one thing to come about; a few are what it takes."""
FORBIDDEN = range(403, 404)
NOWHERE = "127.0.0.1:1"
"""An address at which nobody listens: there is no Redis here."""


class Fleet:
    """A hub and two spokes, one agent of each mode.

    Args:
        folder: for kubeconfigs.
        components: of the principal and of the managed agent.
        settings: more of them, of the principal.
        of_east: likewise, of the managed agent.
    """

    def __init__(
        self,
        folder: Path,
        components: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        of_east: Mapping[str, str] | None = None,
    ) -> None:
        self._settings, self._of_east = settings or {}, of_east or {}
        self.env, self._folder = real_env(), folder
        self.pki = Pki.create(self.env)
        self.hub = self._site("hub", "principal", *components)
        self.east = self._site("east", "agent-managed", *components)
        self.edge = self._site("edge", "agent-autonomous")
        # The hub's namespaces of the agents, where nobody makes them.
        self._namespaces = () if components else ("east", "edge")
        self.sites = (self.hub, self.east, self.edge)
        self.nursery: trio.Nursery
        self._written = trio.Event()

    def _site(self, name: str, overlay: str, *components: str) -> Site:
        return Site(name, overlay, components, self.pki, self.env, self._folder, self._wake)

    async def serve(self, nursery: trio.Nursery) -> None:
        """Start the clusters and their controllers, install, and start the three programs."""
        self.nursery = nursery
        for site in self.sites:
            site.machine.server.subscribe(lambda entry: self._wake())
            await nursery.start(site.machine.run)
        await self.hub.machine.make_namespaces(NAMESPACE, *self._namespaces)
        for site in (self.east, self.edge):
            await site.machine.make_namespaces(NAMESPACE)
            control = partial(
                run_application_controller,
                env=self.env,
                world=World(),
                settings=argocd_names.Settings(operation=0.1, progressing=0.1, pruning=0.1),
            )
            await nursery.start(control, site.machine.local("application-controller"), NAMESPACE)
        await self.make(self.edge, APP_PROJECTS, app_project(namespace=NAMESPACE))
        # One agent is known already, the other one registers itself.
        await self.make(self.hub, SECRETS, make_secret("edge", NAMESPACE))
        await self.start_principal()
        port = self.hub.program.environ["ARGOCD_PRINCIPAL_LISTEN_PORT"]
        # One agent has a certificate already, the other one a token to get it with.
        await self.make(self.east, SECRETS, tls("argocd-agent-client-tls", *self.pki.agent("east")))
        await self.make(self.east, SECRETS, credentials("argocd-agent-ca", {"ca.crt": self.pki.ca}))
        made = await create(self.hub.machine.local("ctl"), NAMESPACE, "edge", 3600.0, self.env)
        token = {"token": made.token.text.encode()}
        await self.make(self.edge, SECRETS, credentials("argocd-agent-bootstrap", token))
        for site in (self.east, self.edge):
            await site.install(
                {
                    "agent.server.address": LOOPBACK,
                    "agent.server.port": port,
                    "agent.redis.address": NOWHERE,
                    **(self._of_east if site is self.east else {}),
                }
            )
            await nursery.start(site.program.run)

    async def start_principal(self) -> None:
        """Install it, and start it on a free port, which it keeps."""
        authority = self.pki.authority
        ca = tls("argocd-agent-ca", authority.certificate_pem, authority.key_pem)
        await self.make(self.hub, SECRETS, ca)
        await self.make(self.hub, SECRETS, tls("argocd-agent-principal-tls", *self.pki.server("principal")))
        await self.hub.install(
            {
                "principal.listen.host": LOOPBACK,
                "principal.listen.port": "0",
                "principal.redis-proxy-port": "0",
                "principal.resource-proxy-port": "0",
                "principal.redis.server.address": NOWHERE,
                "principal.enable-self-cluster-registration": "true",
                **self._settings,
            }
        )
        await self.nursery.start(self.hub.program.run)
        with trio.fail_after(DEADLINE):
            said = await self.hub.program.wait_said("listening")
        self.hub.program.environ["ARGOCD_PRINCIPAL_LISTEN_PORT"] = said["detail"].rpartition(":")[2]

    def _wake(self) -> None:
        self._written.set()
        self._written = trio.Event()

    async def asked_again(self) -> None:
        """Wait until something is written or asked for."""
        await self._written.wait()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for that; only a write can bring it about."""
        with trio.move_on_after(DEADLINE):
            while not holds():
                await self.asked_again()
            return
        raise AssertionError(f"it has not come about; refused was: {self.refused()}")

    def refused(self) -> list[str]:
        """What programs have asked for without a right to it."""
        return [f"{site.name}: {wanted}" for site in self.sites for wanted in site.asked(FORBIDDEN)]

    async def make(self, site: Site, resource: Resource, value: dict[str, Any]) -> None:
        """Somebody creates an object."""
        await site.machine.local("somebody").create(resource, value)

    async def label(self, site: Site, resource: Resource, namespace: str, name: str) -> None:
        """Somebody puts the label ``edited`` on one."""
        change = MergePatch({"metadata": {"labels": {"edited": "yes"}}})
        await site.machine.local("somebody").patch(resource, namespace, name, change)

    async def drop(self, site: Site, resource: Resource, namespace: str, name: str) -> None:
        """Somebody deletes one."""
        await site.machine.local("somebody").delete(resource, namespace, name)

    def value(self, site: Site, resource: Resource, namespace: str, name: str) -> Any:
        """What is there; None: nothing."""
        try:
            return site.machine.server.get(resource, namespace, name).value
        except NotFound:
            return None

    def agree(self) -> bool:
        """Do both sides?"""
        maps = (
            (self.east, NamespaceMapping("east", NAMESPACE, NAMESPACE, False)),
            (self.edge, NamespaceMapping("edge", NAMESPACE, NAMESPACE, True)),
        )
        hub = self.hub.machine.server
        return not any(oracle.differences(hub, site.machine.server, mapping) for site, mapping in maps)

    def status(self, agent: str) -> Any:
        """Of the Application ``shop`` on the hub."""
        return self.value(self.hub, APPLICATIONS, agent, "shop").get("status") or {}


@asynccontextmanager
async def installed(fleet: Fleet) -> AsyncIterator[Fleet]:
    """Run it; its processes are gone when the block is left."""
    async with trio.open_nursery() as nursery:
        await fleet.serve(nursery)
        yield fleet
        nursery.cancel_scope.cancel()


def credentials(name: str, data: Mapping[str, bytes]) -> dict[str, Any]:
    """A Secret."""
    metadata = {"name": name, "namespace": NAMESPACE}
    texts = {key: content.decode() for key, content in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": texts}


def tls(name: str, certificate: bytes, key: bytes) -> dict[str, Any]:
    """One with a certificate."""
    return credentials(name, {"tls.crt": certificate, "tls.key": key}) | {"type": "kubernetes.io/tls"}


def secret(name: str, kind: str, **data: str) -> dict[str, Any]:
    """Credentials of Argo CD's."""
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {names.SECRET_TYPE: kind}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


REFUSED = 422
"""What an API server says to an object that it does not accept."""
KINDS = ("applications", "appprojects", "secrets", "configmaps", "namespaces")
"""The resources that are followed."""


async def managed(fleet: Fleet) -> None:
    """What a managed agent does: copies come, change, are put right, and go."""
    hub, east = fleet.hub, fleet.east
    await fleet.make(hub, APP_PROJECTS, app_project(namespace=NAMESPACE, **EVERYWHERE))
    await fleet.make(hub, SECRETS, secret("repo", "repository", url="https://x.test/r", project="default"))
    keys = {"metadata": {"name": names.GPG_KEYS, "namespace": NAMESPACE}, "data": {"A": "1"}}
    await fleet.make(hub, CONFIG_MAPS, keys)
    await fleet.make(hub, APPLICATIONS, application("shop", namespace="east", syncPolicy=automated()))
    those = (
        (APP_PROJECTS, "default"), (SECRETS, "repo"), (CONFIG_MAPS, names.GPG_KEYS), (APPLICATIONS, "shop"),
    )  # fmt: skip
    for resource, name in those:
        await fleet.until(lambda r=resource, n=name: fleet.value(east, r, NAMESPACE, n) is not None)
    await fleet.until(lambda: "sync" in fleet.status("east"))
    for resource, name in those:
        east.machine.faults.order(Fault(What.LOSE, ("patch",), resource.plural, name))
        where = "east" if resource == APPLICATIONS else NAMESPACE
        await fleet.label(hub, resource, where, name)
        await fleet.until(lambda r=resource: east.has_asked("get", r.plural))
        await fleet.until(lambda r=resource, n=name: is_edited(fleet.value(east, r, NAMESPACE, n)))
    await fleet.drop(hub, APPLICATIONS, "east", "shop")
    await fleet.until(lambda: fleet.value(hub, APPLICATIONS, "east", "shop") is None)
    for resource, name in those[:3][::-1]:
        await fleet.drop(hub, resource, NAMESPACE, name)
        await fleet.until(lambda r=resource, n=name: fleet.value(east, r, NAMESPACE, n) is None)


def is_edited(value: Any) -> bool:
    """Has it the label?"""
    return value is not None and (value["metadata"].get("labels") or {}).get("edited") == "yes"


async def autonomous(fleet: Fleet) -> None:
    """What the hub does for an autonomous agent: mirrors come, change, are put right, and go; it may ask."""
    hub, edge = fleet.hub, fleet.edge
    await fleet.make(edge, APPLICATIONS, application("shop", namespace=NAMESPACE))
    mirrors = ((APPLICATIONS, "edge", "shop"), (APP_PROJECTS, NAMESPACE, "edge-default"))
    for resource, namespace, name in mirrors:
        await fleet.until(lambda at=(resource, namespace, name): fleet.value(hub, *at) is not None)
    edge.machine.faults.order(Fault(What.LOSE, ("patch",), "applications"))
    await argocd_server.sync(hub.machine.local("argocd-server"), "edge", "shop")
    await fleet.until(lambda: "operationState" in fleet.status("edge"))
    for resource, namespace, name in mirrors:
        hub.machine.faults.order(Fault(What.LOSE, ("patch",), resource.plural, name))
        here = name.removeprefix("edge-")
        await fleet.label(edge, resource, NAMESPACE, here)
        await fleet.until(lambda at=(resource, namespace, name): is_edited(fleet.value(hub, *at)))
    for resource, namespace, name in mirrors:
        await fleet.drop(edge, resource, NAMESPACE, name.removeprefix("edge-"))
        await fleet.until(lambda at=(resource, namespace, name): fleet.value(hub, *at) is None)


async def start_again(fleet: Fleet) -> None:
    """End every program and start it, before servers that cannot show a collection by a watch."""
    for site in fleet.sites:
        assert await site.program.stop() == 0
        for plural in KINDS:
            site.machine.faults.order(Fault(What.STATUS, ("watch",), plural, code=400))
        await fleet.nursery.start(site.program.run)


async def refusals(fleet: Fleet) -> None:
    """What one side does not accept is told on the other, and again after a start."""
    hub, east, edge = fleet.sites
    for site in (hub, east):
        site.machine.faults.order(Fault(What.STATUS, ("create",), "appprojects", count=50, code=REFUSED))
    await fleet.make(hub, APP_PROJECTS, app_project("no", namespace=NAMESPACE, **EVERYWHERE))
    await fleet.make(edge, APP_PROJECTS, app_project("no", namespace=NAMESPACE))
    for site in (hub, edge):
        await fleet.until(partial(site.has_asked, "create", "events"))
    # A token that nobody wants any more.
    old = Kept("old", "0" * 64, "east", fleet.env.now() - 2 * KEPT)
    await fleet.make(hub, SECRETS, make_token(old, NAMESPACE))
    await start_again(fleet)
    for site in (hub, edge):
        await fleet.until(partial(site.has_asked, "patch", "events"))
    await fleet.until(partial(hub.has_asked, "delete", "secrets"))


def unused(fleet: Fleet) -> list[str]:
    """The rights that nobody has made use of."""
    return [
        f"{site.name}: {right}"
        for site in fleet.sites
        for right in rights(site.objects)
        if not any(map(right.needed_for, site.asked(ANSWERED)))
    ]


async def unwanted(fleet: Fleet, besides: Sequence[str] = ()) -> list[str]:
    """The rights, but for these, that nobody makes use of, however long one waits."""
    found = [right for right in unused(fleet) if right not in besides]
    with trio.move_on_after(DEADLINE):
        while found:
            await fleet.asked_again()
            found = [right for right in unused(fleet) if right not in besides]
    return found


async def test_every_right_is_needed_and_no_other(tmp_path: Path) -> None:
    """Nothing is refused for want of a right, and there is no right that nobody has made use of."""
    async with installed(Fleet(tmp_path)) as fleet:
        await managed(fleet)
        await autonomous(fleet)
        await refusals(fleet)
        assert (await unwanted(fleet), fleet.refused()) == ([], [])


async def test_the_rights_of_the_components(tmp_path: Path) -> None:
    """Namespaces are made on both sides, and copies live where the hub has them."""
    components = ("destination-based-mapping", "namespace-creation")
    anywhere = {"principal.allowed-namespaces": "*"}, {"agent.allowed-namespaces": "*"}
    async with installed(Fleet(tmp_path, components, *anywhere)) as fleet:
        hub, east, edge = fleet.sites
        await fleet.make(edge, APPLICATIONS, application("shop", namespace=NAMESPACE))
        await fleet.until(lambda: fleet.value(hub, APPLICATIONS, "edge", "shop") is not None)
        await hub.machine.make_namespaces("team")
        await fleet.make(hub, APP_PROJECTS, app_project(namespace=NAMESPACE, **EVERYWHERE))
        for name, cluster in (("shop", "east"), ("lost", "nowhere")):
            destination = {"name": cluster, "namespace": name}
            app = application(name, namespace="team", cascade=False, destination=destination)
            await fleet.make(hub, APPLICATIONS, app)
        await fleet.until(lambda: fleet.value(east, APPLICATIONS, "team", "shop") is not None)
        east.machine.faults.order(Fault(What.LOSE, ("patch",), "applications"))
        await fleet.label(hub, APPLICATIONS, "team", "shop")
        await fleet.until(lambda: is_edited(fleet.value(east, APPLICATIONS, "team", "shop")))
        await fleet.until(partial(hub.has_asked, "create", "events"))
        await fleet.drop(hub, APPLICATIONS, "team", "shop")
        await fleet.until(lambda: fleet.value(east, APPLICATIONS, "team", "shop") is None)
        await start_again(fleet)
        await fleet.until(partial(hub.has_asked, "patch", "events"))
        await fleet.until(partial(east.has_asked, "list", "applications"))
        plain = [f"{site.name}: {right}" for site in Fleet(tmp_path).sites for right in rights(site.objects)]
        assert (await unwanted(fleet, plain), fleet.refused()) == ([], [])
