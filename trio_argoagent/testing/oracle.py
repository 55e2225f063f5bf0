"""Do both sides hold the same? Every object of an agent, compared on hub and spoke.

What must be equal is computed with the product's own mapping and projections, which have tests of their own;
who wrote what, when, and in which order is none of the oracle's business (see ``monitors``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, Resource
from trio_argoagent.sync import entitlement, intents, kinds, names, operations, projection, selection
from trio_argoagent.sync.destinations import DestinationMapping
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.policy import NOTHING, Local
from trio_argoagent.testing.faults import HOOKED

Skip = Callable[[str, str], bool]
"""Is this kind and name exempt?"""


def objects(server: ApiServer, resource: Resource, namespace: str) -> dict[str, Object]:
    """All objects of one namespace by name, as they are now."""
    return {item.name: Object.parse(item.json) for item in server.list(resource, namespace).items}


@attrs.frozen
class Held:
    """What both clusters hold of one agent, by name."""

    hub_apps: Mapping[str, Object]
    spoke_apps: Mapping[str, Object]
    hub_projects: Mapping[str, Object]
    spoke_projects: Mapping[str, Object]
    others: Mapping[Kind, tuple[Mapping[str, Object], Mapping[str, Object]]] = attrs.field(factory=dict)
    """Of every other kind that is copied: the hub's, and the spoke's."""


def other_rows() -> list[kinds.Row]:
    """The kinds in ``Held.others``: they go to managed agents, and never come back."""
    apart = (Kind.APPLICATION, Kind.APP_PROJECT)
    return [row for row in kinds.bases(Mode.MANAGED) if row.kind not in apart]


def of_kind(row: kinds.Row, found: Mapping[str, Object]) -> dict[str, Object]:
    """Those of one kind among the objects of a resource."""
    return {name: obj for name, obj in found.items() if row.selects(obj)}


class Reading:
    """What a server holds, each collection read once: as it was when it was first asked for.

    Of a hub with many agents, whose collections each of them is compared with.

    Args:
        server: whose.
    """

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._read: dict[tuple[Resource, str], list[Object]] = {}
        self._kinds: dict[tuple[Kind, str], dict[str, Object]] = {}

    def every(self, resource: Resource, namespace: str) -> Sequence[Object]:
        """All of a namespace, or, where that is empty, of all of them."""
        found = self._read.get((resource, namespace))
        if found is None:
            found = [Object.parse(item.json) for item in self._server.list(resource, namespace).items]
            self._read[resource, namespace] = found
        return found

    def of(self, row: kinds.Row, namespace: str) -> Mapping[str, Object]:
        """Those of one kind, by name."""
        found = self._kinds.get((row.kind, namespace))
        if found is None:
            every = {obj.meta.name: obj for obj in self.every(row.resource, namespace)}
            found = self._kinds[row.kind, namespace] = of_kind(row, every)
        return found


def held(hub: Reading, spoke: Reading, between: NamespaceMapping) -> Held:
    """What two servers hold of this agent."""
    at_home, away = between.principal_namespace, between.agent_namespace
    return arrange(
        between,
        hub.every(APPLICATIONS, _place(between, between.home)),
        spoke.every(APPLICATIONS, _place(between, away)),
        hub.every(APP_PROJECTS, at_home),
        spoke.every(APP_PROJECTS, away),
        {row.kind: (hub.of(row, at_home), spoke.of(row, away)) for row in other_rows()},
    )


def arrange(
    between: NamespaceMapping,
    hub_apps: Iterable[Object],
    spoke_apps: Iterable[Object],
    hub_projects: Iterable[Object],
    spoke_projects: Iterable[Object],
    others: Mapping[Kind, tuple[Mapping[str, Object], Mapping[str, Object]]],
) -> Held:
    """What there is of one agent among these; an Application of a further namespace is ``namespace/name``."""

    def title(key: Key) -> str:
        return key.name if key.namespace == between.agent_namespace else f"{key.namespace}/{key.name}"

    mine = ((between.find(Kind.APPLICATION, app), app) for app in hub_apps)
    return Held(
        {title(key): app for key, app in mine if key is not None},
        {title(Key(Kind.APPLICATION, app.meta.namespace, app.meta.name)): app for app in spoke_apps},
        {project.meta.name: project for project in hub_projects},
        {project.meta.name: project for project in spoke_projects},
        others,
    )


def _place(between: NamespaceMapping, namespace: str) -> str:
    """Where Applications may be; empty: anywhere."""
    return "" if isinstance(between, DestinationMapping) else namespace


def everywhere(
    hub: ApiServer, spokes: Iterable[tuple[ApiServer, NamespaceMapping, Local]], *, cosmetic: bool = False
) -> list[str]:
    """What differs between the hub and all of these spokes; the hub is read once.

    Args:
        hub: its API server.
        spokes: each one's API server, its agent's mapping, and the metadata that stays there.
        cosmetic: see ``compare``.
    """
    read = Reading(hub)
    return [
        line
        for server, between, local in spokes
        for line in compare(held(read, Reading(server), between), between, cosmetic=cosmetic, local=local)
    ]


def differences(
    hub: ApiServer,
    spoke: ApiServer,
    between: NamespaceMapping,
    *,
    cosmetic: bool = False,
    skip: Skip = lambda kind, name: False,
    local: Local = NOTHING,
) -> list[str]:
    """What differs between the hub and one spoke, one line each; empty: they are consistent.

    Args:
        hub: its API server.
        spoke: likewise.
        between: the mapping of this agent.
        cosmetic: see ``compare``.
        skip: see ``compare``.
        local: see ``compare``.
    """
    both = held(Reading(hub), Reading(spoke), between)
    return compare(both, between, cosmetic=cosmetic, skip=skip, local=local)


def compare(
    both: Held,
    between: NamespaceMapping,
    *,
    cosmetic: bool = False,
    skip: Skip = lambda kind, name: False,
    local: Local = NOTHING,
) -> list[str]:
    """What differs, one line each.

    Args:
        both: what the two sides hold.
        between: the mapping of this agent.
        cosmetic: compare ``reconciledAt`` and ``observedAt``, too: they travel once a minute.
        skip: what is not to be compared.
        local: the metadata that stays on its cluster, on the spoke as on the hub.
    """
    sides = _Sides(both, between, cosmetic, local)
    found = sides.autonomous() if between.autonomous else sides.managed()
    return [f"{between.agent}: {kind} {name}: {text}" for kind, name, text in found if not skip(kind, name)]


Difference = tuple[str, str, str]


class _Sides:
    def __init__(self, both: Held, between: NamespaceMapping, cosmetic: bool, local: Local) -> None:
        self.between, self.cosmetic, self.local = between, cosmetic, local
        self.hub_apps, self.spoke_apps = both.hub_apps, both.spoke_apps
        self.hub_projects, self.spoke_projects = both.hub_projects, both.spoke_projects
        self.others = both.others

    def managed(self) -> Iterator[Difference]:
        rows = kinds.rows(Mode.MANAGED, Feed.DESIRED, self.local)
        apps = {name: app for name, app in self.hub_apps.items() if not selection.is_ignored(app)}
        row = rows[Kind.APPLICATION]
        wanted = {name: (app.meta.uid, self._down(row, app)) for name, app in apps.items()}
        yield from _compare(row, wanted, self.spoke_apps)
        for name, app in apps.items():
            yield from self._status(name, app, self.spoke_apps.get(name))
        row = rows[Kind.APP_PROJECT]
        projects = {
            name: project
            for name, project in self.hub_projects.items()
            if not selection.is_ignored(project) and self.between.admits(project.get("spec") or {})
        }
        wanted = {name: (p.meta.uid, self._down(row, p)) for name, p in projects.items()}
        yield from _compare(row, wanted, self.spoke_projects)
        for kind, (theirs, copies) in self.others.items():
            yield from self._others(rows[kind], theirs, copies, projects)
        yield from _leaving("Application", apps)
        yield from _leaving("AppProject", self.hub_projects)

    def _others(
        self,
        row: kinds.Row,
        theirs: Mapping[str, Object],
        copies: Mapping[str, Object],
        projects: Mapping[str, Object],
    ) -> Iterator[Difference]:
        """Secrets go where their project goes, keys everywhere."""
        due = {
            name: obj
            for name, obj in theirs.items()
            if not (selection.is_ignored(obj) or obj.deleting)
            and (row.within is None or entitlement.project_of(obj) in projects)
        }
        wanted = {name: (obj.meta.uid, self._down(row, obj)) for name, obj in due.items()}
        yield from _compare(row, wanted, copies)

    def autonomous(self) -> Iterator[Difference]:
        rows = kinds.rows(Mode.AUTONOMOUS, Feed.OBSERVED, self.local)
        row = rows[Kind.APPLICATION]
        apps = {name: app for name, app in self.spoke_apps.items() if not selection.is_ignored(app)}
        wanted = {name: (app.meta.uid, self._up(row, app)) for name, app in apps.items()}
        yield from _compare(row, wanted, self.hub_apps)
        for name in self.hub_apps.keys() - wanted.keys():
            if names.SOURCE_UID not in self.hub_apps[name].annotations:
                yield "Application", name, "stands in the agent's namespace on the hub and mirrors nothing"
        for name, app in apps.items():
            if name in self.hub_apps:
                yield from self._status(name, self.hub_apps[name], app)
        row = rows[Kind.APP_PROJECT]
        projects = {name: p for name, p in self.spoke_projects.items() if not selection.is_ignored(p)}
        wanted = {
            f"{self.between.agent}-{name}": (p.meta.uid, self._up(row, p)) for name, p in projects.items()
        }
        prefix = f"{self.between.agent}-"
        mirrors = {name: p for name, p in self.hub_projects.items() if name.startswith(prefix)}
        yield from _compare(row, wanted, mirrors)

    def _down(self, row: kinds.Row, obj: Object) -> Mapping[str, Any]:
        shown = projection.copy_projection(row, obj)
        if not row.cascades:
            shown["finalizers"] = []
        key = self.between.find(row.kind, obj)
        assert key is not None
        return self.between.down(key, shown)

    def _up(self, row: kinds.Row, obj: Object) -> Mapping[str, Any]:
        key = Key(row.kind, obj.meta.namespace, obj.meta.name)
        return self.between.up(key, projection.copy_projection(row, obj))

    def _status(self, name: str, hub: Object, spoke: Object | None) -> Iterator[Difference]:
        if spoke is None:
            return
        shown, wanted = projection.status_of(hub), self.between.status_up(projection.status_of(spoke))
        if not self.cosmetic:
            shown, wanted = projection.substance(shown), projection.substance(wanted)
        if operations.is_rejection((hub.get("status") or {}).get("operationState")):
            # Our own answer stands until the spoke shows a newer operation.
            for side in (shown, wanted):
                side.pop("operationState", None)
        if wanted and shown != wanted:
            differing = sorted(k for k in {*shown, *wanted} if shown.get(k) != wanted.get(k))
            yield "Application", name, f"status.{','.join(differing)} differs"
        if _bare(hub) != _bare(spoke):
            yield "Application", name, "operation differs"
        for verb in intents.requested(hub):
            yield "Application", name, f"a {verb} stands on the hub"


def _bare(obj: Object) -> Any:
    operation = obj.get("operation")
    if operation:
        projection.drop_entry(operation)
    return operation


def _compare(
    row: kinds.Row, wanted: Mapping[str, tuple[str, Mapping[str, Any]]], found: Mapping[str, Object]
) -> Iterator[Difference]:
    kind = row.kind.value
    for name, (uid, body) in sorted(wanted.items()):
        copy = found.get(name)
        if copy is None:
            yield kind, name, "has no copy"
        elif copy.annotations.get(names.SOURCE_UID) != uid:
            yield kind, name, f"the copy is of {copy.annotations.get(names.SOURCE_UID)}, not of {uid}"
        else:
            shown, body = _unhooked(projection.copy_projection(row, copy)), _unhooked(body)
            differing = [part for part in sorted(shown) if shown[part] != body.get(part)]
            if differing:
                yield kind, name, f"{', '.join(differing)} of the copy differ"
            if copy.deleting:
                yield kind, name, "the copy is being deleted"
    for name in sorted(found.keys() - wanted.keys()):
        if names.SOURCE_UID in found[name].annotations:
            yield kind, name, "is a copy of nothing"


def _unhooked(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what a simulated webhook adds on one side: that is normalisation, and stays."""
    labels = {name: value for name, value in shown["labels"].items() if name not in HOOKED}
    return {**shown, "labels": labels}


def _leaving(kind: str, found: Mapping[str, Object]) -> Iterator[Difference]:
    for name, obj in sorted(found.items()):
        if obj.deleting:
            yield kind, name, "is still being deleted on the hub"
