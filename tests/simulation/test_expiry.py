"""Syncs that expire: what nobody could start in time is answered, and never started later."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import pytest
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Verb
from trio_argoagent.principal.keeper import GRACE
from trio_argoagent.sync import intents, operations
from trio_argoagent.sync.operations import Origin
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL

from .helpers import Scene, operation_state, play

EXPIRY: Final = 60.0
BUSY: Final = Settings(operation=200.0)
"""An Argo CD whose syncs take longer than anybody wants to wait here."""


async def prepared(scene: Scene) -> None:
    """One Application in step, and a principal whose syncs expire."""
    scene.fleet.intent_expiry = EXPIRY
    scene.fleet.restart(PRINCIPAL)
    await scene.create("web", cascade=False)
    await scene.agree()


def starts(scene: Scene) -> int:
    """How many syncs have begun on the spoke."""
    return len(dict.fromkeys(each.token for each in scene.spoke.world.attempts))


def is_answered(scene: Scene) -> bool:
    """Does the hub say that the sync has expired, and does its request stand no more?"""
    app, state = scene.on_hub("web"), operation_state(scene.on_hub("web"))
    assert app is not None
    standing = operations.classify(app.get("operation")).origin in (Origin.REQUEST, Origin.INTENT)
    return not standing and state.get("message") == intents.EXPIRED


async def answered_in_time(scene: Scene) -> None:
    """``argocd app sync`` comes back with an Error, in time, and the agent's return starts nothing."""
    await prepared(scene)
    await scene.cut()
    asked = trio.current_time()
    state: Any = await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
    assert EXPIRY <= trio.current_time() - asked <= EXPIRY + GRACE + 5.0
    assert state["phase"] == "Error" and state["message"] == intents.EXPIRED
    assert state["startedAt"] == state["finishedAt"]
    await scene.heal()
    await trio.sleep(120.0)
    assert starts(scene) == 0
    assert is_answered(scene)
    again: Any = await argocd_server.cli_sync(scene.argocd, scene.spoke.name, "web")
    assert again["phase"] == "Succeeded" and starts(scene) == 1


@pytest.mark.parametrize("mode", list(Mode))
def test_a_sync_that_waits_for_too_long_is_answered_and_not_run_later(mode: Mode) -> None:
    """See the story."""
    play(answered_in_time, mode=mode)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_sync_that_waits_for_less_runs_once(mode: Mode) -> None:
    """Also where the clock of its spoke is a day ahead: only seconds travel."""

    async def story(scene: Scene) -> None:
        scene.fleet.skew_clock(scene.spoke.name, 86_400.0)
        await prepared(scene)
        await scene.cut()
        await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
        await trio.sleep(EXPIRY / 2)
        await scene.heal()
        await scene.until(lambda: operation_state(scene.on_hub("web")).get("phase") == "Succeeded")
        await trio.sleep(2 * EXPIRY)
        assert starts(scene) == 1
        assert operation_state(scene.on_hub("web"))["phase"] == "Succeeded"

    play(story, mode=mode)


async def behind_a_long_one(scene: Scene, linked: bool = False) -> None:
    """An agent that got it before the link broke does not start it when the spoke is free at last."""
    await prepared(scene)
    await argocd_server.sync(scene.there, NAMESPACE, "web")
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await trio.sleep(5.0)
    if not linked:
        await scene.cut()
    await scene.until(lambda: is_answered(scene), EXPIRY + GRACE + 5.0)
    await trio.sleep(200.0)
    assert starts(scene) == 1
    if not linked:
        await scene.heal()
    await scene.agree()
    assert starts(scene) == 1


@pytest.mark.parametrize("linked", [True, False])
def test_a_sync_behind_a_long_one_expires_where_it_waits(linked: bool) -> None:
    """See the story."""
    play(partial(behind_a_long_one, linked=linked), settings=BUSY)


async def unheard_start(scene: Scene) -> None:
    """The link breaks between the start and its result: what the hub says then is mended by the status."""
    await prepared(scene)
    scene.fleet.network.half_open(scene.spoke.name, up=True, down=False)
    await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
    await scene.until(lambda: starts(scene) == 1)
    await scene.cut()
    await scene.until(lambda: is_answered(scene), EXPIRY + GRACE + 5.0)
    await scene.heal()
    assert operation_state(scene.on_hub("web"))["phase"] == "Succeeded"
    assert starts(scene) == 1


def test_a_start_of_which_nobody_heard_takes_the_place_of_the_answer() -> None:
    """See the story."""
    play(unheard_start)


def test_the_time_runs_on_while_both_programs_are_down() -> None:
    """It stands on the object: neither of them has to remember it."""

    async def story(scene: Scene) -> None:
        await prepared(scene)
        await scene.cut()
        await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
        await trio.sleep(1.0)
        for program in (PRINCIPAL, scene.spoke.name):
            scene.fleet.crash(program)
        await trio.sleep(2 * EXPIRY)
        for program in (PRINCIPAL, scene.spoke.name):
            scene.fleet.start(program)
        await scene.heal()
        await scene.until(lambda: is_answered(scene), 5.0)
        assert starts(scene) == 0

    play(story)


def test_what_waits_is_shown() -> None:
    """The principal says what its agent has not taken up, and why; an expired sync is told once."""

    async def story(scene: Scene) -> None:
        await prepared(scene)
        principal = scene.fleet.principal.instance
        assert principal is not None
        await scene.cut()
        await argocd_server.sync(scene.argocd, scene.spoke.name, "web")
        await trio.sleep(5.0)
        (peer,) = principal.status()
        (waiting,) = peer.waiting
        assert (waiting.verb, waiting.name, waiting.reason) == (Verb.SYNC, "m1/web", "")
        assert waiting.until > 0
        await trio.sleep(EXPIRY + GRACE)
        (peer,) = principal.status()
        assert peer.waiting == ()
        told = [event.name for _, who, event in scene.fleet.events if who == PRINCIPAL]
        assert [told.count(name) for name in ("intent-waits", "sync-expired")] == [1, 1]
        await scene.heal()

    play(story)
