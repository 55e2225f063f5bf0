"""``trio-argoagent ctl diff``: real fleets in virtual time, in step and out of it."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.cli import ctl_diff
from trio_argoagent.cli.ctl_diff import Diff
from trio_argoagent.cli.diffing import WHOLLY, Objects, Terms, differences
from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.sync.mapping import Style
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.fleet import Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.spokes import NAMESPACE

REVISION = MergePatch({"spec": {"source": {"targetRevision": "v2"}}})


async def diff(
    fleet: Fleet, agent: str, style: Style = Style.NAMESPACE, terms: Terms = WHOLLY
) -> Diff:
    """As an operator would ask."""
    hub, spoke = fleet.hub_as("operator"), fleet.spoke_as(agent, "operator")
    return await ctl_diff.compare(hub, NAMESPACE, agent, fleet.env.new_id(), spoke, style, terms)


def said(found: Diff) -> list[str]:
    """The differences of the clusters."""
    assert found.found is not None
    return [str(each) for each in found.found]


async def test_a_managed_agent(autojump_clock: MockClock) -> None:
    """In step nothing differs; while the link is down, what is made, changed and deleted on either side."""
    async with open_fleet([SpokePlan("m1")]) as fleet:
        users, local = fleet.hub_as("users"), fleet.spoke_as("m1", "local")
        for name in ("behind", "changed", "leaving"):
            await users.create(APPLICATIONS, application(name, namespace="m1"))
        free = application("extra", namespace="m1")
        free["metadata"]["finalizers"] = []
        await users.create(APPLICATIONS, free)
        await trio.sleep(30)
        calm = await diff(fleet, "m1")
        assert (said(calm), ctl_diff.differs(calm)) == ([], False)
        assert "m1 is connected; 0 of what it should hold not settled" in ctl_diff.as_text(calm)
        fleet.agents["m1"].crash()
        await users.patch(APPLICATIONS, "m1", "behind", REVISION)
        await users.create(APPLICATIONS, application("missing", namespace="m1"))
        for name in ("extra", "leaving"):
            await users.delete(APPLICATIONS, "m1", name)
        await users.create(APPLICATIONS, application("foreign", namespace="m1"))
        other = application("foreign", namespace=NAMESPACE)
        other["metadata"]["finalizers"] = []
        await local.create(APPLICATIONS, other)
        await local.patch(APPLICATIONS, NAMESPACE, "changed", REVISION)
        await local.create(APPLICATIONS, application("mine", namespace=NAMESPACE))
        await trio.sleep(5)
        found = await diff(fleet, "m1")
        assert ctl_diff.differs(found)
        assert said(found) == [
            "Application argocd/behind: behind: spec.source.targetRevision",
            "Application argocd/changed: changed: spec.source.targetRevision",
            "Application argocd/extra: extra",
            "Application argocd/foreign: foreign: metadata.finalizers, spec.destination.name,"
            " spec.destination.server",
            "Application argocd/leaving: leaving",
            "Application argocd/missing: missing",
        ]
        assert "m1 is not connected" in ctl_diff.as_text(found)
        assert ctl_diff.as_document(found)["differences"][0]["fields"] == ["spec.source.targetRevision"]
        assert "v2" not in ctl_diff.as_text(found), "what is in a field is not shown"


async def test_an_autonomous_agent(autojump_clock: MockClock) -> None:
    """The spoke is the source, and the hub's mirrors are compared with it."""
    async with open_fleet([SpokePlan("a1", Mode.AUTONOMOUS)]) as fleet:
        local, users = fleet.spoke_as("a1", "local"), fleet.hub_as("users")
        await local.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE))
        await local.create(APPLICATIONS, application("web", namespace=NAMESPACE, project="team"))
        await trio.sleep(30)
        assert (await users.get(APPLICATIONS, "a1", "web")).get("spec")["project"] == "a1-team"
        assert said(await diff(fleet, "a1")) == []
        fleet.agents["a1"].crash()
        await local.patch(APPLICATIONS, NAMESPACE, "web", REVISION)
        await local.create(APP_PROJECTS, app_project("new", namespace=NAMESPACE))
        await trio.sleep(5)
        assert said(await diff(fleet, "a1")) == [
            "AppProject argocd/new: missing",
            "Application argocd/web: behind: spec.source.targetRevision",
        ]


async def test_by_destination(autojump_clock: MockClock) -> None:
    """Whichever namespaces its Applications are in."""
    async with open_fleet([SpokePlan("m1")], style=Style.DESTINATION) as fleet:
        here = {"destination": {"name": "m1", "namespace": "x"}}
        users = fleet.hub_as("users")
        await users.create(APPLICATIONS, application("web", namespace="m1", **here))
        await trio.sleep(30)
        assert said(await diff(fleet, "m1", Style.DESTINATION)) == []
        fleet.agents["m1"].crash()
        await users.patch(APPLICATIONS, "m1", "web", REVISION)
        found = await diff(fleet, "m1", Style.DESTINATION)
        assert said(found) == ["Application m1/web: behind: spec.source.targetRevision"]


