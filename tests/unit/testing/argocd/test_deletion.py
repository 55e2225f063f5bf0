"""Deletion: the order of finalizers, and where Argo CD hangs."""

from __future__ import annotations

import pytest

from trio_argoagent.testing.argocd.names import (
    CLEANUP,
    DELETION_APPROVED,
    FAMILY,
    FAMILY_BACKGROUND,
    FAMILY_FOREGROUND,
    POST_DELETE,
    PRE_DELETE,
    stamp,
)

from .helpers import NOW, Bench, made


def deleting(*finalizers: str, path: str = "guestbook") -> Bench:
    """A deployed Application that is being deleted with these finalizers."""
    bench = Bench(app=made("web", path))
    bench.sync({"sync": {}})
    bench.app["metadata"] |= {"finalizers": list(finalizers), "deletionTimestamp": stamp(bench.now)}
    return bench


@pytest.mark.parametrize("finalizer", [FAMILY, FAMILY_FOREGROUND, FAMILY_BACKGROUND])
def test_a_cascade_prunes_first_and_removes_the_family_after(finalizer: str) -> None:
    """The finalizer goes only when nothing is left; other finalizers stay."""
    bench = deleting("someone/else", finalizer)
    assert bench.finalise().labels == ()
    logged = (finalizer, finalizer == FAMILY_BACKGROUND)
    assert [(p.by, p.background) for p in bench.world.prunes] == [logged] * 2
    assert bench.finalise(0.5).steps == ()
    assert bench.finalise(0.5).labels == ("W6",)
    assert bench.app["metadata"]["finalizers"] == ["someone/else"]
    assert bench.finalise().steps == ()


def test_only_the_first_of_the_family_decides_about_background() -> None:
    """A background finalizer behind the plain one is not looked at."""
    bench = deleting(FAMILY, FAMILY_BACKGROUND)
    bench.finalise()
    assert not any(pruned.background for pruned in bench.world.prunes)
    bench.finalise(1.0)
    assert bench.app["metadata"]["finalizers"] == []


def test_the_hooks_go_in_order_one_a_pass() -> None:
    """pre, family, post, the two clean-ups."""
    pre_clean, post_clean = PRE_DELETE + CLEANUP, POST_DELETE + CLEANUP
    bench = deleting(post_clean, POST_DELETE, FAMILY, pre_clean, PRE_DELETE, path="delete-hooks")
    gone = []
    for _ in range(8):
        before = bench.app["metadata"]["finalizers"]
        bench.finalise(1.0)
        gone += [each for each in before if each not in bench.app["metadata"]["finalizers"]]
    assert gone == [PRE_DELETE, FAMILY, POST_DELETE, pre_clean, post_clean]
    assert [hook.finalizer for hook in bench.world.hooks] == [g for g in gone if g != FAMILY]


def test_hooks_run_without_a_cascade() -> None:
    """Nothing is pruned, the hook runs all the same."""
    bench = deleting(PRE_DELETE)
    bench.finalise()
    assert bench.app["metadata"]["finalizers"] == []
    assert [hook.finalizer for hook in bench.world.hooks] == [PRE_DELETE]
    assert not bench.world.prunes


def test_without_a_project_it_never_ends() -> None:
    """DeletionError once, and then nothing until the project is back."""
    bench = deleting(FAMILY)
    bench.project, project = None, bench.project
    assert bench.finalise().labels == ("W7",)
    assert bench.status["conditions"][0]["type"] == "DeletionError"
    assert bench.finalise(500.0).steps == ()
    bench.project = project
    bench.finalise()
    assert len(bench.world.prunes) == 2


def test_an_unknown_cluster_orphans_the_workload() -> None:
    """Argo CD's finalizers are stripped, nothing is pruned."""
    bench = deleting(PRE_DELETE, FAMILY, "someone/else")
    bench.world.destinations = ()
    assert bench.finalise().labels == ("W6",)
    assert bench.app["metadata"]["finalizers"] == ["someone/else"]
    assert not bench.world.prunes


def test_a_deletion_that_must_be_confirmed_waits_for_an_approval_after_it_began() -> None:
    """An approval from before does not count."""
    bench = deleting(FAMILY)
    bench.world.confirmations["argocd", "web"] = True
    assert bench.finalise().steps == ()
    bench.app["metadata"]["annotations"] = {DELETION_APPROVED: stamp(NOW - 60)}
    assert bench.finalise().steps == ()
    bench.app["metadata"]["annotations"] = {DELETION_APPROVED: stamp(bench.now)}
    bench.finalise()
    assert len(bench.world.prunes) == 2


def test_what_is_not_deleting_is_left_alone() -> None:
    """A finalizer alone is no deletion."""
    bench = Bench()
    assert bench.finalise().steps == ()
