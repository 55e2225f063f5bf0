"""What argocd-server and its command line write, in the order in which they write it.

Each function is one call of its API, with the refusals of that call; none keeps anything. Source:
server/application/application.go, util/argo/argo.go, cmd/argocd/commands/app.go. Every call needs the
Application's AppProject to exist where the Application is, deletion too (getAppEnforceRBAC).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import trio

from trio_argoagent.errors import AlreadyExists, Conflict, NotFound
from trio_argoagent.model import rv
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.sync.normalise import normalise_application_spec
from trio_argoagent.testing.argocd.compare import spec_errors
from trio_argoagent.testing.argocd.git import Git
from trio_argoagent.testing.argocd.names import (
    FAMILIES,
    FAMILY,
    HYDRATE,
    HYDRATE_TIMESTAMP,
    REFRESH,
    REFRESH_TIMESTAMP,
    Dialect,
    Phase,
    Value,
)
from trio_argoagent.testing.argocd.waiting import Refused as Refused
from trio_argoagent.testing.argocd.waiting import until as until
from trio_argoagent.testing.argocd.waiting import wait as wait
from trio_argoagent.testing.argocd.world import WorldState
from trio_argoagent.testing.argocd.writes import typed_status

ARGOCD: Final = "argocd"
"""Argo CD's own namespace: AppProjects live there, wherever the Applications are."""
UPDATE_TRIES: Final = 10
"""Tries of an update or a terminate against conflicts; a sync tries for ever."""
TERMINATE_PAUSE: Final = 0.1
"""Seconds between the tries of a terminate."""
_CALLERS: Final = ("labels", "annotations", "finalizers")


async def create_app(cluster: Cluster, app: Mapping[str, Any], *, upsert: bool = False) -> Object:
    """Create: a typed POST without ``.operation``, the spec normalised.

    An equal Application that is there already is returned as it is; a different one is refused, or with
    ``upsert`` its spec is replaced.

    Raises:
        Refused: project, repository or destination are not in order, or another spec stands.
    """
    spec = normalise_application_spec(app["spec"])
    value = {name: part for name, part in app.items() if name != "operation"}
    value |= {"spec": spec, "status": typed_status(app.get("status"))}
    namespace, name = value["metadata"]["namespace"], value["metadata"]["name"]
    await _validate(cluster, value)
    try:
        return await cluster.create(APPLICATIONS, value)
    except AlreadyExists:
        pass
    before = await cluster.get(APPLICATIONS, namespace, name)
    if before.get("spec") == spec:
        return before
    if not upsert:
        text = "existing application spec is different, use upsert flag to force update"
        raise Refused("InvalidArgument", text)
    return await set_spec(cluster, namespace, name, spec)


async def set_spec(cluster: Cluster, namespace: str, name: str, spec: Value) -> Object:
    """Replace the spec (``argocd app set``, edit, patch).

    Raises:
        Refused: the new spec is not permitted, or ten tries met a conflict.
    """
    app, _ = await _get(cluster, namespace, name)
    return await update_app(cluster, app.value() | {"spec": spec})


async def update_app(cluster: Cluster, wanted: Value) -> Object:
    """Update: spec, labels, annotations and finalizers become those of the caller's copy, however old it is.

    Raises:
        Refused: it is not permitted, or ten tries met a conflict.
    """
    meta = wanted["metadata"]
    namespace, name = meta["namespace"], meta["name"]
    spec = normalise_application_spec(wanted["spec"])
    await _validate(cluster, {**wanted, "spec": spec})
    for _ in range(UPDATE_TRIES):
        value = (await cluster.get(APPLICATIONS, namespace, name)).value()
        value |= {"spec": spec, "status": typed_status(value.get("status"))}
        kept = {n: v for n, v in value["metadata"].items() if n not in _CALLERS}
        value["metadata"] = kept | {n: meta[n] for n in _CALLERS if meta.get(n)}
        try:
            return await cluster.replace(APPLICATIONS, value)
        except Conflict:
            continue
    raise Refused("Internal", "Failed to update application. Too many conflicts")