async def test_without_its_cluster(autojump_clock: MockClock) -> None:
    """What the principal knows is told all the same; an agent that never came has no mode to compare by."""
    async with open_fleet([SpokePlan("m1")]) as fleet:
        hub = fleet.hub_as("operator")
        await trio.sleep(5)
        found = await ctl_diff.compare(hub, NAMESPACE, "m1", "w1", None, Style.NAMESPACE)
        assert found.found is None
        assert "its cluster was not looked at: give --agent-context NAME" in ctl_diff.as_text(found)
        assert ctl_diff.as_document(found)["differences"] is None
        await hub.create(SECRETS, make_secret("new", NAMESPACE))
        with pytest.raises(UserError, match="nobody has come as new yet"):
            await ctl_diff.compare(hub, NAMESPACE, "new", "w2", fleet.spoke_as("m1", "x"), Style.NAMESPACE)


async def test_what_the_programs_were_told(autojump_clock: MockClock) -> None:
    """What no selector chooses is not missing, and metadata that stays where it is does not differ."""
    async with open_fleet([SpokePlan("m1")]) as fleet:
        users, local = fleet.hub_as("users"), fleet.spoke_as("m1", "local")
        value = application("web", namespace="m1")
        value["metadata"]["labels"] = {"team": "a"}
        await users.create(APPLICATIONS, value)
        labels = MergePatch({"metadata": {"labels": {"team": "a"}}})
        await users.patch(APP_PROJECTS, NAMESPACE, "default", labels)
        await trio.sleep(30)
        fleet.agents["m1"].crash()
        await users.create(APPLICATIONS, application("other", namespace="m1"))
        note = MergePatch({"metadata": {"annotations": {"notes/x": "1"}, "labels": {"image.x": "1"}}})
        await local.patch(APPLICATIONS, NAMESPACE, "web", note)
        assert said(await diff(fleet, "m1")) == [
            "Application argocd/other: missing",
            "Application argocd/web: changed: metadata.annotations.notes/x, metadata.labels.image.x",
        ]
        terms = ctl_diff.read_terms(["team=a", "team in (a, b)"], ["notes/*"], ["image.*,b"])
        assert said(await diff(fleet, "m1", terms=terms)) == []


async def test_a_project_that_the_hub_refuses(autojump_clock: MockClock) -> None:
    """With the reason, and for the others the comparison goes on."""
    async with open_fleet([SpokePlan("a1", Mode.AUTONOMOUS)]) as fleet:
        local = fleet.spoke_as("a1", "local")
        roles = [{"name": "dev", "policies": ["g, all, role:admin"]}]
        await local.create(APP_PROJECTS, app_project("team", namespace=NAMESPACE, roles=roles))
        await trio.sleep(30)
        (line,) = said(await diff(fleet, "a1"))
        assert line == (
            "AppProject argocd/team: refused: its spec makes no sense: role dev: the policy 'g, all,"
            " role:admin' cannot be carried over: it has not 6 fields"
        )


@pytest.mark.parametrize(
    ("terms", "option"),
    [((["a in"], [], []), "--label-selector"), (([], ["a b"], []), "--local-annotations")],
)
def test_terms_that_cannot_be(terms: tuple[list[str], list[str], list[str]], option: str) -> None:
    """The line names the option."""
    with pytest.raises(UserError, match=f"^{option}: "):
        ctl_diff.read_terms(*terms)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("spec", ["x", {"destination": ["x"]}, {"destination": "x"}])
def test_a_spec_that_makes_no_sense(mode: Mode, spec: object) -> None:
    """An API server without the definition's schema takes it: it is named, and the others are compared."""
    home = "m1" if mode is Mode.MANAGED else NAMESPACE
    values = [application(name, namespace=home) for name in ("web", "odd")]
    values[1]["spec"] = spec
    source: Objects = {Kind.APPLICATION: [Object.of(each) for each in values], Kind.APP_PROJECT: []}
    other: Objects = {Kind.APPLICATION: [], Kind.APP_PROJECT: []}
    mapping = PrincipalConfig(NAMESPACE).mapping("m1", mode, NAMESPACE, "m1")
    sides = (source, other) if mode is Mode.MANAGED else (other, source)
    odd, web = map(str, differences(mapping, *sides))
    assert odd.startswith(f"Application {NAMESPACE}/odd: refused: its spec makes no sense: ")
    assert web == f"Application {NAMESPACE}/web: missing"
