"""Test_Sync*, Test_TerminateOperation*: asked for on the hub, done on the spoke."""

from __future__ import annotations

from typing import Any

from trio_argoagent.model.objects import Object

from .play import play
from .stage import Side, Stage

SYNC = {"operation": {"initiatedBy": {"username": "admin"}, "sync": {"syncStrategy": {"hook": {}}}}}


def phase(app: Object | None) -> str:
    """Of its operationState; empty: there is none."""
    status: dict[str, Any] = (app.get("status") if app is not None else None) or {}
    return str((status.get("operationState") or {}).get("phase", ""))


async def prepared(stage: Stage) -> Side:
    """One Application that is not synced by itself, in step."""
    await stage.side.create("guestbook", cascade=False)
    await stage.agree()
    return stage.side


async def reaches(stage: Stage, side: Side, wanted: str) -> None:
    """Wait until both sides show that phase."""

    async def there() -> bool:
        return phase(await side.on_hub("guestbook")) == phase(await side.on_spoke("guestbook")) == wanted

    await stage.until(there)


async def synced_from_the_hub(stage: Stage) -> None:
    """A sync that is set on the hub runs on the spoke, once, and the hub shows its end."""
    side = await prepared(stage)
    await side.edit_on_hub("guestbook", SYNC)
    await reaches(stage, side, "Succeeded")

    async def synced() -> bool:
        # Argo CD compares when the operation has ended: that is another write.
        hub = await side.on_hub("guestbook")
        return hub is not None and hub.get("status")["sync"]["status"] == "Synced"

    await stage.until(synced)
    assert len({attempt.token for attempt in side.world.attempts}) == 1
    await stage.agree()


async def terminated_from_the_hub(stage: Stage) -> None:
    """A sync that would run for ever is ended from the hub."""
    side = await prepared(stage)
    side.world.closed_windows[side.namespace, "guestbook"] = True
    await side.edit_on_hub("guestbook", SYNC)
    await reaches(stage, side, "Running")
    await side.edit_on_hub("guestbook", {"status": {"operationState": {"phase": "Terminating"}}})
    await reaches(stage, side, "Failed")
    copy = await side.on_spoke("guestbook")
    assert copy is not None and copy.get("operation") is None
    assert copy.get("status")["operationState"]["message"] == "Operation terminated"
    await stage.agree()


def test_sync_managed() -> None:
    """The operation goes to the managed agent."""
    play(synced_from_the_hub)


def test_sync_autonomous() -> None:
    """The operation on a mirror goes to the autonomous agent."""
    play(synced_from_the_hub, autonomous=("edge",))


def test_terminate_operation_managed() -> None:
    """What runs on the managed agent ends."""
    play(terminated_from_the_hub)


def test_terminate_operation_autonomous() -> None:
    """What runs on the autonomous agent ends."""
    play(terminated_from_the_hub, autonomous=("edge",))