async def sync(
    cluster: Cluster,
    namespace: str,
    name: str,
    *,
    git: Git | None = None,
    options: Value | None = None,
    info: Sequence[Value] = (),
    window_closed: bool = False,
) -> Object:
    """Start a sync: GET, PUT with the resourceVersion; on a conflict again, for ever.

    Args:
        cluster: where the Application is.
        namespace: of the Application.
        name: of the Application.
        git: resolves the revision; None: it is written as it was asked for.
        options: fields of ``operation.sync``, such as revision, prune, dryRun, resources.
        info: the caller's ``operation.info``.
        window_closed: does a sync window of the project forbid it now?

    Raises:
        Refused: deleting, a closed window, another revision under auto-sync, or an operation in progress.
    """
    app, _ = await _get(cluster, namespace, name)
    spec = app.get("spec")
    wanted = dict(options or {})
    source = spec.get("source") or (spec.get("sources") or [{}])[0]
    target, asked = source.get("targetRevision") or "HEAD", wanted.get("revision")
    if app.deleting:
        raise Refused("FailedPrecondition", "application is deleting")
    if window_closed:
        raise Refused("PermissionDenied", "cannot sync: blocked by sync window")
    if _automated(spec) and not wanted.get("dryRun") and asked and asked != target:
        text = f"Cannot sync to {asked}: auto-sync currently set to {target}"
        raise Refused("FailedPrecondition", text)
    if git is not None and not spec.get("sources"):
        wanted["revision"] = git.resolve({**source, "targetRevision": asked or target})
    operation: dict[str, Any] = {"initiatedBy": {"username": "admin"}}
    operation |= {"sync": {"syncStrategy": {"hook": {}}, **wanted}}
    retry = (spec.get("syncPolicy") or {}).get("retry")
    operation |= ({"retry": retry} if retry else {}) | ({"info": list(info)} if info else {})
    return await _set_operation(cluster, namespace, name, operation)


async def rollback(cluster: Cluster, namespace: str, name: str, history_id: int) -> Object:
    """Sync to an entry of the history.

    Raises:
        Refused: auto-sync is on, no entry has that id, deleting, or an operation is in progress.
    """
    app, _ = await _get(cluster, namespace, name)
    if app.deleting:
        raise Refused("FailedPrecondition", "application is deleting")
    if _automated(app.get("spec")):
        raise Refused("FailedPrecondition", "rollback cannot be initiated when auto-sync is enabled")
    for entry in (app.get("status") or {}).get("history") or ():
        if entry["id"] == history_id:
            wanted = {n: entry[n] for n in ("revision", "revisions", "source", "sources") if n in entry}
            wanted |= {"syncStrategy": {"apply": {}}}
            operation = {"initiatedBy": {"username": "admin"}, "sync": wanted}
            return await _set_operation(cluster, namespace, name, operation)
    text = f"application {name} does not have deployment with id {history_id}"
    raise Refused("InvalidArgument", text)


async def terminate(cluster: Cluster, namespace: str, name: str) -> Object:
    """End the running operation: PUT phase Terminating.

    Raises:
        Refused: there is no ``.operation`` or no operationState, or ten tries met a conflict.
    """
    await _get(cluster, namespace, name)
    for _ in range(UPDATE_TRIES):
        value = (await cluster.get(APPLICATIONS, namespace, name)).value()
        status = typed_status(value.get("status"))
        if value.get("operation") is None or status.get("operationState") is None:
            text = "Unable to terminate operation. No operation is in progress"
            raise Refused("InvalidArgument", text)
        status["operationState"] = {**status["operationState"], "phase": Phase.TERMINATING.value}
        try:
            return await cluster.replace(APPLICATIONS, value | {"status": status})
        except Conflict:
            await trio.sleep(TERMINATE_PAUSE)
    raise Refused("Internal", "Failed to terminate app. Too many conflicts")


