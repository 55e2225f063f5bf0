"""Operations: from `.operation` to its end, in both dialects."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.names import Level, Settings

from .helpers import V35, V36, Bench, made

BOTH = pytest.mark.parametrize("settings", [V35, V36], ids=["3.5", "3.6"])


def ready(settings: Settings = V36, **more: Any) -> Bench:
    """A bench whose Application has been compared once."""
    bench = Bench(settings=settings, **more)
    bench.refresh()
    return bench


@BOTH
def test_it_is_picked_up_with_its_info(settings: Settings) -> None:
    """The state carries a copy of the whole operation; .operation stays."""
    bench = ready(settings)
    asked = {"info": [{"name": "who", "value": "me"}], "sync": {}}
    bench.app["operation"] = asked
    decision = bench.operate()
    assert decision.labels == ("W3",)
    assert bench.state == {"operation": asked, "phase": "Running", "startedAt": "2026-09-21T14:13:20Z"}
    assert bench.app["operation"] == asked


@BOTH
def test_it_shows_progress_once(settings: Settings) -> None:
    """An equal state is not written again."""
    bench = ready(settings)
    bench.app["operation"] = {"sync": {}}
    bench.operate()
    assert bench.operate(0.5).labels == ("W3",)
    assert bench.state["message"].startswith("waiting for healthy state of")
    assert bench.operate(0.5).labels == ()


@BOTH
def test_its_end_takes_the_operation_away_in_one_patch_after_the_history(settings: Settings) -> None:
    """W4, then W3; and a refresh is wanted at once, for until then the status is still OutOfSync."""
    bench = ready(settings)
    bench.app["operation"] = {"sync": {}}
    bench.operate()
    decision = bench.operate(2.0)
    assert decision.labels == ("W4", "W3")
    assert "operation" not in bench.app
    state = bench.state
    assert (state["phase"], state["finishedAt"]) == ("Succeeded", "2026-09-21T14:13:22Z")
    assert [task["name"] for task in state["syncResult"]["resources"]] == ["guestbook-ui", "guestbook-ui"]
    assert state["syncResult"]["source"] == bench.app["spec"]["source"]
    assert [(w.after, w.level) for w in decision.wakes] == [(0.0, Level.FORCE)]
    assert bench.status["sync"]["status"] == "OutOfSync"


def test_an_automated_sync_ends_with_a_lesser_refresh() -> None:
    """Level 2 instead of 3."""
    bench = ready()
    bench.app["operation"] = {"initiatedBy": {"automated": True}, "sync": {}}
    bench.operate()
    assert [w.level for w in bench.operate(2.0).wakes] == [Level.LATEST]


def test_a_dry_run_changes_nothing_and_refreshes_nothing() -> None:
    """Neither workload nor history nor a refresh."""
    bench = ready()
    bench.app["operation"] = {"sync": {"dryRun": True}}
    bench.operate()
    decision = bench.operate(2.0)
    assert (decision.labels, decision.wakes) == (("W3",), ())
    assert bench.world.live("argocd", "web", bench.now) == ()


def test_a_partial_sync_has_no_history() -> None:
    """Only what is named is applied."""
    bench = ready()
    bench.sync({"sync": {"resources": [{"kind": "Service", "name": "guestbook-ui"}]}})
    assert [each.manifest.kind for each in bench.world.live("argocd", "web", bench.now)] == ["Service"]
    assert "history" not in bench.status


def test_history_is_cut_to_its_limit() -> None:
    """Ids go on; ten entries, or as many as the spec says."""
    bench = ready()
    for _ in range(12):
        bench.sync({"sync": {}})
    assert [entry["id"] for entry in bench.status["history"]] == list(range(2, 12))
    bench.app["spec"]["revisionHistoryLimit"] = 3
    bench.sync({"sync": {}})
    assert [entry["id"] for entry in bench.status["history"]] == [10, 11, 12]


def test_a_new_operation_over_an_unfinished_state_is_swallowed() -> None:
    """The old one runs on, and its end clears the new one."""
    bench = ready()
    bench.app["operation"] = {"sync": {"revision": ""}, "info": [{"name": "n", "value": "old"}]}
    bench.operate()
    bench.app["operation"] = {"sync": {"prune": True}, "info": [{"name": "n", "value": "new"}]}
    bench.sync()
    assert "operation" not in bench.app
    assert bench.state["operation"]["info"][0]["value"] == "old"
    assert len([a for a in bench.world.attempts if a.phase == "Running"]) == 1


def test_a_removed_operation_leaves_it_running_for_ever() -> None:
    """Only .operation queues a pass."""
    bench = ready()
    bench.app["operation"] = {"sync": {}}
    bench.operate()
    del bench.app["operation"]
    assert bench.operate(100.0).steps == ()
    assert bench.state["phase"] == "Running"


def test_an_operation_over_a_finished_state_starts() -> None:
    """RollingSync keeps the old state, and is served nevertheless."""
    bench = ready()
    bench.sync({"sync": {}})
    first = bench.state["startedAt"]
    bench.now += 10
    bench.sync({"sync": {}})
    assert bench.state["startedAt"] > first
    assert len(bench.status["history"]) == 2


def test_the_3_5_keeps_what_a_new_state_omits() -> None:
    """Its W3 is a merge patch: message and syncResult of the last run stay, finishedAt is nulled."""
    bench = ready(V35)
    bench.sync({"sync": {}})
    bench.app["operation"] = {"sync": {}}
    bench.operate()
    assert bench.state["phase"] == "Running"
    assert bench.state["message"] == "successfully synced (all tasks run)"
    assert "syncResult" in bench.state
    assert "finishedAt" not in bench.state


def test_the_3_6_replaces_the_whole_state() -> None:
    """Its W3 is a JSON patch."""
    bench = ready(V36)
    bench.sync({"sync": {}})
    bench.app["operation"] = {"sync": {}}
    bench.operate()
    assert sorted(bench.state) == ["operation", "phase", "startedAt"]


@BOTH
def test_terminating_ends_as_failed_without_a_retry(settings: Settings) -> None:
    """The next pass ends it."""
    bench = ready(settings)
    bench.app["operation"] = {"retry": {"limit": 5}, "sync": {}}
    bench.operate()
    bench.state["phase"] = "Terminating"
    bench.operate(0.1)
    assert (bench.state["phase"], bench.state["message"]) == ("Failed", "Operation terminated")
    assert "operation" not in bench.app
    assert bench.world.live("argocd", "web", bench.now) == ()


def test_a_failed_attempt_waits_as_running_with_finished_at() -> None:
    """The first wait is really 10 s; the retry forgets finishedAt and syncResult."""
    bench = ready()
    bench.world.failures["argocd", "web"] = "boom"
    bench.app["operation"] = {"retry": {"limit": 1}, "sync": {}}
    bench.operate()
    decision = bench.operate(2.0)
    state = bench.state
    assert (state["phase"], state["retryCount"]) == ("Running", 1)
    assert "finishedAt" in state
    assert "Retrying attempt #1" in state["message"]
    assert decision.wakes[0].after == 10.0
    assert bench.operate(9.0).steps == ()
    bench.operate(1.0)
    assert "finishedAt" not in bench.state
    assert "syncResult" not in bench.state
    bench.operate(2.0)
    assert (bench.state["phase"], bench.state["message"]) == ("Failed", "boom (retried 1 times).")
    assert "operation" not in bench.app


def test_retries_follow_the_backoff_of_the_operation() -> None:
    """duration, factor and maxDuration are Go's."""
    bench = ready()
    bench.world.failures["argocd", "web"] = "boom"
    backoff = {"duration": "1m30s", "factor": 3, "maxDuration": "4m"}
    bench.app["operation"] = {"retry": {"limit": -1, "backoff": backoff}, "sync": {}}
    bench.operate()
    assert bench.operate(2.0).wakes[0].after == 240.0


