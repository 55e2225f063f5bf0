"""Refreshes: when, what they compare, what they write. One behaviour of Argo CD a test."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.testing.argocd.applications import automated
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.names import (
    FAMILY,
    REFRESH,
    REFRESH_TIMESTAMP,
    SKIP_RECONCILE,
    Level,
    Settings,
)
from trio_argoagent.testing.argocd.reconcile import needed
from trio_argoagent.testing.argocd.writes import Cascade

from .helpers import NOW, V35, V36, Bench, made

LIST = [("", "Service", "web", "guestbook-ui"), ("apps", "Deployment", "web", "guestbook-ui")]


def settled(**more: Any) -> Bench:
    """A bench whose Application has been compared once."""
    bench = Bench(**more)
    bench.refresh()
    return bench


def test_what_was_never_synced_is_out_of_sync_and_missing() -> None:
    """The first refresh fills the whole status."""
    bench = settled()
    status = bench.status
    assert (status["sync"]["status"], status["health"]["status"]) == ("OutOfSync", "Missing")
    assert len(status["sync"]["revision"]) == 40
    assert status["sync"]["comparedTo"] == {n: bench.app["spec"][n] for n in ("source", "destination")}
    assert [(r.get("group", ""), r["kind"], r["namespace"], r["name"]) for r in status["resources"]] == LIST
    assert status["reconciledAt"] == "2026-09-21T14:13:20Z"
    assert status["sourceType"] == "Directory"
    assert status["controllerNamespace"] == "argocd"


def test_an_unchanged_status_is_not_written_but_reconciled_at() -> None:
    """W1 is a diff, and its only content a resync later is reconciledAt."""
    bench = settled()
    bench.now += 200
    assert bench.refresh().body("W1") == {"status": {"reconciledAt": "2026-09-21T14:16:40Z"}}
    assert bench.refresh(Level.RECENT).steps == ()


@pytest.mark.parametrize(
    ("why", "change", "level"),
    [
        ("nothing is due", {}, None),
        ("labels do not count", {"metadata": {"labels": {"a": "b"}}}, None),
        ("another project does not count", {"project": "other"}, None),
        ("the refresh annotation", {"metadata": {"annotations": {REFRESH: "normal"}}}, Level.FORCE),
        ("another source", {"source": {"repoURL": EXAMPLES, "path": "apps"}}, Level.FORCE),
        ("another destination", {"destination": {"name": "in-cluster"}}, Level.LATEST),
        ("other ignoreDifferences", {"ignoreDifferences": [{"kind": "Service"}]}, Level.LATEST),
    ],
)  # fmt: skip
def test_refresh_trigger(why: str, change: dict[str, Any], level: Level | None) -> None:
    """Which change of the object asks for a refresh, and at which level."""
    bench = settled()
    bench.app["metadata"] |= change.pop("metadata", {})
    bench.app["spec"] |= change
    assert needed(bench.app, bench.now, V36, None) == level, why


def test_a_status_expires_after_the_resync_time() -> None:
    """A reconciledAt older than the resync is level 2; none at all, too."""
    bench = settled()
    assert needed(bench.app, NOW + 120, V36, Level.TREE) is Level.TREE
    assert needed(bench.app, NOW + 121, V36, Level.TREE) is Level.LATEST
    del bench.status["reconciledAt"]
    assert needed(bench.app, NOW, V36, None) is Level.LATEST


def test_reconciled_at_moves_at_levels_2_and_3_only() -> None:
    """A comparison because a resource changed leaves reconciledAt."""
    bench = settled()
    bench.sync({"sync": {}})
    bench.now += 60
    at = bench.status["reconciledAt"]
    bench.refresh(Level.RECENT)
    assert (bench.status["sync"]["status"], bench.status["reconciledAt"]) == ("Synced", at)
    bench.refresh(Level.LATEST)
    assert bench.status["reconciledAt"] != at


def test_the_3_5_answers_a_refresh_in_one_write() -> None:
    """The annotation goes inside W1, even if nothing else is in it."""
    bench = settled(settings=V35)
    bench.app["metadata"]["annotations"] = {REFRESH: "normal"}
    decision = bench.refresh()
    assert decision.labels == ("W1",)
    assert decision.body("W1") == {"metadata": {"annotations": {REFRESH: None}}}


def test_the_3_6_answers_a_refresh_in_two_writes() -> None:
    """W1 first, then the request is taken away under a test of its timestamp."""
    bench = settled(settings=V36)
    bench.now += 1
    bench.app["metadata"]["annotations"] = {REFRESH: "normal", REFRESH_TIMESTAMP: "t"}
    decision = bench.refresh()
    assert decision.labels == ("W1", "W2")
    assert [(o["op"], o["path"].rpartition("/")[2]) for o in decision.body("W2")] == [
        ("test", "argocd.argoproj.io~1refresh-timestamp"),
        ("remove", "argocd.argoproj.io~1refresh-timestamp"),
        ("remove", "argocd.argoproj.io~1refresh"),
    ]
    assert bench.app["metadata"]["annotations"] == {}


def test_the_3_6_takes_a_request_away_even_if_the_status_is_the_same() -> None:
    """W2 follows an empty W1."""
    bench = settled()
    bench.app["metadata"]["annotations"] = {REFRESH: "normal"}
    assert bench.refresh().labels == ("W2",)


def test_health_changes_carry_their_time_and_others_do_not() -> None:
    """The time of a transition moves only with health.status."""
    bench = settled()
    first = bench.status["health"]
    bench.sync({"sync": {}})
    bench.refresh(Level.RECENT)
    assert bench.status["health"]["status"] == "Progressing"
    assert bench.status["health"]["lastTransitionTime"] != first["lastTransitionTime"]


def test_a_rollout_is_looked_at_again_when_it_should_be_ready() -> None:
    """Progressing becomes Healthy without any change of the object."""
    bench = settled()
    bench.sync({"sync": {}})
    decision = bench.refresh(Level.RECENT)
    (wake,) = decision.wakes
    assert wake.level is Level.RECENT
    bench.now += wake.after
    bench.refresh(wake.level)
    assert bench.status["health"]["status"] == "Healthy"
    assert bench.status["summary"] == {"images": ["gcr.io/google-samples/gb-frontend:v5"]}


def test_drift_and_degradation_show() -> None:
    """A workload changed by hand is OutOfSync, a failing one Degraded."""
    bench = settled()
    bench.sync({"sync": {}})
    bench.now += 60
    bench.world.drift("Service", "web", "guestbook-ui")
    bench.world.degrade("Deployment", "web", "guestbook-ui")
    bench.refresh(Level.RECENT)
    assert [r["status"] for r in bench.status["resources"]] == ["OutOfSync", "Synced"]
    assert (bench.status["sync"]["status"], bench.status["health"]["status"]) == ("OutOfSync", "Degraded")


def test_a_commit_is_seen_by_the_latest_comparison_only() -> None:
    """A comparison with the recent revision does not resolve the branch again."""
    bench = settled()
    bench.sync({"sync": {}})
    bench.refresh(Level.LATEST)
    bench.world.git = bench.world.git.push(EXAMPLES, "guestbook")
    before = bench.status["sync"]["revision"]
    bench.refresh(Level.RECENT)
    assert (bench.status["sync"]["status"], bench.status["sync"]["revision"]) == ("Synced", before)
    bench.refresh(Level.LATEST)
    assert bench.status["sync"]["status"] == "OutOfSync"
    assert bench.status["sync"]["revision"] != before


def test_a_commit_elsewhere_changes_the_revision_only() -> None:
    """Another path's commit leaves the resources Synced."""
    bench = settled()
    bench.sync({"sync": {}})
    bench.world.git = bench.world.git.push(EXAMPLES, "sock-shop")
    before = bench.status["sync"]["revision"]
    bench.refresh(Level.LATEST)
    assert bench.status["sync"]["status"] == "Synced"
    assert bench.status["sync"]["revision"] != before


