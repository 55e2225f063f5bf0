"""What ``trio-argoagent manifests`` makes of the shipped folders is what kustomize makes of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import trio_argoagent
from trio_argoagent.cli.manifests import PARAMS, built
from trio_argoagent.cli.manifests_command import COMPONENTS, OVERLAYS
from trio_argoagent.model import yamltext

FOLDER = Path(trio_argoagent.__file__).parent / "manifests"
INSTALLATIONS = [
    (overlay, components)
    for overlay in OVERLAYS
    for components in ((), *((each,) for each in COMPONENTS), COMPONENTS)
]


def sorted_by_name(objects: Iterable[Any]) -> list[Any]:
    """Whatever their order was."""
    return sorted(objects, key=lambda each: (each["kind"], each["metadata"]["name"]))


@pytest.mark.parametrize(
    "path", sorted(FOLDER.rglob("*.yaml")), ids=lambda path: str(path.relative_to(FOLDER))
)
def test_every_file_is_yaml(path: Path) -> None:
    """With a kind in each document."""
    found = yamltext.load(path.read_bytes())
    assert found
    assert all(each["kind"] and each["apiVersion"] for each in found)


def test_every_file_is_used() -> None:
    """By a kustomization beside it."""
    for path in FOLDER.rglob("*.yaml"):
        if path.name != "kustomization.yaml":
            asked = yamltext.load_one((path.parent / "kustomization.yaml").read_bytes())
            assert path.name in asked["resources"], path


@pytest.mark.kubectl
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on PATH")
@pytest.mark.parametrize(("overlay", "components"), INSTALLATIONS)
def test_the_same_as_kustomize(tmp_path: Path, overlay: str, components: tuple[str, ...]) -> None:
    """Object by object."""
    shutil.copytree(FOLDER, tmp_path / "manifests")
    half = OVERLAYS[overlay]
    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: elsewhere\n"
        f"resources: [manifests/overlays/{overlay}]\n"
        f"components: [{', '.join(f'manifests/components/{each}/{half}' for each in components)}]\n"
        "images: [{name: trio-argoagent, newName: registry/x, newTag: '1'}]\n"
    )
    command = ["kubectl", "kustomize", str(tmp_path)]
    theirs = subprocess.run(command, check=True, capture_output=True).stdout
    ours = built(overlay, components, namespace="elsewhere", image="registry/x:1")
    for each in ours:
        # Of these keys kustomize knows nothing.
        if each["metadata"]["name"] == PARAMS:
            half_key = f"{half}.namespace"
            assert each["data"][half_key] == "elsewhere"
            each["data"][half_key] = "argocd"
    assert sorted_by_name(ours) == sorted_by_name(yamltext.load(theirs))
