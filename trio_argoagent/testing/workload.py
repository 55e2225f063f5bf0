"""What people, pipelines and accidents do to a fleet: a seeded stream of actions over hub and spokes.

It knows nothing of faults and nothing of replication: it acts through the clusters as users do, takes a
refusal for an answer, and goes on. Most actions happen on the side that owns the object; some, on purpose,
on the other.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from random import Random
from typing import Any, Final

import attrs
import trio

from trio_argoagent.errors import ArgoAgentError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import PATHS, app_project, application, automated
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.names import FAMILY, Dialect
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.custodian import Custodian

IGNORE: Final = {"argocd-agent.argoproj-labs.io/ignore-sync": "true"}
TEAM: Final = "team"
"""The AppProject of a quarter of the Applications. The first ``project`` makes it, where nobody has before;
what is created until then waits for it."""
MAX_WAIT: Final = 60.0
"""Seconds after which an action that waits (a sync with its end, say) is given up."""


@attrs.frozen
class Site:
    """One agent as the workload sees it.

    Attributes:
        name: of the agent, and of its namespace on the hub.
        mode: says on which side its objects are created.
        spoke: the spoke's API as a user there has it.
        namespace: of its Applications on the spoke.
        world: what is deployed there.
        destinations: of its Applications: the first to begin with, and those that they may move to; none:
            their namespace says whose they are.
    """

    name: str
    mode: Mode
    spoke: Cluster
    namespace: str
    world: World
    destinations: tuple[str, ...] = ()

    @property
    def managed(self) -> bool:
        """Does the hub own the specs?"""
        return self.mode is Mode.MANAGED


@attrs.frozen
class _Place:
    """Where one Application is acted on."""

    site: Site
    cluster: Cluster
    namespace: str
    project_prefix: str = ""


Action = Callable[[Site], Awaitable[None]]


class Workload:
    """See the module.

    Args:
        hub: the hub's API as users have it.
        hub_namespace: Argo CD's on the hub.
        sites: the agents.
        chance: what happens, where, and when.
        env: wall time of requests.
        apps: how many Applications each agent has at most.
        without: actions that are never drawn.
    """

    def __init__(
        self,
        hub: Cluster,
        hub_namespace: str,
        sites: tuple[Site, ...],
        chance: Random,
        env: Env,
        apps: int = 4,
        without: Collection[str] = (),
    ) -> None:
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._hub, self._hub_namespace, self._sites = hub, hub_namespace, sites
        self._chance, self._env, self._apps = chance, env, apps
        deeds: dict[str, tuple[int, Action]] = {
            "create": (10, self._create),
            "edit": (14, self._edit),
            "relabel": (5, self._relabel),
            "delete": (5, self._delete),
            "recreate": (4, self._recreate),
            "sync": (10, self._sync),
            "refresh": (6, self._refresh),
            "terminate": (3, self._terminate),
            "push": (5, self._push),
            "drift": (4, self._drift),
            "tamper": (5, self._tamper),
            "steal": (3, self._steal),
            "ignore": (2, self._ignore),
            "project": (4, self._project),
            "unproject": (1, self._unproject),
        }
        self._weights = {name: weight for name, (weight, _) in deeds.items() if name not in without}
        self._deeds = {name: deed for name, (_, deed) in deeds.items()} | {"move": self._move}
        self._custody = Custodian(hub, hub_namespace, chance).actions()

    async def run(self, pace: float) -> None:
        """Act until cancelled, every ``pace`` seconds on average."""
        async with trio.open_nursery() as nursery:
            while True:
                await trio.sleep(self._chance.expovariate(1 / pace))
                nursery.start_soon(self.act)

    async def act(self, what: str = "") -> None:
        """Do one thing; ``what`` empty: drawn by weight."""
        drawn = self._chance.choices(list(self._weights), list(self._weights.values()))[0]
        name, site = what or drawn, self._chance.choice(self._sites)
        try:
            with trio.move_on_after(MAX_WAIT):
                await self._do(name, site)
        except ArgoAgentError:
            self.refused[name] += 1
        else:
            self.done[name] += 1

    async def _do(self, name: str, site: Site) -> None:
        if name in self._custody:
            await self._custody[name](site.name, site.spoke, site.namespace)
        else:
            await self._deeds[name](site)

    # Where

    def _owner(self, site: Site) -> _Place:
        """Where this agent's objects are owned."""
        if site.managed:
            return _Place(site, self._hub, site.name)
        return _Place(site, site.spoke, site.namespace)

    def _other(self, site: Site) -> _Place:
        """Where they are only copies."""
        if site.managed:
            return _Place(site, site.spoke, site.namespace)
        return _Place(site, self._hub, site.name, f"{site.name}-")

    async def _pick(self, place: _Place) -> Object:
        found = (await place.cluster.list(APPLICATIONS, place.namespace)).items
        if not found:
            raise argocd_server.Refused("NotFound", "there is no application")
        return self._chance.choice(found)

    def _name(self) -> str:
        return f"app{self._chance.randrange(self._apps)}"

    def _spec(self, site: Site) -> dict[str, Any]:
        # Children of an app of apps would be Applications that no side knows: their own subject.
        path = self._chance.choice([path for path in PATHS if path != "apps"])
        spec: dict[str, Any] = {"path": path}
        if self._chance.random() < 0.4:
            spec["syncPolicy"] = automated(prune=self._chance.random() < 0.7)
        if self._chance.random() < 0.25:
            spec["project"] = TEAM
        return spec

    # Actions

    async def _create(self, site: Site, name: str = "") -> None:
        place = self._owner(site)
        metadata = {"labels": {"made": str(self._chance.randrange(100))}}
        cascade = self._chance.random() < 0.6
        spec, name = self._spec(site), name or self._name()
        if site.destinations:
            spec["destination"] = {"name": site.destinations[0], "namespace": f"{name}-{site.name}"}
        app = application(name, namespace=place.namespace, cascade=cascade, metadata=metadata, **spec)
        await place.cluster.create(APPLICATIONS, app)

    async def _edit(self, site: Site) -> None:
        await self._edit_at(self._owner(site))

    async def _edit_at(self, place: _Place) -> None:
        app = await self._pick(place)
        spec = copy.deepcopy(app.get("spec"))
        drawn = self._chance.random()
        if drawn < 0.4:
            spec["source"]["targetRevision"] = f"v{self._chance.randrange(100)}"
        elif drawn < 0.6:
            spec["source"]["helm"] = {"parameters": [{"name": "n", "value": str(self._chance.randrange(9))}]}
        elif drawn < 0.8:
            spec["syncPolicy"] = automated() if "syncPolicy" not in spec else None
        else:
            team = place.project_prefix + TEAM
            spec["project"] = place.project_prefix + "default" if spec["project"] == team else team
        await place.cluster.patch(
            APPLICATIONS, place.namespace, app.meta.name, MergePatch({"spec": spec | {"info": None}})
        )

    async def _move(self, site: Site) -> None:
        """An Application becomes another agent's."""
        if not site.destinations:
            raise argocd_server.Refused("Forbidden", "its namespace says whose it is")
        place = self._owner(site)
        app = await self._pick(place)
        change = {"destination": {"name": self._chance.choice(site.destinations)}}
        await place.cluster.patch(APPLICATIONS, place.namespace, app.meta.name, MergePatch({"spec": change}))

    async def _relabel(self, site: Site) -> None:
        place = self._owner(site)
        app = await self._pick(place)
        value = str(self._chance.randrange(100)) if self._chance.random() < 0.7 else None
        change = {"labels": {"team": value}, "annotations": {"example.com/note": value}}
        await place.cluster.patch(
            APPLICATIONS, place.namespace, app.meta.name, MergePatch({"metadata": change})
        )

    async def _delete(self, site: Site) -> None:
        await self._delete_at(self._owner(site))

    async def _delete_at(self, place: _Place) -> None:
        app = await self._pick(place)
        drawn = self._chance.random()
        if drawn < 0.2:  # kubectl delete
            await place.cluster.delete(APPLICATIONS, place.namespace, app.meta.name)
        elif drawn < 0.45:
            await argocd_server.delete(place.cluster, place.namespace, app.meta.name, cascade=False)
        else:
            how = self._chance.choice(("", "", "foreground", "background"))
            await argocd_server.delete(place.cluster, place.namespace, app.meta.name, propagation=how)

    async def _recreate(self, site: Site) -> None:
        place = self._owner(site)
        app = await self._pick(place)
        if self._chance.random() < 0.5:
            keep = [name for name in app.finalizers if not name.startswith(FAMILY)]
            change = MergePatch({"metadata": {"finalizers": keep}})
            await place.cluster.patch(APPLICATIONS, place.namespace, app.meta.name, change)
        await place.cluster.delete(APPLICATIONS, place.namespace, app.meta.name)
        for _ in range(20):
            try:
                await self._create(site, app.meta.name)
                return
            except ArgoAgentError:
                await trio.sleep(0.5)

    async def _sync(self, site: Site) -> None:
        app = await self._pick(_Place(site, self._hub, site.name))
        drawn = self._chance.random()
        if drawn < 0.3:
            await argocd_server.cli_sync(self._hub, site.name, app.meta.name, git=site.world.git)
        else:
            options = {"prune": True} if drawn < 0.6 else {"dryRun": True} if drawn < 0.7 else {}
            await argocd_server.sync(self._hub, site.name, app.meta.name, git=site.world.git, options=options)

    async def _refresh(self, site: Site) -> None:
        app = await self._pick(_Place(site, self._hub, site.name))
        dialect = self._chance.choice((Dialect.V35, Dialect.V36))
        hard = self._chance.random() < 0.3
        await argocd_server.refresh(
            self._hub, site.name, app.meta.name, env=self._env, hard=hard, dialect=dialect, wait=False
        )

    async def _terminate(self, site: Site) -> None:
        app = await self._pick(_Place(site, self._hub, site.name))
        await argocd_server.terminate(self._hub, site.name, app.meta.name)

    async def _push(self, site: Site) -> None:
        site.world.git = site.world.git.push(EXAMPLES, self._chance.choice(PATHS))
        await trio.lowlevel.checkpoint()

    async def _drift(self, site: Site) -> None:
        """Somebody touches what is deployed."""
        app = await self._pick(_Place(site, site.spoke, site.namespace))
        live = site.world.live(site.namespace, app.meta.name, self._env.now())
        if not live:
            return
        kind, namespace, name = self._chance.choice(live).manifest.key[1:]
        if self._chance.random() < 0.5:
            site.world.degrade(kind, namespace, name, self._chance.random() < 0.5)
        else:
            site.world.drift(kind, namespace, name)

    async def _tamper(self, site: Site) -> None:
        """Somebody edits the copy instead of the original."""
        place = self._other(site)
        if self._chance.random() < 0.5:
            await self._edit_at(place)
            return
        app = await self._pick(place)
        change = {"labels": {"made": "by hand", "extra": "x"}}
        await place.cluster.patch(
            APPLICATIONS, place.namespace, app.meta.name, MergePatch({"metadata": change})
        )

    async def _steal(self, site: Site) -> None:
        """Somebody deletes the copy instead of the original."""
        await self._delete_at(self._other(site))

    async def _ignore(self, site: Site) -> None:
        """An object is taken out of replication for a while."""
        place = self._owner(site)
        app = await self._pick(place)
        for labels in (IGNORE, dict.fromkeys(IGNORE)):
            change = MergePatch({"metadata": {"labels": labels}})
            await place.cluster.patch(APPLICATIONS, place.namespace, app.meta.name, change)
            await trio.sleep(self._chance.uniform(0.0, 10.0))

    async def _project(self, site: Site) -> None:
        """The project ``team`` comes, or changes."""
        owner, namespace = self._owner(site).cluster, site.namespace
        if site.managed:
            namespace = self._hub_namespace
        note = {"description": f"revision {self._chance.randrange(100)}"}
        try:
            await owner.patch(APP_PROJECTS, namespace, TEAM, MergePatch({"spec": note}))
        except ArgoAgentError:
            spec = note | ({"sourceNamespaces": ["*"], "destinations": _ALL} if site.managed else {})
            await owner.create(APP_PROJECTS, app_project(TEAM, namespace=namespace, **spec))

    async def settle(self) -> None:
        """End what would hang as it does in Argo CD itself: an Application whose project is missing."""
        for site in self._sites:
            await self._project(site)

    async def _unproject(self, site: Site) -> None:
        """The project ``team`` goes, if nothing uses it: argocd-server refuses otherwise."""
        owner, namespace = self._owner(site).cluster, site.namespace
        if site.managed:
            namespace = self._hub_namespace
        apps = (await owner.list(APPLICATIONS)).items
        if not any((app.get("spec") or {}).get("project") == TEAM for app in apps):
            await owner.delete(APP_PROJECTS, namespace, TEAM)


_ALL: Final = [{"name": "*", "namespace": "*", "server": "*"}]