def test_what_git_no_longer_has_requires_pruning() -> None:
    """Another path leaves the old resources behind, OutOfSync."""
    bench = settled()
    bench.sync({"sync": {}})
    bench.app["spec"]["source"] = {**bench.app["spec"]["source"], "path": "helm-dependency"}
    bench.refresh()
    extra = [r["name"] for r in bench.status["resources"] if r.get("requiresPruning")]
    assert extra == ["guestbook-ui", "guestbook-ui"]


def test_the_spec_is_normalised_before_auto_sync_and_before_the_status() -> None:
    """W5, W9, W1: the order of one full refresh."""
    bench = Bench(app=made("web", project="", syncPolicy=automated()))
    bench.app["spec"]["source"] = bench.app["spec"]["source"] | {"helm": {}}
    decision = bench.refresh()
    assert decision.labels == ("W5", "W9", "W1")
    assert decision.body("W5") == {"spec": {"project": "default", "source": {"helm": None}}}


def test_deletion_hooks_add_finalizers_before_the_status() -> None:
    """W6 is the whole list; it happens once, and never while deleting."""
    bench = Bench(app=made("web", "delete-hooks"))
    decision = bench.refresh()
    assert decision.labels == ("W6", "W1")
    assert len(bench.app["metadata"]["finalizers"]) == 5
    bench.now += 200
    assert bench.refresh().labels == ("W1",)
    other = Bench(app=made("web", "delete-hooks"))
    other.app["metadata"]["deletionTimestamp"] = "2026-09-21T14:13:20Z"
    assert other.refresh().labels == ("W1",)


