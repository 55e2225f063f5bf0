"""What an ApplicationSet owns on an Application, and the patch that makes it so.

Spec, labels, annotations and finalizers become what is generated, but for a few annotations and finalizers
that are kept; a list (finalizers, owners) is replaced whole. The status is never looked at.
Source: applicationset/controllers/applicationset_controller.go:createOrUpdateInCluster,
applicationset/utils/createOrUpdate.go:CreateOrUpdate, applyIgnoreDifferences.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.sync.normalise import normalise_application_spec
from trio_argoagent.testing.argocd.names import HYDRATE, POST_DELETE, PRE_DELETE, REFRESH, Value, metadata_of
from trio_argoagent.testing.argocd.writes import merge_diff

API_VERSION: Final = "argoproj.io/v1alpha1"
KIND: Final = "ApplicationSet"
NOTIFIED: Final = "notified.notifications.argoproj.io"
_PRESERVED: Final = (NOTIFIED, REFRESH, HYDRATE)
_OWNED_META: Final = ("labels", "annotations", "finalizers", "ownerReferences")


def controlled_by(app: Value) -> str:
    """The name (not the uid: so does the real one) of the ApplicationSet that controls it; empty: none."""
    for owner in metadata_of(app).get("ownerReferences") or ():
        if owner.get("controller") and owner["kind"] == KIND:
            return str(owner["name"])
    return ""


def owned(app: Value, live: Value, appset: Value) -> dict[str, Any]:
    """The generated Application with what it keeps of the live one's metadata, and its owner."""
    meta = dict(app["metadata"])
    kept = appset["spec"].get("preservedFields") or {}
    annotations = (*(kept.get("annotations") or ()), *_PRESERVED)
    for field, preserved in (("annotations", annotations), ("labels", kept.get("labels") or ())):
        found = live.get(field) or {}
        mine = {**(meta.get(field) or {}), **{n: found[n] for n in preserved if n in found}}
        if mine:
            meta[field] = mine
    hooks = [each for each in live.get("finalizers") or () if each.startswith((PRE_DELETE, POST_DELETE))]
    if hooks:
        meta["finalizers"] = [*(meta.get("finalizers") or ()), *hooks]
    owner = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": appset["metadata"]["name"],
        "uid": appset["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    others = [each for each in live.get("ownerReferences") or () if each["kind"] != KIND]
    return {**app, "metadata": meta | {"ownerReferences": [*others, owner]}}


def spec_patch(appset: Value, live: Value, app: Value) -> Value:
    """The patch of the spec that is due; empty: none.

    Args:
        appset: the set.
        live: the Application as it is.
        app: as it is generated.
    """
    before, after = ({"spec": normalise_application_spec(each["spec"])} for each in (live, app))
    return merge_diff(*(_without_ignored(appset, each, app["metadata"]["name"]) for each in (before, after)))


def patch(appset: Value, live: Value, app: Value) -> dict[str, Any]:
    """The merge patch that makes the live Application what is generated; empty: none is due.

    Args:
        appset: the set.
        live: the Application as it is.
        app: as it is generated.
    """
    name = app["metadata"]["name"]
    before = _part(live) | {"spec": normalise_application_spec(live["spec"])}
    after = _part(owned(app, metadata_of(live), appset))
    # An operation is only ever set: without one to ask for, whatever stands is left alone.
    if "operation" not in after and "operation" in before:
        del before["operation"]
    return merge_diff(*(_without_ignored(appset, each, name) for each in (before, after)))


def _part(app: Value) -> dict[str, Any]:
    meta = metadata_of(app)
    # Of a parsed object the lists are tuples, which equal no list.
    owned_meta = {n: v if isinstance(v := meta[n], Mapping) else list(v) for n in _OWNED_META if meta.get(n)}
    part = {"metadata": owned_meta, "spec": app["spec"]}
    return part | ({"operation": app["operation"]} if app.get("operation") else {})


def _without_ignored(appset: Value, app: Value, name: str) -> dict[str, Any]:
    result = copy.deepcopy(dict(app))
    for rule in appset["spec"].get("ignoreApplicationDifferences") or ():
        if rule.get("name") in (None, "", name):
            for pointer in rule.get("jsonPointers") or ():
                *path, last = (p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:])
                place: Any = result
                for part in path:
                    place = place.get(part) if isinstance(place, dict) else None
                if isinstance(place, dict):
                    place.pop(last, None)
    return result