async def refresh(
    cluster: Cluster,
    namespace: str,
    name: str,
    *,
    env: Env,
    hard: bool = False,
    dialect: Dialect = Dialect.V36,
    wait: bool = True,
) -> Object:
    """Request a refresh (and always a hydration, too), and wait until the controller has taken it away.

    It has no timeout of its own; ``wait=False`` returns the answer of the patch.

    Raises:
        Refused: the project is missing, or the Application went away meanwhile.
    """
    await _get(cluster, namespace, name)
    asked = {REFRESH: "hard" if hard else "normal", HYDRATE: "normal"}
    if dialect is Dialect.V36:
        asked |= {REFRESH_TIMESTAMP: env.timestamp(), HYDRATE_TIMESTAMP: env.timestamp()}
    patch = MergePatch({"metadata": {"annotations": asked}})
    answer = await cluster.patch(APPLICATIONS, namespace, name, patch)
    if not wait:
        return answer
    floor = answer.meta.resource_version

    def answered(app: Object) -> bool:
        return rv.is_newer(app.meta.resource_version, floor) and REFRESH not in app.annotations

    return await until(cluster, namespace, name, answered)


async def delete(
    cluster: Cluster, namespace: str, name: str, *, cascade: bool = True, propagation: str = ""
) -> None:
    """Delete: first a patch of the finalizers, then a DELETE without preconditions.

    Args:
        cluster: where the Application is.
        namespace: of the Application.
        name: of the Application.
        cascade: prune its resources? False takes the whole family away; deletion hooks stay and run.
        propagation: empty (the plain finalizer), ``foreground`` or ``background``.

    Raises:
        Refused: the project is missing.
    """
    app, _ = await _get(cluster, namespace, name)
    finalizers = list(app.finalizers)
    wanted = f"{FAMILY}/{propagation}" if propagation else FAMILY
    if not cascade:
        finalizers = [each for each in finalizers if each not in FAMILIES]
    elif wanted not in finalizers and not app.deleting:
        finalizers.append(wanted)
    if finalizers != list(app.finalizers):
        patch = MergePatch({"metadata": {"finalizers": finalizers}})
        await cluster.patch(APPLICATIONS, namespace, name, patch)
    await cluster.delete(APPLICATIONS, namespace, name)


async def cli_sync(cluster: Cluster, namespace: str, name: str, *, git: Git | None = None) -> Value:
    """``argocd app sync``: sync, wait, then read the operationState that must be there.

    Raises:
        Refused: as ``sync``; with code ``Crash`` where the real command dereferences a nil operationState.
    """
    await sync(cluster, namespace, name, git=git)
    app = await wait(cluster, namespace, name)
    state = (app.get("status") or {}).get("operationState")
    if state is None:
        raise Refused("Crash", "the operation is gone and has left no operationState")
    found: Value = state
    return found


def _automated(spec: Value) -> bool:
    automated = (spec.get("syncPolicy") or {}).get("automated")
    return automated is not None and automated.get("enabled") is not False


async def _get(cluster: Cluster, namespace: str, name: str) -> tuple[Object, Value]:
    try:
        app = await cluster.get(APPLICATIONS, namespace, name)
    except NotFound as exc:
        # Whether it is missing or not his to see, the caller learns the same.
        raise Refused("PermissionDenied", "permission denied") from exc
    return app, await _project(cluster, app.get("spec"))


async def _project(cluster: Cluster, spec: Value) -> Value:
    name = spec.get("project") or "default"
    try:
        return (await cluster.get(APP_PROJECTS, ARGOCD, name)).value()
    except NotFound as exc:
        text = f"app is not allowed in project {name!r}, or the project does not exist"
        raise Refused("InvalidArgument", text) from exc


async def _validate(cluster: Cluster, app: Value) -> None:
    project = await _project(cluster, app["spec"])
    destination = app["spec"].get("destination") or {}
    known = tuple(str(destination[n]) for n in ("server", "name") if destination.get(n))
    errors = spec_errors(app, WorldState(project=project, destinations=known))
    if errors:
        text = "; ".join(error["message"] for error in errors)
        name = app["metadata"]["name"]
        raise Refused("InvalidArgument", f"application spec for {name} is invalid: {text}")


async def _set_operation(cluster: Cluster, namespace: str, name: str, operation: Value) -> Object:
    while True:
        value = (await cluster.get(APPLICATIONS, namespace, name)).value()
        if value.get("operation") is not None:
            raise Refused("FailedPrecondition", "another operation is already in progress")
        status = typed_status(value.get("status"))
        status.pop("operationState", None)
        try:
            return await cluster.replace(APPLICATIONS, value | {"operation": operation, "status": status})
        except Conflict:
            continue
