"""What a test does with a fleet beside outages: apply, look, wait."""

from __future__ import annotations

import pytest
import trio

from trio_argoagent.errors import Invalid, UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.testing import Fleet, SpokePlan, app_project, application, open_fleet, simulate

from .stories import copy, path_of, play


def test_apply_creates_and_then_changes() -> None:
    """The second time the named fields change, and the others stay."""

    async def story(fleet: Fleet) -> None:
        uid = fleet.hub.get(APPLICATIONS, "east", "web").metadata["uid"]
        await fleet.apply([application("web", "helm-guestbook", namespace="east"), app_project("team")])
        found = fleet.hub.get(APPLICATIONS, "east", "web")
        assert found.metadata["uid"] == uid
        assert found.value["spec"]["source"]["path"] == "helm-guestbook"
        assert found.value["spec"]["syncPolicy"]["automated"]["prune"] is True
        assert fleet.hub.get(APP_PROJECTS, "argocd", "team").metadata["name"] == "team"

    play(story)


def test_apply_reaches_each_cluster_in_the_name_of_its_actor() -> None:
    """An object can be applied on a spoke, and the server's log tells who did it."""

    async def story(fleet: Fleet) -> None:
        await fleet.apply(application("own"), "east", actor="somebody")
        assert fleet.spokes["east"].server.log[-1].actor == "somebody"
        assert fleet.spokes["east"].server.get(APPLICATIONS, "argocd", "own")

    play(story)


def test_apply_refuses_what_makes_no_sense() -> None:
    """Unknown kinds and clusters are the test's mistake; what the server refuses is its own answer."""

    async def story(fleet: Fleet) -> None:
        with pytest.raises(UserError, match="'Sprocket'"):
            await fleet.apply({"apiVersion": "v1", "kind": "Sprocket", "metadata": {"name": "x"}})
        with pytest.raises(UserError, match="no name"):
            await fleet.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {}})
        with pytest.raises(UserError, match="hub, east"):
            await fleet.apply(application("x"), "west")
        with pytest.raises(Invalid):
            await fleet.apply(application("x", namespace="east", destination=7))

    play(story)


def test_what_differs_is_said() -> None:
    """Cut off, both sides differ; the assertion names the seed, the agent and the object."""

    async def story(fleet: Fleet) -> None:
        assert fleet.differences() == []
        fleet.assert_consistent()
        fleet.cut("east")
        await fleet.apply(application("new", namespace="east"))
        with pytest.raises(AssertionError, match=r"seed 1, (?s:.)*east: Application new: has no copy"):
            fleet.assert_consistent()
        with pytest.raises(AssertionError, match="has no copy"):
            await fleet.wait_consistent(30.0)

    play(story)


def test_wait_synced_says_what_an_application_says() -> None:
    """An Application that cannot be synced is named, with its state and its condition."""

    async def story(fleet: Fleet) -> None:
        await fleet.apply(application("bad", namespace="east", project="nowhere"))
        with pytest.raises(AssertionError, match=r"east/bad: Unknown and Unknown: .*nowhere"):
            await fleet.wait_synced(30.0)

    play(story)


def test_a_push_is_deployed_by_every_spoke_even_offline() -> None:
    """A commit changes the revision that each Argo CD deploys at its next look, with or without the hub."""

    async def story(fleet: Fleet) -> None:
        def revision(agent: str) -> str:
            return str((copy(fleet, agent).get("status") or {})["sync"]["revision"])

        before = revision("east")
        fleet.cut("east")
        fleet.push()
        await trio.sleep(600.0)
        assert revision("east") == revision("west") != before

    play(story, "east", "west")


def test_an_autonomous_spoke_owns_its_applications() -> None:
    """Applied on the spoke they appear on the hub."""

    async def main() -> None:
        async with open_fleet([SpokePlan("edge", Mode.AUTONOMOUS)]) as fleet:
            await fleet.apply(application("web"), "edge")
            await fleet.wait_consistent()
            assert path_of(fleet, "edge") == "guestbook"
            assert fleet.hub.get(APPLICATIONS, "edge", "web").metadata["namespace"] == "edge"

    simulate(main, seed=1)


@pytest.mark.parametrize("names", [("hub",), ("principal",), ("east", "east")])
def test_names_must_differ(names: tuple[str, ...]) -> None:
    """An agent called as the hub, as the principal or as another agent would be mistaken for it."""
    with pytest.raises(UserError, match=names[0]):
        Fleet(1, [SpokePlan(name) for name in names])
