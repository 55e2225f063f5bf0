"""The pure reconcile of an ApplicationSet, row by row of its table."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.model.objects import Object
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd.applicationset import (
    INVALID_AGAIN,
    Change,
    Create,
    Delete,
    Policy,
    Put,
    SetSettings,
    requeues,
)
from trio_argoagent.testing.argocd.names import FAMILY, FAMILY_FOREGROUND

from .helpers import merge
from .sets import appset, live, patches, plan

ONE_ONLY = [{"list": {"elements": [{"name": "one", "ring": "first"}]}}]


def test_a_new_application_is_posted_whole_with_its_owner() -> None:
    """createOrUpdateInCluster: as generated, with a typed client's status and a controller owner."""
    found = plan(appset()).writes
    assert [write.app["metadata"]["name"] for write in found if isinstance(write, Create)] == ["one", "two"]
    (first, _) = found
    assert isinstance(first, Create)
    (owner,) = first.app["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("ApplicationSet", "set", True)
    assert first.app["metadata"]["namespace"] == "m1"
    assert first.app["status"]["sync"]["status"] == ""
    assert "operation" not in first.app


def test_nothing_is_written_where_nothing_differs() -> None:
    """CreateOrUpdate: equal after normalisation is equal, whatever the status and the operation say."""
    value = appset()
    apps = [
        live(value, n, status={"sync": {"status": "Synced"}}, operation={"sync": {}}) for n in ("one", "two")
    ]
    assert plan(value, *apps).writes == ()


@pytest.mark.parametrize("policy", list(Policy))
def test_policies(policy: Policy) -> None:
    """utils/policy.go: creating is always allowed, updating and deleting are not."""
    value = appset(generators=[*ONE_ONLY, {"list": {"elements": [{"name": "new", "ring": "x"}]}}])
    changed = live(appset(), "one", metadata={"labels": {"ring": "other"}})
    gone = live(appset(), "two")
    kinds = [type(w) for w in plan(value, changed, gone, settings=SetSettings(policy=policy)).writes]
    wanted: list[type] = [Change] if policy.updates else []
    assert kinds == [*wanted, Create, *([Delete] if policy.deletes else [])]


@pytest.mark.parametrize(("override", "kinds"), [(True, []), (False, [Delete])])
def test_a_sets_own_policy_holds_only_where_overrides_are_on(override: bool, kinds: list[type]) -> None:
    """DefaultPolicy: per set only if the controller was started with the override."""
    value = appset(generators=ONE_ONLY, syncPolicy={"applicationsSync": "create-update"})
    found = plan(value, live(value), live(appset(), "two"), settings=SetSettings(override=override))
    assert [type(write) for write in found.writes] == kinds


@pytest.mark.parametrize(
    ("finalizers", "destination", "writes"),
    [
        ([FAMILY], {}, [Delete("two")]),
        (
            [FAMILY],
            {"server": "https://gone"},
            [Change("two", MergePatch({"metadata": {"finalizers": None}}))],
        ),
        ([FAMILY_FOREGROUND], {"server": "https://gone"}, []),
        ([], {"name": "gone"}, []),
        (
            ["x/y", FAMILY],
            {"name": "gone", "server": None},
            [Change("two", MergePatch({"metadata": {"finalizers": ["x/y"]}}))],
        ),
    ],
)
def test_what_is_no_longer_generated_is_deleted(
    finalizers: list[str], destination: dict[str, Any], writes: list[Any]
) -> None:
    """deleteInCluster: to an unknown cluster the plain family goes first, so that the deletion can end."""
    value = appset(generators=ONE_ONLY)
    gone = live(appset(), "two", metadata={"finalizers": finalizers}, spec={"destination": destination})
    found = plan(value, live(value), gone).writes
    assert list(found) == ([*writes, Delete("two")] if Delete("two") not in writes else writes)


def test_only_its_own_applications_are_deleted() -> None:
    """getCurrentApplications: controlled by a set of that name, even if it was another one of that name."""
    value = appset(generators=ONE_ONLY)
    other = live(appset(), "two", metadata={"name": "by-hand", "ownerReferences": None})
    old = live(appset(), "two")
    old["metadata"]["ownerReferences"] = [{**old["metadata"]["ownerReferences"][0], "uid": "an older set"}]
    assert plan(value, live(value), other, old).writes == (Delete("two"),)


@pytest.mark.parametrize("view", [{"projects": []}, {"clusters": []}])
def test_an_invalid_application_is_neither_written_nor_deleted(view: dict[str, Any]) -> None:
    """validateGeneratedApplications: it waits three minutes for its project or cluster."""
    value = appset()
    found = plan(value, live(value, "two", metadata={"labels": {"ring": "other"}}), **view)
    assert (found.writes, found.again) == ((), INVALID_AGAIN)
    assert plan(value, live(value), live(value, "two")).again is None


@pytest.mark.parametrize("policy", [Policy.SYNC, Policy.CREATE_UPDATE])
def test_a_deleting_set(policy: Policy) -> None:
    """removeOwnerReferencesOnDeleteAppSet: where it may not delete, they lose their owner first."""
    value = appset()
    value["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FAMILY, "someone/else"]}
    *apps, last = plan(value, live(value), settings=SetSettings(policy=policy)).writes
    assert isinstance(last, Put)
    assert last.value["metadata"]["finalizers"] == ["someone/else"]
    for each in apps:
        assert isinstance(each, Put)
        assert "ownerReferences" not in each.value["metadata"]
        assert each.value["metadata"]["resourceVersion"] == "7"
    assert len(apps) == (policy is Policy.CREATE_UPDATE)


STATE: dict[str, Any] = {"status": {"operationState": {"phase": "Running", "startedAt": "a"}}}


@pytest.mark.parametrize(
    ("change", "plain", "progressive"),
    [
        ({"metadata": {"annotations": {"a": "b"}}}, True, True),
        ({"metadata": {"labels": {"a": "b"}}}, True, True),
        ({"metadata": {"finalizers": ["a/b"]}}, True, True),
        ({"spec": {"project": "other"}}, True, True),
        ({"operation": {"sync": {}}}, False, False),
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, False, False),
        ({"status": {"reconciledAt": "x"}}, False, False),
        ({"status": {"health": {"status": "Healthy"}}}, False, True),
        ({"status": {"sync": {"status": "Synced"}}}, False, True),
        ({"status": {"operationState": {"phase": "Succeeded"}}}, False, True),
        ({"status": {"operationState": {"startedAt": "b"}}}, False, True),
        ({"status": {"operationState": {"message": "b"}}}, False, False),
        ({"status": {"operationState": None}}, False, False),
    ],
)
def test_which_changes_requeue(change: dict[str, Any], plain: bool, progressive: bool) -> None:
    """shouldRequeueForApplication: what the set owns; with progressive syncs also how it goes."""
    old = live(appset(), **STATE)
    new = merge(old, change)
    found = [requeues(Object.of(old), Object.of(new), progressive=each) for each in (False, True)]
    assert found == [plain, progressive]


def test_a_delete_requeues_and_a_create_does_not() -> None:
    """getApplicationOwnsHandler: the controller knows of its own creations."""
    app = Object.of(live(appset()))
    assert requeues(app, None, progressive=False)
    assert not requeues(None, app, progressive=True)


def test_a_change_in_the_template_is_patched_on() -> None:
    """Only the difference is written, and no resourceVersion with it."""
    value = appset()
    template = merge(value["spec"]["template"], {"spec": {"source": {"targetRevision": "v2"}}})
    found = plan(appset(template=template), live(value), live(value, "two"))
    assert patches(found) == {n: {"spec": {"source": {"targetRevision": "v2"}}} for n in ("one", "two")}
