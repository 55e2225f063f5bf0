"""``trio-argoagent manifests``: the shipped kustomizations as plain YAML.

Of kustomize this knows what the shipped ones use: resources, components, JSON patches by kind and name, and a
namespace. Source: Kubernetes' SIG CLI, "The Kustomization File".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final

import click

from trio_argoagent.apiserver.core.patches import apply_json
from trio_argoagent.cli.manifests_command import OVERLAYS
from trio_argoagent.cli.option_table import meant
from trio_argoagent.errors import UserError
from trio_argoagent.model import yamltext
from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.runtime.options import strays

FOLDER: Final = "manifests"
"""In the package."""
PARAMS: Final = "argocd-agent-params"
"""The ConfigMap with the programs' settings."""
_KNOWN: Final = {"apiVersion", "kind", "namespace", "resources", "components", "patches"}
_NAMESPACE_KEYS: Final = ("principal.namespace", "agent.namespace")
_CLUSTER_SCOPED: Final = ("ClusterRole", "ClusterRoleBinding")

Objects = list[dict[str, Any]]


def print_manifests(
    overlay: str, *, components: Sequence[str], namespace: str, image: str, settings: Sequence[str]
) -> None:
    """Print them, ready for ``kubectl apply``."""
    import yaml

    if not is_dns_label(namespace):
        raise UserError(f"--namespace: {namespace} is no name of a namespace")
    given = dict(_setting(each) for each in settings)
    objects = built(overlay, components, namespace, image)
    known = list(keys(objects))
    for key in given:
        if key not in known:
            raise UserError(f"--set: {PARAMS} has no {key}{meant(strays.likest(key, known))}")
    for each in _named(objects, "ConfigMap", PARAMS):
        each["data"] |= given
    click.echo(yaml.safe_dump_all(objects, sort_keys=False), nl=False)


def _setting(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UserError(f"--set: {text} is no KEY=VALUE")
    return key, value


def built(overlay: str, components: Sequence[str] = (), namespace: str = "", image: str = "") -> Objects:
    """The objects of an installation.

    Args:
        overlay: one of ``OVERLAYS``.
        components: of ``COMPONENTS``.
        namespace: in which it is to be; empty: as shipped.
        image: of the container; empty: as shipped.
    """
    half = OVERLAYS[overlay]
    objects = _folder(f"overlays/{overlay}")
    for name in components:
        objects = _folder(f"components/{name}/{half}", objects)
    if namespace:
        _move(objects, namespace)
        for each in _named(objects, "ConfigMap", PARAMS):
            each["data"] |= {key: namespace for key in _NAMESPACE_KEYS if key in each["data"]}
    if image:
        for each in objects:
            for container in _containers(each):
                container["image"] = image
    return objects


def keys(objects: Objects) -> Mapping[str, str]:
    """What the ConfigMap may say: key -> the environment variable that it becomes."""
    found = {}
    for each in objects:
        for variable in (one for container in _containers(each) for one in container["env"]):
            source = variable["valueFrom"].get("configMapKeyRef")
            if source is not None:
                found[source["key"]] = variable["name"]
    return found


def _containers(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    return value["spec"]["template"]["spec"]["containers"] if value["kind"] == "Deployment" else []


def _folder(path: str, objects: Objects | None = None) -> Objects:
    """What a folder's kustomization makes; of a component: of these objects."""
    asked = yamltext.load_one(_read(f"{path}/kustomization.yaml"))
    assert set(asked) <= _KNOWN, f"{path}: {set(asked) - _KNOWN}"
    found = list(objects or ())
    for each in asked.get("resources", ()):
        where = _joined(path, each)
        found += yamltext.load(_read(where)) if where.endswith(".yaml") else _folder(where)
    for each in asked.get("components", ()):
        found = _folder(_joined(path, each), found)
    for each in asked.get("patches", ()):
        operations = yamltext.load_one(each["patch"].encode())
        kind, name = each["target"]["kind"], each["target"]["name"]
        found = [apply_json(one, operations) if _is(one, kind, name) else one for one in found]
    if "namespace" in asked:
        _move(found, asked["namespace"])
    return found


def _read(path: str) -> bytes:
    return resources.files("trio_argoagent").joinpath(FOLDER, *path.split("/")).read_bytes()


def _joined(folder: str, path: str) -> str:
    steps = folder.split("/")
    for step in path.split("/"):
        steps = steps[:-1] if step == ".." else [*steps, step]
    return "/".join(steps)


def _is(value: Mapping[str, Any], kind: str, name: str) -> bool:
    return (value["kind"], value["metadata"]["name"]) == (kind, name)


def _named(objects: Objects, kind: str, name: str) -> Objects:
    return [each for each in objects if _is(each, kind, name)]


def _move(objects: Objects, namespace: str) -> None:
    for each in objects:
        if each["kind"] not in _CLUSTER_SCOPED:
            each["metadata"]["namespace"] = namespace
        for subject in each.get("subjects", ()):
            subject["namespace"] = namespace
