"""What is served, as clients ask for it: the version, API groups and their resources.

Two forms: one document a group version, which every client knows, and all in one ("aggregated", KEP-3352),
which kubectl asks for first because it saves a round trip for each group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.apiserver.core import reviews
from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.users import TOKEN_REQUESTS
from trio_argoagent.model.resources import Resource

MAJOR: Final = "1"
MINOR: Final = "32"
"""The Kubernetes release whose behaviour clients may expect."""
VERSION: Final[Mapping[str, str]] = {
    "major": MAJOR,
    "minor": MINOR,
    "gitVersion": f"v{MAJOR}.{MINOR}.0+trio-argoagent",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "embedded",
}
AGGREGATED_TYPE: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_VERSION_NAME: Final = re.compile(r"v([1-9]\d*)(?:(beta|alpha)([1-9]\d*))?")
_VERBS_OF: Final[Mapping[str, Sequence[str]]] = {
    "status": ("get", "patch", "update"),
    "finalize": ("update",),
    "token": ("create",),
}
_KIND_OF: Final[Mapping[str, Resource]] = {"token": TOKEN_REQUESTS}
"""What a subresource is made of, where it is not the object."""


@attrs.frozen
class Entry:
    """One resource for discovery: stored ones and the reviews alike."""

    resource: Resource
    singular: str
    verbs: Sequence[str]
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    subresources: Sequence[str] = ()


def entries(types: Iterable[ResourceType]) -> Sequence[Entry]:
    """Everything that discovery shows, given what is stored."""
    stored = [
        Entry(
            kind.resource, kind.singular, kind.verbs, kind.short_names, kind.categories, kind.subresources
        )
        for kind in types
    ]  # fmt: skip
    made_up = [Entry(resource, resource.kind.lower(), ("create",)) for resource in reviews.RESOURCES]
    return [*stored, *made_up]


def _versions(found: Iterable[Entry]) -> dict[str, dict[str, list[Entry]]]:
    """Group -> version -> entries; groups in the order in which they come, of versions the best first."""
    groups: dict[str, dict[str, list[Entry]]] = {}
    for entry in found:
        group = groups.setdefault(entry.resource.group, {})
        group.setdefault(entry.resource.version, []).append(entry)
    return {
        name: {version: group[version] for version in sorted(group, key=_priority)}
        for name, group in groups.items()
    }


def core_versions(address: str) -> dict[str, Any]:
    """``/api``. ``address`` is where the client believes to be."""
    here = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": here}


def _group(name: str, versions: Iterable[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _priority(version: str) -> tuple[int, int, int, str]:
    """v2 before v1 before v1beta2 before v1beta1 before v1alpha1; what is no such name comes last."""
    found = _VERSION_NAME.fullmatch(version)
    if found is None:
        return 3, 0, 0, version
    stage = ("", "beta", "alpha").index(found[2] or "")
    return stage, -int(found[1]), -int(found[3] or 0), ""


def group_list(found: Sequence[Entry]) -> dict[str, Any]:
    """``/apis``."""
    groups = [_group(name, versions) for name, versions in _versions(found).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def one_group(found: Sequence[Entry], name: str) -> dict[str, Any] | None:
    """``/apis/GROUP``; None if there is none."""
    versions = _versions(found).get(name) if name else None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def resource_list(found: Sequence[Entry], name: str, version: str) -> dict[str, Any] | None:
    """``/api/v1`` and ``/apis/GROUP/VERSION``; None if nothing is there."""
    listed = _versions(found).get(name, {}).get(version)
    if listed is None:
        return None
    items: list[dict[str, Any]] = []
    for entry in listed:
        items.append(_resource(entry))
        items += [_subresource(entry, sub) for sub in entry.subresources]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{name}/{version}" if name else version,
        "resources": items,
    }


def _resource(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "name": entry.resource.plural,
        "singularName": entry.singular,
        "namespaced": entry.resource.namespaced,
        "kind": entry.resource.kind,
        "verbs": list(entry.verbs),
    }
    return item | _names(entry)


def _names(entry: Entry) -> dict[str, Any]:
    more = {"shortNames": list(entry.short_names), "categories": list(entry.categories)}
    return {key: value for key, value in more.items() if value}


def _subresource(entry: Entry, name: str) -> dict[str, Any]:
    other = _KIND_OF.get(name)
    where = {"group": other.group, "version": other.version} if other is not None else {}
    return {
        "name": f"{entry.resource.plural}/{name}",
        "singularName": "",
        "namespaced": entry.resource.namespaced,
        **where,
        "kind": (other or entry.resource).kind,
        "verbs": list(_VERBS_OF[name]),
    }


def aggregated(found: Sequence[Entry], *, core: bool) -> dict[str, Any]:
    """All groups in one document: the core group for ``/api``, the others for ``/apis``."""
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [
                {"version": version, "freshness": "Current", "resources": [_aggregated(e) for e in listed]}
                for version, listed in versions.items()
            ],
        }
        for name, versions in _versions(found).items()
        if (name == "") is core
    ]
    head = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
    return {**head, "items": items}


def _response_kind(resource: Resource) -> dict[str, str]:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _aggregated(entry: Entry) -> dict[str, Any]:
    resource = entry.resource
    subresources = [
        {
            "subresource": name,
            "responseKind": _response_kind(_KIND_OF.get(name, resource)),
            "verbs": list(_VERBS_OF[name]),
        }
        for name in entry.subresources
    ]
    item: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": _response_kind(resource),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": entry.singular,
        "verbs": list(entry.verbs),
        **_names(entry),
    }
    return item | ({"subresources": subresources} if subresources else {})
