"""Which Applications an ApplicationSet generates: parameters, and the template filled with them.

Generators: ``list`` and ``clusters``. Templates: ``{{name}}`` placeholders; what has no parameter stays as it
is. Not simulated: the other generators, their combination, Go templates, ``templatePatch``.
Source: applicationset/generators/{list,cluster}.go, applicationset/utils/utils.go:RenderTemplateParams,
applicationset/controllers/template/template.go:GenerateApplications.
"""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.sync.normalise import normalise_application_spec
from trio_argoagent.testing.argocd.names import FAMILY, IN_CLUSTER, Value

SECRET_TYPE: Final = "argocd.argoproj.io/secret-type"
CLUSTER_SECRETS: Final = f"{SECRET_TYPE}=cluster"
"""The label selector of the secrets that stand for clusters."""
_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")


@attrs.frozen
class KnownCluster:
    """A cluster that Argo CD knows, and the labels of its secret."""

    name: str
    server: str
    labels: Mapping[str, str] = attrs.field(factory=dict)


LOCAL: Final = KnownCluster("in-cluster", IN_CLUSTER)
"""The cluster that Argo CD runs in: known without a secret."""


def clusters_of(secrets: Iterable[Object]) -> tuple[KnownCluster, ...]:
    """The clusters of these secrets, by the secrets' names; the local one first if no secret has it."""
    found = []
    for secret in sorted(secrets, key=lambda each: each.meta.name):
        data = {name: base64.b64decode(value).decode() for name, value in (secret.get("data") or {}).items()}
        found.append(KnownCluster(data.get("name", ""), data.get("server", ""), secret.labels))
    if any(each.server == IN_CLUSTER for each in found):
        return tuple(found)
    return (LOCAL, *found)


def generate(appset: Value, clusters: Sequence[KnownCluster]) -> list[dict[str, Any]]:
    """The Applications of a set, in the order of its generators, specs normalised.

    They are always in the set's own namespace. Where the template names no finalizer they get the plain
    resources-finalizer, unless the set says ``preserveResourcesOnDeletion``.
    """
    spec, namespace = appset["spec"], appset["metadata"]["namespace"]
    preserve = (spec.get("syncPolicy") or {}).get("preserveResourcesOnDeletion", False)
    found = []
    for generator in spec["generators"]:
        for parameters in _parameters(generator, clusters):
            template = _render(spec["template"], parameters)
            meta = template.get("metadata") or {}
            finalizers = meta.get("finalizers") or ([] if preserve else [FAMILY])
            kept = {name: meta[name] for name in ("name", "labels", "annotations") if meta.get(name)}
            kept |= {"namespace": namespace} | ({"finalizers": finalizers} if finalizers else {})
            found.append(
                {
                    "apiVersion": APPLICATIONS.api_version,
                    "kind": APPLICATIONS.kind,
                    "metadata": kept,
                    "spec": normalise_application_spec(template["spec"]),
                }
            )
    return found


def _parameters(generator: Value, clusters: Sequence[KnownCluster]) -> Iterator[dict[str, str]]:
    for element in (generator.get("list") or {}).get("elements") or ():
        yield _flat(element)
    if "clusters" in generator:
        asked = generator["clusters"] or {}
        wanted = (asked.get("selector") or {}).get("matchLabels") or {}
        for each in clusters:
            # The local cluster has no labels of its own: a selector leaves it out.
            if all(each.labels.get(name) == value for name, value in wanted.items()):
                labels = {f"metadata.labels.{name}": value for name, value in each.labels.items()}
                values = _flat({"values": asked.get("values") or {}})
                yield {"name": each.name, "server": each.server, **labels, **values}


def _flat(element: Value) -> dict[str, str]:
    """An element's fields as text, those of ``values`` as ``values.x``."""
    found = {name: str(value) for name, value in element.items() if name != "values"}
    return found | {f"values.{name}": str(value) for name, value in (element.get("values") or {}).items()}


def _render(part: Any, parameters: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _PLACEHOLDER.sub(lambda found: parameters.get(found[1], found[0]), part)
    if isinstance(part, Mapping):
        return {_render(name, parameters): _render(value, parameters) for name, value in part.items()}
    if isinstance(part, list):
        return [_render(each, parameters) for each in part]
    return copy.deepcopy(part)
