"""The simulated notifications controller: it alerts once for each sync, and notes that on the Application.

==================================================================  =======================================
what                                                                where Argo CD does it
==================================================================  =======================================
a merge patch of **all** annotations that it read, and its note:    notifications-engine pkg/controller:
a stale copy brings back what was removed meanwhile                 processResource
nothing is said of an operation until reconciledAt >= finishedAt    notification_controller:
                                                                    isAppSyncStatusRefreshed
==================================================================  =======================================
"""

from __future__ import annotations

from typing import Final

import attrs
import trio

from trio_argoagent.errors import ApiError, OutcomeUnknown
from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env

NOTIFIED: Final = "notified.notifications.argoproj.io"
RETRY: Final = 1.0
"""Seconds until an Application that could not be patched is looked at again."""


@attrs.define
class Alerts:
    """What was sent: Application and the end of its operation. It outlives the controller."""

    sent: list[tuple[str, str]] = attrs.field(factory=list)


def note_of(app: Object) -> str:
    """What is to be noted of this Application; empty: there is nothing to alert about."""
    status = app.get("status") or {}
    state = status.get("operationState") or {}
    finished = state.get("finishedAt") or ""
    ended = state.get("phase") == "Succeeded" and finished <= (status.get("reconciledAt") or "")
    return f"on-sync-succeeded {finished}" if finished and ended else ""


async def run_notifications_controller(
    cluster: Cluster,
    namespace: str,
    *,
    env: Env,
    alerts: Alerts,
    think: float = 0.0,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run until cancelled; started once it has seen the Applications of ``namespace`` (empty: of all).

    Args:
        cluster: the API it reads and writes.
        namespace: where it looks.
        env: chance for its informer.
        alerts: what it sends.
        think: seconds between reading an Application and writing it: makes its copy stale.
        task_status: see above.
    """
    informer = Informer(cluster, APPLICATIONS, namespace, env=env)
    send, receive = trio.open_memory_channel[Object](10_000)

    def changed(change: Change) -> None:
        if change.new is not None:
            send.send_nowait(change.new)

    informer.on_change(changed)
    async with trio.open_nursery() as nursery:
        await nursery.start(informer.run)
        task_status.started()
        async for app in receive:
            note = note_of(app)
            if not note or app.annotations.get(NOTIFIED) == note:
                continue
            name = (app.meta.namespace, app.meta.name)
            await trio.sleep(think)
            try:
                value = MergePatch({"metadata": {"annotations": {**app.annotations, NOTIFIED: note}}})
                await cluster.patch(APPLICATIONS, *name, value)
            except (ApiError, OutcomeUnknown):
                await trio.sleep(RETRY)
                again = informer.get(*name)
                if again is not None:
                    send.send_nowait(again)
            else:
                alerts.sent.append(("/".join(name), note))
