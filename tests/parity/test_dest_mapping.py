"""The peer's scenarios of destination-based mapping; its redis proxy's has its own place."""

from __future__ import annotations

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd.applications import app_project, automated

from .destinations import make, play_by_destination, tenant, until_gone, until_there
from .stage import Stage, find
from .test_sync import SYNC, phase


def test_app_created_in_original_namespace() -> None:
    """Its namespace is the same on both sides; of Argo CD's own it is Argo CD's own there, and says so."""

    async def story(stage: Stage) -> None:
        east = stage.sides["east"]
        team = await tenant(stage, "a", east)
        await make(stage, team, "web", east.name)
        await make(stage, stage.namespace, "api", east.name)
        await stage.agree()
        web = await until_there(stage, east, team, "web")
        assert names.REMAPPED not in web.annotations
        assert web.get("spec")["destination"]["name"] == "in-cluster"
        api = await until_there(stage, east, east.namespace, "api")
        assert api.annotations[names.REMAPPED] == "true"

    play_by_destination(story, managed=("east", "west"))


def test_app_project_sync() -> None:
    """It needs to be for the agent's cluster; its source namespaces are those of the tenants, and travel."""

    async def story(stage: Stage) -> None:
        east, west = stage.sides["east"], stage.sides["west"]
        spec = {"destinations": [{"name": east.name, "namespace": "*"}], "sourceNamespaces": ["team-a"]}
        await stage.hub.create(APP_PROJECTS, app_project("shop", namespace=stage.namespace, **spec))
        await stage.agree()
        found = await find(east.cluster, APP_PROJECTS, east.namespace, "shop")
        assert found is not None and found.get("spec")["sourceNamespaces"] == ["team-a"]
        assert await find(west.cluster, APP_PROJECTS, west.namespace, "shop") is None

    play_by_destination(story, managed=("east", "west"))


def test_refresh_propagation() -> None:
    """A refresh that is asked for on the hub is worked off on the spoke, and leaves the hub."""

    async def story(stage: Stage) -> None:
        east = stage.sides["east"]
        team = await tenant(stage, "a", east)
        await make(stage, team, "web", east.name)
        await stage.agree()
        asked = {"metadata": {"annotations": {names.REFRESH: "normal"}}}
        await stage.hub.patch(APPLICATIONS, team, "web", MergePatch(asked))

        async def worked_off() -> bool:
            hub = await find(stage.hub, APPLICATIONS, team, "web")
            return hub is not None and names.REFRESH not in hub.annotations

        await stage.until(worked_off)
        await stage.agree()

    play_by_destination(story, managed=("east",))


def test_cascade_delete() -> None:
    """The hub's Application goes when the spoke has pruned the workload, and not before."""

    async def story(stage: Stage) -> None:
        east = stage.sides["east"]
        team = await tenant(stage, "a", east)
        await make(stage, team, "web", east.name, cascade=True, syncPolicy=automated())

        async def deployed() -> bool:
            return bool(east.world.live(team, "web", 0.0))

        await stage.until(deployed)
        await stage.hub.delete(APPLICATIONS, team, "web")
        await until_gone(stage, east, team, "web")

        async def gone() -> bool:
            return await find(stage.hub, APPLICATIONS, team, "web") is None

        await stage.until(gone)
        assert east.world.prunes

    play_by_destination(story, managed=("east",))


def test_sync_operation() -> None:
    """A sync that is set on the hub runs on the spoke, and the hub shows its end."""

    async def story(stage: Stage) -> None:
        east = stage.sides["east"]
        team = await tenant(stage, "a", east)
        await make(stage, team, "web", east.name)
        await stage.agree()
        await stage.hub.patch(APPLICATIONS, team, "web", MergePatch(SYNC))

        async def done() -> bool:
            return phase(await find(stage.hub, APPLICATIONS, team, "web")) == "Succeeded"

        await stage.until(done)
        assert len({attempt.token for attempt in east.world.attempts}) == 1
        await stage.agree()

    play_by_destination(story, managed=("east",))


def test_autonomous_app_creation() -> None:
    """An autonomous agent beside managed ones: what it has is mirrored into its own namespace."""

    async def story(stage: Stage) -> None:
        edge = stage.sides["edge"]
        await edge.create("web", cascade=False)
        await stage.agree()
        mirror = await edge.on_hub("web")
        assert mirror is not None and mirror.get("spec")["destination"]["name"] == edge.name

    play_by_destination(story, managed=("east",), autonomous=("edge",))


def test_autonomous_spec_update() -> None:
    """A change on the spoke is shown on the hub, and one of the mirror is taken back."""

    async def story(stage: Stage) -> None:
        edge = stage.sides["edge"]
        await edge.create("web", cascade=False)
        await stage.agree()
        await edge.edit_on_spoke("web", {"spec": {"source": {"targetRevision": "v2"}}})

        def revision(app: Object | None) -> str:
            return str(app.get("spec")["source"]["targetRevision"]) if app is not None else ""

        async def shown() -> bool:
            return revision(await edge.on_hub("web")) == "v2"

        await stage.until(shown)
        await edge.edit_on_hub("web", {"spec": {"source": {"targetRevision": "v3"}}})
        await stage.until(shown)
        assert revision(await edge.on_spoke("web")) == "v2"
        await stage.agree()

    play_by_destination(story, managed=("east",), autonomous=("edge",))
