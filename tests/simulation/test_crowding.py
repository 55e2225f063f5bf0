"""An agent with more objects than it may have on the hub: the others are refused, in nobody's way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, EVENTS, Resource
from trio_argoagent.ports.forwarding import ForwardingCluster
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.sync import conditions
from trio_argoagent.sync.allowance import TOO_MANY
from trio_argoagent.sync.source import REFUSED_RETRY

from ..parity.play import Story, play
from ..parity.stage import Stage

MOST = 9
"""Objects that the hub may hold: the default project, and eight Applications."""
NAMES = tuple(f"app{number:02}" for number in range(20))
A_WHILE = 20.0
"""Seconds in which whatever should not happen would have happened."""


class _SlowHub(ForwardingCluster):
    """A hub that takes its time: many are being made at once."""

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        """See the port."""
        await trio.sleep(0.5)
        return await super().create(resource, value)


def crowded(story: Story) -> None:
    """Run a story of an autonomous agent that has too many Applications from the first moment on."""

    async def begin(stage: Stage) -> None:
        side = stage.side
        side.agent.crash()
        stage.principal.crash()
        await trio.sleep(1.0)
        stage.hub = _SlowHub(stage.hub)
        stage.principal.start()
        for name in NAMES:
            await side.create(name, cascade=False)
        side.agent.start()
        await stage.until(lambda: _are_on_hub(stage, MOST - 1))
        await trio.sleep(A_WHILE)
        await story(stage)

    def principal(config: PrincipalConfig) -> PrincipalConfig:
        return attrs.evolve(config, max_agent_objects=MOST)

    play(begin, mode=Mode.AUTONOMOUS, principal=principal)


async def _mirrored(stage: Stage) -> list[str]:
    return [app.meta.name for app in (await stage.hub.list(APPLICATIONS, stage.side.name)).items]


async def _are_on_hub(stage: Stage, number: int) -> bool:
    return len(await _mirrored(stage)) >= number


async def _said(stage: Stage, name: str) -> str:
    app = await stage.side.on_spoke(name)
    return conditions.said((app.get("status") if app is not None else None) or {})


async def stays_within(stage: Stage) -> None:
    """Not one more, however many come at once; each that is refused says so where it is owned."""
    mirrored = await _mirrored(stage)
    assert len(mirrored) == MOST - 1
    for name in NAMES:
        assert (TOO_MANY in await _said(stage, name)) is (name not in mirrored), name


async def others_go_on(stage: Stage) -> None:
    """What is on the hub already takes its changes, and its statuses, as ever."""
    (name, *_) = await _mirrored(stage)
    await stage.side.edit_on_spoke(name, {"spec": {"source": {"targetRevision": "v2"}}})

    async def there() -> bool:
        app = await stage.side.on_hub(name)
        status = (app.get("status") if app is not None else None) or {}
        source = app.get("spec")["source"] if app is not None else {}
        compared = ((status.get("sync") or {}).get("comparedTo") or {}).get("source") or {}
        return source.get("targetRevision") == "v2" == compared.get("targetRevision")

    await stage.until(there)


async def comes_when_there_is_room(stage: Stage) -> None:
    """One goes, and within five minutes another one is there, with its status."""
    before = await _mirrored(stage)
    await stage.side.cluster.delete(APPLICATIONS, stage.side.namespace, before[0])
    await trio.sleep(REFUSED_RETRY)
    await stage.until(lambda: _are_on_hub(stage, MOST - 1))
    (came,) = {*await _mirrored(stage)} - {*before}

    async def complete() -> bool:
        app = await stage.side.on_hub(came)
        status = (app.get("status") if app is not None else None) or {}
        return bool(status.get("sync")) and not await _said(stage, came)

    await stage.until(complete)


async def keeps_nothing(stage: Stage) -> None:
    """What is refused is not in the principal's memory either: neither Applications nor their statuses."""
    principal = stage.principal.instance
    assert principal is not None
    (peer,) = principal.status()
    assert peer.observed.waiting == 0 and peer.observed.held == 2 * MOST - 1


async def is_announced(stage: Stage) -> None:
    """The hub's operator finds one Event, on the agent's cluster secret: not one for each object."""
    events = (await stage.hub.list(EVENTS, stage.namespace)).items
    (ours,) = (event for event in events if TOO_MANY in str(event.get("message")))
    assert ours.get("involvedObject")["kind"] == "Secret" and stage.side.name in ours.get("message")
    await trio.sleep(2 * REFUSED_RETRY)
    events = (await stage.hub.list(EVENTS, stage.namespace)).items
    assert sum(TOO_MANY in str(event.get("message")) for event in events) == 1


def test_an_agent_gets_no_more_objects_than_it_may_have() -> None:
    """See the story."""
    crowded(stays_within)


def test_what_is_there_goes_on() -> None:
    """See the story."""
    crowded(others_go_on)


def test_what_was_refused_comes_when_there_is_room() -> None:
    """See the story."""
    crowded(comes_when_there_is_room)


def test_nothing_of_what_is_refused_is_kept() -> None:
    """See the story."""
    crowded(keeps_nothing)


def test_it_is_announced_once() -> None:
    """See the story."""
    crowded(is_announced)
