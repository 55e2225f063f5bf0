"""The comparison of what Git wants with what is deployed: CompareAppState and its checks before.

Source: controller/state.go, util/argo/argo.go:ValidatePermissions.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Final

import attrs

from trio_argoagent.testing.argocd.git import Manifest, source_type
from trio_argoagent.testing.argocd.names import (
    IN_CLUSTER,
    Level,
    Settings,
    Value,
    metadata_of,
    sources_of,
    status_of,
)
from trio_argoagent.testing.argocd.world import Live, WorldState

_WITH_HEALTH: Final = (
    "Service", "Deployment", "StatefulSet", "ReplicaSet", "Rollout", "Job", "PersistentVolumeClaim",
)  # fmt: skip
_ROLLS_OUT: Final = ("Deployment", "StatefulSet", "ReplicaSet", "Rollout", "Job")
_WORSE: Final = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")


@attrs.frozen
class Comparison:
    """One comparison. ``revisions`` has one entry a source; ``wanted`` has no hooks."""

    synced: bool
    health: str
    revisions: tuple[str, ...]
    resources: tuple[dict[str, Any], ...]
    wanted: tuple[Manifest, ...]
    hooks: tuple[Manifest, ...]
    extra: tuple[Manifest, ...]
    images: tuple[str, ...]
    source_types: tuple[str, ...]
    conditions: tuple[dict[str, Any], ...]
    ready_at: float | None


def spec_errors(app: Value, world: WorldState) -> tuple[dict[str, Any], ...]:
    """Why this Application cannot be compared at all, as conditions; empty: it can."""
    spec = app["spec"]
    project = spec.get("project") or "default"
    if world.project is None:
        return (_invalid(f"application references project {project} which does not exist"),)
    destination = spec.get("destination") or {}
    known = destination.get("server") or destination.get("name") or ""
    if not sources_of(spec) or not all(s.get("repoURL") and _located(s) for s in sources_of(spec)):
        return (_invalid("spec.source.repoURL and spec.source.path or spec.source.chart are required"),)
    if known not in world.destinations:
        return (_invalid(f"there are no clusters with this name: {known}"),)
    allowed = world.project.get("spec") or {}
    errors = []
    for source in sources_of(spec):
        if not _matches(source["repoURL"], allowed.get("sourceRepos")):
            errors.append(f"application repo {source['repoURL']} is not permitted in project '{project}'")
    if not _destination_permitted(destination, allowed.get("destinations")):
        where = f"server '{known}' and namespace '{destination.get('namespace', '')}'"
        errors.append(f"application destination {where} do not match any of the allowed destinations")
    return tuple(_invalid(error) for error in errors)


def compare(app: Value, world: WorldState, now: float, level: Level, settings: Settings) -> Comparison:
    """Compare at a level of RECENT or more: RECENT uses the revisions of the last comparison."""
    sources, meta = sources_of(app["spec"]), metadata_of(app)
    recent = _recent(app) if level is Level.RECENT else ()
    revisions = recent if len(recent) == len(sources) else tuple(world.git.resolve(s) for s in sources)
    manifests = wanted_at(app, world, sources, revisions)
    wanted = {m.key: m for m in manifests if not m.hook}
    live = {each.manifest.key: each for each in world.live}
    rows = [_row(key, wanted.get(key), live.get(key), now, settings) for key in sorted({*wanted, *live})]
    healths = [_health(wanted.get(key), live.get(key), now) for key in sorted(wanted)]
    waits = [each.ready_at for each in world.live if each.ready_at > now]
    taken = [key for key in sorted(wanted) if key in world.shared]
    return Comparison(
        synced=all(row["status"] == "Synced" for row in rows),
        health=max((h for h in healths if h), key=_WORSE.index, default="Healthy"),
        revisions=revisions,
        resources=tuple(rows),
        wanted=tuple(wanted.values()),
        hooks=tuple(m for m in manifests if m.hook),
        extra=tuple(each.manifest for key, each in live.items() if key not in wanted),
        images=tuple(sorted({each.manifest.image for each in world.live if each.manifest.image})),
        source_types=tuple(source_type(s) for s in sources),
        conditions=tuple(_shared(key, world.shared[key], meta["name"]) for key in taken),
        ready_at=min(waits, default=None),
    )


def wanted_at(
    app: Value, world: WorldState, sources: tuple[Value, ...], revisions: tuple[str, ...]
) -> tuple[Manifest, ...]:
    """What the sources deploy at these revisions, hooks included."""
    namespace = (app["spec"].get("destination") or {}).get("namespace") or "default"
    name = metadata_of(app)["name"]
    return tuple(
        manifest
        for source, revision in zip(sources, revisions, strict=True)
        for manifest in world.git.manifests(source, revision, name, namespace)
    )


def _recent(app: Value) -> tuple[str, ...]:
    sync = status_of(app).get("sync") or {}
    return tuple(sync.get("revisions") or ([sync["revision"]] if sync.get("revision") else ()))


def _row(
    key: tuple[str, str, str, str], wanted: Manifest | None, live: Live | None, now: float, settings: Settings
) -> dict[str, Any]:
    manifest = wanted or (live.manifest if live is not None else None)
    assert manifest is not None
    same = wanted is not None and live is not None and live.gone_at is None and live.manifest == wanted
    row: dict[str, Any] = {
        "kind": manifest.kind,
        "name": manifest.name,
        "namespace": manifest.namespace,
        "status": "Synced" if same else "OutOfSync",
        "version": manifest.version,
    }
    if manifest.group:
        row["group"] = manifest.group
    if wanted is None:
        row["requiresPruning"] = True
    health = _health(wanted, live, now)
    if settings.persist_health and health:
        row["health"] = {"status": health}
    return row


def _health(wanted: Manifest | None, live: Live | None, now: float) -> str:
    if live is None:
        return "Missing" if wanted is not None else ""
    if live.manifest.kind not in _WITH_HEALTH:
        return ""
    if live.degraded:
        return "Degraded"
    waiting = live.manifest.kind in _ROLLS_OUT and live.ready_at > now
    return "Progressing" if waiting or live.gone_at is not None else "Healthy"


def _invalid(message: str) -> dict[str, Any]:
    return {"type": "InvalidSpecError", "message": message}


def _shared(key: tuple[str, str, str, str], owner: str, name: str) -> dict[str, Any]:
    kind, resource = key[1], key[3]
    message = f"{kind}/{resource} is part of applications {name} and {owner.partition('/')[2]}"
    return {"type": "SharedResourceWarning", "message": message}


def _located(source: Value) -> bool:
    return bool(source.get("path") or source.get("chart") or source.get("ref"))


def _matches(text: str, patterns: Any) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns or ())


def _destination_permitted(destination: Value, allowed: Any) -> bool:
    server, name = destination.get("server") or "", destination.get("name") or ""
    if IN_CLUSTER in (server, name) or name == "in-cluster":
        # Argo CD resolves one from the other; this is the one cluster that every world knows by both.
        server, name = IN_CLUSTER, "in-cluster"
    return any(
        fnmatchcase(destination.get("namespace") or "", each.get("namespace") or "*")
        and (_like(server, each.get("server")) or _like(name, each.get("name")))
        for each in allowed or ()
    )


def _like(text: str, pattern: str | None) -> bool:
    return bool(pattern) and fnmatchcase(text, pattern or "")
