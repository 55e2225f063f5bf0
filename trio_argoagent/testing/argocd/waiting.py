"""How argocd-server and its command line wait for an Application.

Source: cmd/argocd/commands/app.go:checkAppWaitConditions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.errors import ArgoAgentError, Expired, Unavailable
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, EventType
from trio_argoagent.testing.argocd.names import seconds

AGAIN: Final = 1.0
"""Seconds before a lost watch is opened again."""


class Refused(ArgoAgentError):
    """argocd-server says no, with a gRPC code: nothing was written."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


async def until(cluster: Cluster, namespace: str, name: str, done: Callable[[Object], bool]) -> Object:
    """Follow one Application until a condition holds; returns it as it was then.

    Raises:
        Refused: code NotFound: it is gone.
    """
    while True:
        try:
            listed = await cluster.list(APPLICATIONS, namespace)
            found = {item.meta.name: item for item in listed.items}.get(name)
            if found is None:
                raise Refused("NotFound", f"application {name} is gone")
            if done(found):
                return found
            async with cluster.watch(
                APPLICATIONS, namespace, resource_version=listed.resource_version
            ) as events:
                async for event in events:
                    if event.type is EventType.BOOKMARK or event.object.meta.name != name:
                        continue
                    if event.type is EventType.DELETED:
                        raise Refused("NotFound", f"application {name} is gone")
                    if done(event.object):
                        return event.object
        except (Expired, Unavailable):
            await trio.sleep(AGAIN)


async def wait(
    cluster: Cluster, namespace: str, name: str, *, synced: bool = False, healthy: bool = False
) -> Object:
    """What ``argocd app wait`` waits for: no operation, its end seen by a refresh, and what was asked for.

    Raises:
        Refused: the Application went away.
    """

    def done(app: Object) -> bool:
        status = app.get("status") or {}
        if not operation_finished(app):
            return False
        in_sync = not synced or (status.get("sync") or {}).get("status") == "Synced"
        return in_sync and (not healthy or (status.get("health") or {}).get("status") == "Healthy")

    return await until(cluster, namespace, name, done)


def operation_finished(app: Object) -> bool:
    """The command line's rule: the operation has ended, and a refresh after that has been made."""
    if app.get("operation") is not None:
        return False
    status = app.get("status") or {}
    state = status.get("operationState")
    if state is None:
        return True
    if not state.get("finishedAt"):
        return False
    if ((state.get("operation") or {}).get("sync") or {}).get("dryRun"):
        return True
    reconciled = status.get("reconciledAt")
    return reconciled is not None and seconds(reconciled) >= seconds(state["finishedAt"])
