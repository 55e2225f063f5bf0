"""What an ApplicationSet takes away, and what it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.testing.argocd import ownership
from trio_argoagent.testing.argocd.generators import LOCAL, generate
from trio_argoagent.testing.argocd.names import (
    CLEANUP,
    FAMILY,
    HYDRATE,
    HYDRATE_TIMESTAMP,
    POST_DELETE,
    PRE_DELETE,
    REFRESH,
    REFRESH_TIMESTAMP,
)

from .sets import appset, live


def _patch(value: dict[str, Any], **change: Any) -> dict[str, Any]:
    generated = generate(value, [LOCAL])[0]
    return ownership.patch(value, live(value, **change), generated)


@pytest.mark.parametrize(
    "annotation", [REFRESH_TIMESTAMP, HYDRATE_TIMESTAMP, "trio-argoagent/sync", "any/thing"]
)
def test_other_annotations_are_taken_away(annotation: str) -> None:
    """createOrUpdateInCluster: a marker of ours would not live long; refreshes lose their timestamp."""
    assert _patch(appset(), metadata={"annotations": {annotation: "x"}}) == {
        "metadata": {"annotations": {annotation: None}}
    }


@pytest.mark.parametrize("annotation", [REFRESH, HYDRATE, ownership.NOTIFIED])
def test_some_annotations_are_kept(annotation: str) -> None:
    """Those of defaultPreservedAnnotations."""
    assert _patch(appset(), metadata={"annotations": {annotation: "x"}}) == {}


def test_preserved_fields_are_kept() -> None:
    """preservedFields: the live value, even over the generated one."""
    value = appset(preservedFields={"annotations": ["team", "mine"], "labels": ["mine"]})
    change = {"annotations": {"team": "other", "mine": "1"}, "labels": {"mine": "1", "ring": "x"}}
    assert _patch(value, metadata=change) == {"metadata": {"labels": {"ring": "first"}}}


def test_finalizers_are_replaced_but_for_those_of_hooks() -> None:
    """PreDelete and PostDelete finalizers stay; whatever else somebody added goes with the whole list."""
    hooks = [PRE_DELETE, POST_DELETE, POST_DELETE + CLEANUP]
    assert _patch(appset(), metadata={"finalizers": [FAMILY, *hooks]}) == {}
    found = _patch(appset(), metadata={"finalizers": ["someone/else", *hooks]})
    assert found == {"metadata": {"finalizers": [FAMILY, *hooks]}}


def test_what_argo_cd_normalises_is_no_difference() -> None:
    """CreateOrUpdate: the live spec is normalised before it is compared."""
    assert _patch(appset(), spec={"source": {"helm": {}, "directory": {"recurse": False}}}) == {}


def test_ignored_differences_are_left_alone() -> None:
    """applyIgnoreDifferences: on the Application it names, or on all."""
    change = {"spec": {"source": {"targetRevision": "by hand"}}, "metadata": {"labels": {"ring": "x"}}}
    pointers = {"jsonPointers": ["/spec/source/targetRevision", "/metadata/labels"]}
    assert _patch(appset(ignoreApplicationDifferences=[pointers]), **change) == {}
    assert _patch(appset(ignoreApplicationDifferences=[{**pointers, "name": "one"}]), **change) == {}
    assert _patch(appset(ignoreApplicationDifferences=[{**pointers, "name": "two"}]), **change) != {}


def test_the_status_and_what_stands_are_never_touched() -> None:
    """Status never; an operation only where one is asked for."""
    assert _patch(appset(), status={"sync": {"status": "Synced"}}, operation={"sync": {}}) == {}


def test_an_operation_is_merged_into_whatever_stands() -> None:
    """A merge patch: of the two, the lists are replaced and the fields that only the old one had go."""
    value = appset()
    asked = generate(value, [LOCAL])[0] | {"operation": {"info": [{"name": "a", "value": "b"}], "sync": {}}}
    standing = {"info": [], "initiatedBy": {"username": "admin"}, "sync": {"revision": "1"}}
    assert ownership.patch(value, live(value, operation=standing), asked) == {
        "operation": {"info": [{"name": "a", "value": "b"}], "initiatedBy": None, "sync": {"revision": None}}
    }


def test_an_application_made_by_hand_is_taken_over() -> None:
    """SetControllerReference: other owners stay."""
    value = appset()
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u"}
    found = _patch(value, metadata={"ownerReferences": [other]})
    assert [each["kind"] for each in found["metadata"]["ownerReferences"]] == ["ConfigMap", "ApplicationSet"]
