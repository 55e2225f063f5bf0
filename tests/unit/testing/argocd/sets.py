"""An ApplicationSet of two Applications, and what a reconcile of it sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trio_argoagent.testing.argocd import ownership
from trio_argoagent.testing.argocd.applicationset import (
    APPLICATION_SETS,
    Change,
    Create,
    SetPlan,
    SetSettings,
    SetView,
    reconcile,
)
from trio_argoagent.testing.argocd.generators import LOCAL, generate
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.argocd.names import IN_CLUSTER

from .helpers import NOW, merge

TEMPLATE: Mapping[str, Any] = {
    "metadata": {"name": "{{name}}", "labels": {"ring": "{{ring}}"}, "annotations": {"team": "web"}},
    "spec": {
        "project": "default",
        "source": {"repoURL": EXAMPLES, "path": "guestbook", "targetRevision": "HEAD"},
        "destination": {"server": IN_CLUSTER, "namespace": "{{name}}"},
        "syncPolicy": {"automated": {"prune": True}},
    },
}
ELEMENTS = [{"name": "one", "ring": "first"}, {"name": "two", "ring": "rest"}]


def appset(**spec: Any) -> dict[str, Any]:
    """An ApplicationSet as a server stores it."""
    return {
        "apiVersion": APPLICATION_SETS.api_version,
        "kind": APPLICATION_SETS.kind,
        "metadata": {"name": "set", "namespace": "m1", "uid": "uid-set", "finalizers": ["someone/else"]},
        "spec": {"generators": [{"list": {"elements": ELEMENTS}}], "template": TEMPLATE, **spec},
    }


def live(value: Mapping[str, Any], name: str = "one", **change: Any) -> dict[str, Any]:
    """An Application of the set as it stands after its creation, with a merge patch on top."""
    (app,) = (each for each in generate(value, [LOCAL]) if each["metadata"]["name"] == name)
    stored = ownership.owned(app, {}, value) | {"status": {}}
    stored["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": "7"}
    return dict(merge(stored, change))


def plan(
    value: Mapping[str, Any],
    *apps: Mapping[str, Any],
    settings: SetSettings | None = None,
    **view: Any,
) -> SetPlan:
    """One reconcile over these live Applications."""
    seen = {app["metadata"]["name"]: app for app in apps}
    complete = {"projects": ["default"], "clusters": [LOCAL], **view}
    return reconcile(value, SetView(seen, **complete), NOW, settings or SetSettings())


def patches(found: SetPlan) -> dict[str, Any]:
    """The merge patches of a plan by the Application's name, of one that creates nothing."""
    assert not any(isinstance(write, Create) for write in found.writes)
    return {write.name: write.patch.value for write in found.writes if isinstance(write, Change)}
