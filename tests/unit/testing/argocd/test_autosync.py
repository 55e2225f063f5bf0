"""Auto-sync: what starts an operation, and what keeps it from starting."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.testing.argocd.applications import automated
from trio_argoagent.testing.argocd.autosync import heal_delay
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.names import Level

from .helpers import Bench, made


def auto(**policy: Any) -> Bench:
    """A bench with auto-sync."""
    return Bench(app=made("web", syncPolicy=automated(**policy)))


def synced(**policy: Any) -> Bench:
    """A bench whose first auto-sync has succeeded."""
    bench = auto(**policy)
    bench.refresh()
    bench.sync()
    bench.refresh(Level.LATEST)
    assert bench.status["sync"]["status"] == "Synced"
    return bench


def test_out_of_sync_starts_an_operation() -> None:
    """W9 names the revision, who asked, and five retries."""
    bench = auto()
    operation = bench.refresh().body("W9")
    revision = bench.status["sync"]["revision"]
    assert operation == {
        "initiatedBy": {"automated": True},
        "retry": {"limit": 5},
        "sync": {"prune": True, "revision": revision},
    }


def test_the_retry_and_options_of_the_spec_are_used() -> None:
    """A spec's own retry replaces the five."""
    bench = Bench(app=made("web", syncPolicy=automated(retry={"limit": 1}, syncOptions=["a=b"])))
    operation = bench.refresh().body("W9")
    assert (operation["retry"], operation["sync"]["syncOptions"]) == ({"limit": 1}, ["a=b"])


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("an operation stands", {"operation": {"sync": {}}}),
        ("it is switched off", {"spec": {"syncPolicy": {"automated": {"enabled": False}}}}),
        ("it is being deleted", {"metadata": {"deletionTimestamp": "2026-09-21T14:13:20Z"}}),
    ],
)
def test_no_operation_is_started(why: str, change: dict[str, dict[str, Any]]) -> None:
    """What keeps auto-sync from starting anything."""
    bench = auto()
    for field, value in change.items():
        bench.app[field] = {**bench.app.get(field, {}), **value}
    assert "W9" not in bench.refresh().labels, why


def test_a_closed_window_writes_nothing() -> None:
    """Neither an operation nor a condition."""
    bench = auto()
    bench.world.closed_windows["argocd", "web"] = True
    assert bench.refresh().labels == ("W1",)
    assert "conditions" not in bench.status


def test_a_failed_attempt_is_not_repeated() -> None:
    """SyncError, until the revision or the source is another one."""
    bench = auto(retry={"limit": 0})
    bench.world.failures["argocd", "web"] = "boom"
    bench.refresh()
    bench.sync()
    assert bench.refresh(Level.LATEST).labels == ("W1",)
    (condition,) = bench.status["conditions"]
    assert condition["type"] == "SyncError"
    assert "boom" in condition["message"]
    bench.world.git = bench.world.git.push(EXAMPLES, "other")
    assert "W9" in bench.refresh(Level.LATEST).labels


def test_clearing_operation_state_arms_it_again() -> None:
    """What was tried is known from operationState alone."""
    bench = auto(retry={"limit": 0})
    bench.world.failures["argocd", "web"] = "boom"
    bench.refresh()
    bench.sync()
    del bench.status["operationState"]
    assert "W9" in bench.refresh(Level.LATEST).labels


def test_drift_without_self_heal_stays() -> None:
    """The same revision after a success is synced again by selfHeal only."""
    bench = synced(self_heal=False)
    bench.world.drift("Service", "web", "guestbook-ui")
    assert "W9" not in bench.refresh(Level.RECENT).labels
    assert bench.status["sync"]["status"] == "OutOfSync"


def test_self_heal_waits_and_then_syncs_what_drifted() -> None:
    """The operation lists the resources and counts the attempts."""
    bench = synced()
    bench.world.drift("Service", "web", "guestbook-ui")
    decision = bench.refresh(Level.RECENT)
    (wake,) = [w for w in decision.wakes if w.level is Level.LATEST]
    assert "W9" not in decision.labels
    assert wake.after == pytest.approx(2.0)
    bench.now += wake.after
    sync = bench.refresh(Level.LATEST).body("W9")["sync"]
    assert sync["autoHealAttemptsCount"] == 1
    assert sync["resources"] == [{"kind": "Service", "name": "guestbook-ui", "namespace": "web"}]
    bench.sync()
    bench.refresh(Level.LATEST)
    assert bench.status["sync"]["status"] == "Synced"


def test_self_heal_delays_grow_to_a_cap() -> None:
    """2 s, three times longer each time, at most 300 s."""
    assert [heal_delay(n) for n in (0, 1, 2, 9)] == [2.0, 6.0, 18.0, 300.0]


def test_pruning_alone_needs_prune() -> None:
    """Resources that Git no longer has do not start a sync that would not prune them."""
    bench = synced(prune=False)
    bench.app["spec"]["source"] = {**bench.app["spec"]["source"], "path": "jsonnet-guestbook"}
    bench.refresh()
    bench.sync()
    bench.refresh(Level.LATEST)
    assert [r["name"] for r in bench.status["resources"] if r.get("requiresPruning")]
    bench.world.git = bench.world.git.push(EXAMPLES, "other")
    assert "W9" not in bench.refresh(Level.LATEST).labels