def test_a_closed_window_keeps_it_running_with_a_message() -> None:
    """It goes on when the window opens."""
    bench = ready()
    bench.world.closed_windows["argocd", "web"] = True
    bench.app["operation"] = {"sync": {}}
    bench.operate()
    decision = bench.operate(5.0)
    assert bench.state["message"] == "Sync operation blocked by sync window"
    assert decision.wakes[0].after == 30.0
    bench.world.closed_windows.clear()
    bench.sync()
    assert bench.state["phase"] == "Succeeded"


def test_a_missing_project_is_an_error() -> None:
    """The operation ends, it does not hang."""
    bench = ready(project=None)
    bench.sync({"sync": {}})
    assert bench.state["phase"] == "Error"


def test_no_sync_in_the_operation_is_a_failure() -> None:
    """An operation that asks for nothing."""
    bench = ready()
    bench.sync({"info": []})
    assert bench.state["message"] == "Invalid operation request: no operation specified"


def test_after_a_stop_in_the_middle_it_runs_again_under_the_same_token() -> None:
    """The state on the object, not the controller's memory, is what runs."""
    bench = ready()
    bench.app["operation"] = {"sync": {}}
    bench.operate()
    bench.world._running.clear()
    bench.sync()
    starts = [a.token for a in bench.world.attempts if a.phase == "Running"]
    assert len(starts) == 2
    assert len(set(starts)) == 1
    assert bench.state["phase"] == "Succeeded"


def test_prune_deletes_what_git_no_longer_has_and_logs_it() -> None:
    """By sync, not by a finalizer."""
    bench = ready()
    bench.sync({"sync": {}})
    bench.app["spec"]["source"] = {**bench.app["spec"]["source"], "path": "jsonnet-guestbook"}
    bench.sync({"sync": {}})
    assert not bench.world.prunes
    bench.sync({"sync": {"prune": True}})
    assert [(p.uid, p.by, p.key[3]) for p in bench.world.prunes] == [("uid-web", "sync", "guestbook-ui")] * 2


def test_an_older_revision_brings_back_its_content() -> None:
    """A rollback deploys what that revision deployed."""
    bench = ready()
    bench.sync({"sync": {}})
    first = bench.status["history"][0]
    content = [each.manifest.content for each in bench.world.live("argocd", "web", bench.now)]
    bench.world.git = bench.world.git.push(EXAMPLES, "guestbook")
    bench.sync({"sync": {}})
    assert [e.manifest.content for e in bench.world.live("argocd", "web", bench.now)] != content
    bench.sync({"sync": {"revision": first["revision"], "source": first["source"]}})
    assert [e.manifest.content for e in bench.world.live("argocd", "web", bench.now)] == content


def test_hooks_run_as_tasks_and_leave_no_resource() -> None:
    """A hook is in syncResult, never in status.resources."""
    bench = ready(app=made("web", "pre-post-sync"))
    bench.sync({"sync": {}})
    tasks = bench.state["syncResult"]["resources"]
    assert [t.get("hookType") for t in tasks] == ["PreSync", None, None, "PostSync"]
    assert [r["kind"] for r in bench.status["resources"]] == ["Service", "Deployment"]
