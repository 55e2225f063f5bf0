"""Argo CD's definitions as they are shipped."""

from __future__ import annotations

from tests.unit.apiserver.core.helpers import new_server
from trio_argoagent.apiserver.crds import argocd_crds


def test_argo_cds_definitions() -> None:
    """The three kinds are served as Argo CD's own definitions say, and each call returns them fresh."""
    server = new_server()
    kinds = {k.resource.kind: k for k in server.resources() if k.resource.group == "argoproj.io"}
    assert {name: kind.short_names for name, kind in kinds.items()} == {
        "Application": ("app", "apps"),
        "AppProject": ("appproj", "appprojs"),
        "ApplicationSet": ("appset", "appsets"),
    }
    assert {name: kind.subresources for name, kind in kinds.items()} == {
        "Application": (),
        "AppProject": (),
        "ApplicationSet": ("status",),
    }
    columns = [(column.name, column.priority) for column in kinds["Application"].columns]
    assert columns == [("Sync Status", 0), ("Health Status", 0), ("Revision", 10), ("Project", 10)]
    argocd_crds()[0].clear()
    assert argocd_crds()[0]["kind"] == "CustomResourceDefinition"
