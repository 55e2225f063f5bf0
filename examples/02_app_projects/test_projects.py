"""A platform team tests its own AppProjects before they are merged: who gets them, and what they permit."""

from pathlib import Path

import pytest
import yaml

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.testing import application, automated

PROJECTS = [*yaml.safe_load_all((Path(__file__).parent / "projects.yaml").read_text())]

pytestmark = pytest.mark.fleet(managed=("prod-eu", "prod-us", "dev"))


@pytest.fixture
async def projects(fleet):
    """The hub holds the projects, and the agents have what is theirs."""
    await fleet.apply(PROJECTS)
    await fleet.wait_consistent()


async def test_each_agent_gets_the_projects_that_are_meant_for_it(fleet, projects):
    """The shop runs in production only, the laboratory elsewhere only."""
    found = {agent: [] for agent in fleet.spokes}
    for cluster, _, _, name in fleet.snapshot().only(kind="AppProject").objects:
        if cluster != "hub" and name != "default":
            found[cluster].append(name)
    assert found == {"prod-eu": ["shop"], "prod-us": ["shop"], "dev": ["lab"]}


async def test_the_shop_deploys_in_production(fleet, projects):
    """An Application of the project is synced by the spoke's own Argo CD."""
    await fleet.apply(application("cart", namespace="prod-eu", project="shop", syncPolicy=automated()))
    assert await fleet.wait_synced() < 60


async def test_a_foreign_repository_is_turned_down(fleet, hub, projects):
    """The refusal is Argo CD's, on the spoke, and is seen on the hub."""
    source = {"repoURL": "https://example.com/other.git", "path": "guestbook", "targetRevision": "HEAD"}
    await fleet.apply(application("cart", namespace="prod-eu", project="shop", source=source))
    await fleet.wait_consistent()
    app = await hub.get(APPLICATIONS, "prod-eu", "cart")
    [condition] = app.get("status")["conditions"]
    assert "is not permitted in project 'shop'" in condition["message"]


async def test_a_project_that_is_withdrawn_leaves_no_copy(fleet, projects):
    """Narrowing the destinations takes the project away from the agents that no longer match."""
    [shop, _] = PROJECTS
    only_eu = shop["spec"] | {
        "destinations": [{"name": "prod-eu", "namespace": "*", "server": "*"}],
        "sourceNamespaces": ["prod-eu"],
    }
    await fleet.apply({**shop, "spec": only_eu})
    await fleet.wait_consistent()
    holders = [name[0] for name in fleet.snapshot().only(kind="AppProject").objects if name[3] == "shop"]
    assert sorted(holders) == ["hub", "prod-eu"]