def test_a_missing_project_makes_everything_unknown_and_leaves_reconciled_at() -> None:
    """InvalidSpecError, refresh consumed, resources kept; it heals at the next resync."""
    bench = settled()
    at = bench.status["reconciledAt"]
    bench.now += 5
    bench.project = None
    bench.app["metadata"]["annotations"] = {REFRESH: "normal"}
    bench.refresh()
    status = bench.status
    assert (status["sync"]["status"], status["health"]["status"]) == ("Unknown", "Unknown")
    assert status["conditions"][0]["message"] == "application references project default which does not exist"
    assert (status["reconciledAt"], bench.app["metadata"]["annotations"]) == (at, {})
    bench.project = {"spec": {"sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}]}}
    assert bench.refresh().steps == ()
    bench.now += 200
    bench.refresh()
    assert "conditions" not in bench.status


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"sourceRepos": ["https://elsewhere/*"]}, "is not permitted in project"),
        ({"destinations": [{"server": "*", "namespace": "prod"}]}, "do not match any of the allowed"),
    ],
)
def test_a_project_that_forbids_it(spec: dict[str, Any], words: str) -> None:
    """What the project does not permit is an InvalidSpecError."""
    permissive = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
    bench = settled(project={"spec": permissive | spec})
    (condition,) = bench.status["conditions"]
    assert condition["type"] == "InvalidSpecError"
    assert words in condition["message"]


def test_a_destination_by_either_name_of_the_own_cluster_is_permitted() -> None:
    """in-cluster and its address are the same to a project."""
    project = {"spec": {"sourceRepos": ["*"], "destinations": [
        {"server": "https://kubernetes.default.svc", "namespace": "*"}]}}  # fmt: skip
    bench = settled(app=made("web", destination={"name": "in-cluster", "namespace": "x"}), project=project)
    assert "conditions" not in bench.status


def test_conditions_of_others_stay_and_the_list_is_sorted() -> None:
    """A type the controller does not own survives every refresh."""
    bench = Bench()
    ours = {"type": "AgentError", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    bench.app["status"]["conditions"] = [{"type": "ZZZ", "message": ""}, ours]
    bench.refresh()
    assert [c["type"] for c in bench.status["conditions"]] == ["AgentError", "ZZZ"]
    assert bench.status["conditions"][0] == ours


def test_a_resource_of_another_application_is_warned_about() -> None:
    """SharedResourceWarning names both."""
    bench = settled()
    bench.sync({"sync": {}})
    other = made("copy", destination=bench.app["spec"]["destination"])
    second = Bench(app=other, world=bench.world)
    second.refresh()
    assert {c["type"] for c in second.status["conditions"]} == {"SharedResourceWarning"}


def test_several_sources_have_lists_of_everything() -> None:
    """revisions, sourceTypes and comparedTo.sources instead of their singular."""
    many = [{"repoURL": EXAMPLES, "path": "guestbook"}, {"repoURL": EXAMPLES, "path": "helm-dependency"}]
    bench = settled(app=made("web", source=None, sources=many))
    sync = bench.status["sync"]
    assert sync["comparedTo"]["sources"] == many
    assert len(sync["revisions"]) == 2
    assert "revision" not in sync
    assert bench.status["sourceTypes"] == ["Directory", "Helm"]
    assert bench.refresh().steps == ()


def test_skip_reconcile_is_ignored_wholly() -> None:
    """Not even a refresh request is taken away."""
    bench = Bench()
    bench.app["metadata"]["annotations"] = {SKIP_RECONCILE: "true", REFRESH: "normal"}
    bench.app["operation"] = {"sync": {}}
    assert bench.refresh().steps == ()
    assert bench.operate().steps == ()


def test_health_in_resources_is_an_option() -> None:
    """Argo CD before 3.0 kept each resource's health on the object."""
    bench = settled(settings=Settings(persist_health=True))
    assert bench.status["resources"][0]["health"] == {"status": "Missing"}
    assert "resourceHealthSource" not in bench.status


def test_what_is_being_pruned_is_progressing() -> None:
    """A leaving resource is neither there nor missing."""
    bench = settled()
    bench.sync({"sync": {}})
    bench.now += 60
    bench.world.apply(bench.app, Cascade(FAMILY, False), bench.now, V36)
    bench.refresh(Level.RECENT)
    status = bench.status
    assert (status["sync"]["status"], status["health"]["status"]) == ("OutOfSync", "Progressing")
