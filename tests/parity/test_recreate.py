"""Test_UnauthorizedDeleteWithClearStatus, ...WithResync, ...WithIgnore."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.sync import policy
from trio_argoagent.testing.argocd.applications import automated

from .play import play
from .stage import Side, Stage


def _with(recreation: policy.Recreation) -> Callable[[AgentConfig], AgentConfig]:
    policies = policy.Policies(recreation=recreation)
    return lambda config: attrs.evolve(config, policies=policies)


def _state(app: Object | None) -> Mapping[str, Any]:
    status = (app.get("status") if app is not None else None) or {}
    return status.get("operationState") or {}


def _is_synced(app: Object | None) -> bool:
    status = (app.get("status") if app is not None else None) or {}
    return (status.get("sync") or {}).get("status") == "Synced" and bool(_state(app).get("finishedAt"))


async def _delete_unasked(stage: Stage, side: Side, sync_policy: Any) -> str:
    """A synced Application, deleted on the spoke with its workload; returns when its last sync had ended."""
    await side.create("guestbook", **({"syncPolicy": sync_policy} if sync_policy else {}))
    await stage.agree()
    if not sync_policy:
        sync = {"operation": {"sync": {}, "initiatedBy": {"username": "admin"}}}
        await side.cluster.patch(APPLICATIONS, side.namespace, "guestbook", MergePatch(sync))

    async def synced() -> bool:
        return _is_synced(await side.on_spoke("guestbook"))

    await stage.until(synced)
    await stage.agree()
    before = await side.on_spoke("guestbook")
    assert before is not None
    # Its stamps are whole seconds: a sync that ends later than this has another one.
    await trio.sleep(1)
    await side.cluster.delete(APPLICATIONS, side.namespace, "guestbook")

    async def back() -> bool:
        found = await side.on_spoke("guestbook")
        return found is not None and not found.deleting and found.meta.uid != before.meta.uid

    await stage.until(back)
    return str(_state(before)["finishedAt"])


def _synced_anew(side: Side, ended: str) -> Callable[[], Any]:
    async def check() -> bool:
        app = await side.on_spoke("guestbook")
        return _is_synced(app) and _state(app)["finishedAt"] > ended

    return check


def test_unauthorized_delete_with_clear_status() -> None:
    """Without an operationState, auto-sync does not think that this revision was tried: it syncs it."""

    async def story(stage: Stage) -> None:
        ended = await _delete_unasked(stage, stage.side, automated(self_heal=False))
        await stage.until(_synced_anew(stage.side, ended))
        await stage.agree()

    play(story, agent=_with(policy.Recreation.CLEAR_STATUS))


def test_unauthorized_delete_with_resync() -> None:
    """The agent itself has it synced, although auto-sync is off, and says who asked."""

    async def story(stage: Stage) -> None:
        ended = await _delete_unasked(stage, stage.side, None)
        await stage.until(_synced_anew(stage.side, ended))
        operation = _state(await stage.side.on_spoke("guestbook"))["operation"]
        assert operation["initiatedBy"] == {"username": policy.INITIATOR}
        await stage.agree()

    play(story, agent=_with(policy.Recreation.RESYNC))


def test_unauthorized_delete_with_ignore() -> None:
    """It comes back as it was, last sync included: OutOfSync, until a person syncs it."""

    async def story(stage: Stage) -> None:
        side = stage.side
        ended = await _delete_unasked(stage, side, automated(self_heal=False))

        async def out_of_sync() -> bool:
            app = await side.on_spoke("guestbook")
            status = (app.get("status") if app is not None else None) or {}
            return (status.get("sync") or {}).get("status") == "OutOfSync"

        await stage.until(out_of_sync)
        await trio.sleep(5)
        assert _state(await side.on_spoke("guestbook"))["finishedAt"] == ended
        assert await out_of_sync()
        await stage.agree()
        # One that has come back follows the hub as before (argocd-agent #742).
        await side.edit_on_hub("guestbook", {"spec": {"source": {"targetRevision": "v2"}}})
        await stage.agree()
        copy = await side.on_spoke("guestbook")
        assert copy is not None and copy.get("spec")["source"]["targetRevision"] == "v2"

    play(story, agent=_with(policy.Recreation.IGNORE))
