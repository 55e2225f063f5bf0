"""Objects as a scenario writes them: short forms of Argo CD's kinds, or a whole Kubernetes object.

Each is judged by a scratch API server before anything starts, so a field that does not exist or is of the
wrong type is found in the file and not amid the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trio_argoagent import errors
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.model.resources import NAMESPACES, Resource
from trio_argoagent.testing.argocd import applications
from trio_argoagent.testing.argocd.git import EXAMPLES
from trio_argoagent.testing.fleet import EVERYWHERE, NAMESPACE, SpokePlan
from trio_argoagent.testing.outages import HUB
from trio_argoagent.testing.scenario import readers
from trio_argoagent.testing.scenario.filling import filled
from trio_argoagent.testing.scenario.nodes import Node, Problem, nearest
from trio_argoagent.testing.scenario.readers import Field, Known, Shape
from trio_argoagent.testing.scenario.values import Applied
from trio_argoagent.testing.scheduling import EPOCH, make_env


def make_scratch(spokes: Sequence[SpokePlan]) -> dict[str, ApiServer]:
    """A server for each cluster of a fleet, with the namespaces that are there from the beginning."""
    entropy = make_env(0, "scratch").entropy
    servers = {
        name: argocd_server(entropy=entropy, history=0, now=EPOCH)
        for name in (HUB, *(each.name for each in spokes))
    }
    for name in (NAMESPACE, *(each.name for each in spokes)):
        _create(servers[HUB], NAMESPACES, namespace_value(name))
    for each in spokes:
        _create(servers[each.name], NAMESPACES, namespace_value(NAMESPACE))
    return servers


def namespace_value(name: str) -> dict[str, Any]:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _create(server: ApiServer, resource: Resource, value: Mapping[str, Any], *, dry: bool = False) -> None:
    namespace = str(value["metadata"].get("namespace", "")) if resource.namespaced else ""
    server.create(resource, namespace, value, actor="check", now=EPOCH, validation="Strict", dry_run=dry)


# The forms


_MORE: Final = {
    "labels": Field(readers.mapping, None),
    "annotations": Field(readers.mapping, None),
    "finalizers": Field(readers.several(readers.text), None),
}
_FORMS: Final[Mapping[str, Shape]] = {
    "application": Shape(
        application=Field(readers.text),
        agent=Field(readers.agent),
        on=Field(readers.cluster, ""),
        path=Field(readers.text, "guestbook"),
        automated=Field(readers.flag, False),
        prune=Field(readers.flag, True),
        cascade=Field(readers.flag, True),
        project=Field(readers.text, "default"),
        revision=Field(readers.text, "HEAD"),
        spec=Field(readers.mapping, {}),
        **_MORE,
    ),
    "project": Shape(
        project=Field(readers.text), on=Field(readers.cluster, HUB), spec=Field(readers.mapping, {}), **_MORE
    ),
    "namespace": Shape(namespace=Field(readers.text), on=Field(readers.cluster)),
    "object": Shape(object=Field(readers.mapping), on=Field(readers.cluster)),
}
"""By the key that names the form."""


def read_object(node: Node, known: Known) -> Applied:
    """One object, in one of the forms, judged."""
    if not isinstance(node.value, dict):
        raise node.problem(f"must be an object, not {node.shape}")
    # An Application has a project, too: the order decides.
    form = next((name for name in _FORMS if name in node.value), "")
    if not form:
        wrong = next(iter(node.value), "")
        raise node.problem(f"there is no object {wrong!r}: {nearest(wrong, _FORMS)}")
    found = _FORMS[form](node, known)
    applied = _MAKERS[form](found, known)
    _judge(node, applied, known)
    return applied


def _application(found: Mapping[str, Any], known: Known) -> Applied:
    cluster, namespace = known.home(found["agent"])
    if found["on"] not in ("", cluster):
        cluster = found["on"]
        namespace = found["agent"] if cluster == HUB else NAMESPACE
    spec = {"project": found["project"], **found["spec"]}
    source = {"path": found["path"], "repoURL": EXAMPLES, "targetRevision": found["revision"]}
    spec = {"source": source, **spec} if "sources" not in spec else {"source": None, **spec}
    if found["automated"]:
        spec = {"syncPolicy": applications.automated(prune=found["prune"]), **spec}
    metadata = _metadata(found)
    cascade = found["cascade"] and "finalizers" not in metadata
    value = applications.application(
        found["application"], namespace=namespace, cascade=cascade, metadata=metadata, **spec
    )
    return Applied(cluster, value)


def _project(found: Mapping[str, Any], known: Known) -> Applied:
    # On the hub a project is for every agent unless it says otherwise; on a spoke it is what Argo CD makes.
    usual = EVERYWHERE if found["on"] == HUB else {}
    value = applications.app_project(found["project"], namespace=NAMESPACE, **{**usual, **found["spec"]})
    value["metadata"] |= _metadata(found)
    return Applied(found["on"], value)


def _namespace(found: Mapping[str, Any], known: Known) -> Applied:
    return Applied(found["on"], namespace_value(found["namespace"]))


def _object(found: Mapping[str, Any], known: Known) -> Applied:
    return Applied(found["on"], found["object"])


_MAKERS: Final = {
    "application": _application, "project": _project, "namespace": _namespace, "object": _object,
}  # fmt: skip


def _metadata(found: Mapping[str, Any]) -> dict[str, Any]:
    more = {name: found[name] for name in _MORE if found[name] is not None}
    return {name: list(each) if isinstance(each, tuple) else each for name, each in more.items()}


# Judging


def _judge(node: Node, applied: Applied, known: Known) -> None:
    """Would that cluster take it?

    Raises:
        Problem: it would not, with the field that is to blame, if it is one.
    """
    server, value = known.scratch[applied.cluster], filled(applied.value, 1)
    kinds = {(each.resource.api_version, each.resource.kind): each for each in server.resources()}
    found = kinds.get((value.get("apiVersion"), value.get("kind")))
    if found is None:
        names = sorted(f"{version} {name}" for version, name in kinds if isinstance(version, str))
        raise node.problem(f"there is no {value.get('apiVersion')} {value.get('kind')}: {nearest('', names)}")
    if not isinstance(value.get("metadata"), dict) or not value["metadata"].get("name"):
        raise node.problem("metadata.name is missing")
    try:
        _create(server, found.resource, value, dry=found.resource != NAMESPACES)
    except errors.AlreadyExists:
        pass  # It is changed then.
    except errors.ApiError as exc:
        raise _blame(node, exc) from exc


def _blame(node: Node, exc: errors.ApiError) -> Problem:
    """What the server says, at the field that it names."""
    causes = exc.details.get("causes") or ()
    if not causes:
        return node.problem(exc.message)
    field = str(causes[0].get("field", ""))
    at: Node = node.value.get("object", node)
    for name in field.split("."):
        if not isinstance(at.value, dict) or name not in at.value:
            break
        at = at.value[name]
    return at.problem(f"{field}: {causes[0].get('message', exc.message)}")
