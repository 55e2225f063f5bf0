"""The workload, its logs, and the simulated repositories."""

from __future__ import annotations

import pytest

from trio_argoagent.testing.argocd import world as world_module
from trio_argoagent.testing.argocd.applications import PATHS, samples
from trio_argoagent.testing.argocd.git import EXAMPLES, Git
from trio_argoagent.testing.argocd.names import FAMILY, Settings
from trio_argoagent.testing.argocd.world import World
from trio_argoagent.testing.argocd.writes import ApplyManifests, Cascade

from .helpers import NOW, made

SOURCE = {"repoURL": EXAMPLES, "path": "guestbook", "targetRevision": "HEAD"}
MANIFESTS = Git().manifests(SOURCE, Git().resolve(SOURCE), "web", "web")


def deployed() -> World:
    """A world with one guestbook."""
    world = World()
    world.apply(made("web"), ApplyManifests(MANIFESTS, ()), NOW, Settings())
    return world


def test_revisions_depend_on_repository_branch_and_pushes_only() -> None:
    """The same fleet sees the same hashes in every process."""
    assert Git().resolve(SOURCE) == "2142b82c8670313cb815dafe3ed55259a26eb568"
    assert Git().resolve(SOURCE) == Git().push("elsewhere", "x").resolve(SOURCE)
    assert Git().resolve(SOURCE) != Git().push(EXAMPLES, "x").resolve(SOURCE)
    assert Git().resolve(SOURCE) != Git().resolve(SOURCE | {"targetRevision": "dev"})


def test_a_pinned_revision_and_a_chart_version_are_themselves() -> None:
    """A hash resolves to itself; a chart's version is its revision."""
    sha = Git().resolve(SOURCE)
    assert Git().push(EXAMPLES, "x").resolve(SOURCE | {"targetRevision": sha}) == sha
    chart = {"repoURL": "https://charts.example.com", "chart": "web", "targetRevision": "1.2.3"}
    assert Git().resolve(chart) == "1.2.3"
    one = Git().manifests(chart, "1.2.3", "a", "b")
    other = Git().manifests(chart, "1.2.4", "a", "b")
    assert [m.key for m in one] == [m.key for m in other]
    assert [m.content for m in one] != [m.content for m in other]


@pytest.mark.parametrize("path", PATHS)
def test_every_sample_path_deploys_something(path: str) -> None:
    """Each has resources of distinct keys, in the destination or, as children, in Argo CD's namespace."""
    manifests = Git().manifests(SOURCE | {"path": path}, "", "web", "there")
    assert len({m.key for m in manifests}) == len(manifests) >= 2
    assert {m.namespace for m in manifests} == ({"argocd"} if path == "apps" else {"there"})


def test_samples_have_distinct_names() -> None:
    """They can all live in one namespace, beside another set with a prefix."""
    names = [app["metadata"]["name"] for app in samples() + samples(prefix="b-")]
    assert len(set(names)) == len(names)


def test_applying_again_does_not_roll_out_again() -> None:
    """Unchanged resources keep the time they were ready."""
    world = deployed()
    before = world.live("argocd", "web", NOW)
    world.apply(made("web"), ApplyManifests(MANIFESTS, ()), NOW + 50, Settings())
    assert world.live("argocd", "web", NOW + 50) == before


def test_a_cascade_takes_its_time() -> None:
    """What is pruned is still there until it is gone, and is logged once."""
    world = deployed()
    for _ in range(2):
        world.apply(made("web"), Cascade(FAMILY, False), NOW + 1, Settings(pruning=5.0))
    assert len(world.live("argocd", "web", NOW + 5)) == 2
    assert world.live("argocd", "web", NOW + 6) == ()
    assert len(world.prunes) == 2


def test_listeners_hear_of_changes_until_they_stop() -> None:
    """Drift, degradation and removal by hand are told to the owner's name."""
    world, heard = deployed(), []
    stop = world.on_change(lambda namespace, name: heard.append((namespace, name)))
    world.drift("Service", "web", "guestbook-ui")
    world.degrade("Deployment", "web", "guestbook-ui")
    world.remove("Deployment", "web", "guestbook-ui")
    stop()
    world.drift("Service", "web", "guestbook-ui")
    assert heard == [("argocd", "web")] * 3
    with pytest.raises(KeyError, match="is not deployed"):
        world.drift("Deployment", "web", "guestbook-ui")


def test_logs_are_bounded_and_say_what_they_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest entries go, and are counted."""
    monkeypatch.setattr(world_module, "MAX_LOG", 3)
    world = World()
    for n in range(2):
        world.apply(made("web"), ApplyManifests(MANIFESTS, ()), NOW + n, Settings())
        world.apply(made("web"), Cascade(FAMILY, False), NOW + n, Settings(pruning=0.5))
    assert (len(world.prunes), world.lost) == (3, 1)
    assert world.statistics()["prunes"] == 3
