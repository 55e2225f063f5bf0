"""Races of links, watches and API servers: what is lost, late, doubled or refused on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

import trio
import trio.lowlevel

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.errors import Unavailable
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.applications import automated
from trio_argoagent.testing.chaos import FAULTS
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL
from trio_argoagent.testing.stage import Item, Stage

from ..helpers import Scene, bulky, bulky_edit, restrict
from .judging import Race

_LOCAL: Final = {"initiatedBy": {"username": "local"}, "sync": {"revision": "HEAD"}}
_SLOW: Final = Faults(slow=1.0)


def _ran(scene: Scene, count: int) -> Callable[[], bool]:
    """Have that many attempts begun and ended?"""
    return lambda: len(scene.spoke.world.attempts) == count


async def _plain(scene: Scene) -> None:
    await scene.create("web", cascade=False)
    await scene.agree()


async def _put_back_over_a_link(scene: Scene) -> None:
    """A mirror is being put back while its original goes, and a link comes up in between."""
    await _plain(scene)
    await scene.cut()
    scene.fleet.clients[PRINCIPAL].faults = Faults(slow=8.0)
    await scene.hub.delete(APPLICATIONS, "a1", "web")
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
    await trio.sleep(1)
    scene.fleet.network.heal("a1")
    await trio.sleep(60)
    scene.fleet.clients[PRINCIPAL].faults = NONE
    assert scene.on_hub("web") is None, "a mirror of nothing is left"


async def _twin(scene: Scene, seconds: float) -> None:
    async with trio.open_nursery() as nursery:
        stage = Stage(scene.fleet, nursery)
        scene.monitors.doubled = stage.doubled
        item = Item(1, 0.0, "twin", scene.spoke.name, seconds, 0.5)
        await FAULTS["twin"].make(stage, item)


async def _rolling_update(scene: Scene) -> None:
    """A second process of the agent takes over: the first one does not undo what the second one does."""
    await _plain(scene)
    seen: list[str] = []

    def watch(entry: LogEntry) -> None:
        if entry.new is not None and entry.actor == "agent" and entry.name == "web":
            seen.append(entry.new.value["spec"]["source"]["targetRevision"])

    scene.spoke.server.subscribe(watch)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_twin, scene, 50.0)
        for number in range(8):
            await trio.sleep(5)
            await scene.edit("web", {"source": {"targetRevision": f"v{number}"}})
    assert seen == sorted(seen), f"a value came back: {seen}"


async def _answers_lost(scene: Scene) -> None:
    """Requests to the API servers get lost, and nobody knows what was done."""
    await _plain(scene)
    for program, done in (("m1", 2), (PRINCIPAL, 4)):
        scene.fleet.clients[program].faults = Faults(lost=1.0)
        await argocd_server.sync(scene.argocd, "m1", "web")
        await scene.edit("web", {"source": {"targetRevision": f"v{program}"}})
        await trio.sleep(5)
        scene.fleet.clients[program].faults = NONE
        await scene.until(_ran(scene, done))
        await scene.agree()


async def _conflicts(scene: Scene) -> None:
    """Each write loses its race for a while."""
    await _plain(scene)
    scene.fleet.clients["m1"].faults = Faults(conflicts=1.0)
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await trio.sleep(5)
    scene.fleet.clients["m1"].faults = NONE
    await scene.until(lambda: _revision(scene, "web") == "v2")


async def _half_open(scene: Scene) -> None:
    """What a link carries vanishes, and neither side is told: it is found out, and both agree again."""
    await _plain(scene)
    scene.fleet.network.half_open(scene.spoke.name)
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await scene.agree(120)


async def _silent_watch(scene: Scene) -> None:
    """A watch shows nothing any more, and stays open."""
    await _plain(scene)
    scene.fleet.clients[PRINCIPAL].faults = Faults(silences=1.0)
    await scene.edit("web", {"source": {"targetRevision": "v1"}})
    await trio.sleep(1)
    scene.fleet.clients[PRINCIPAL].faults = NONE
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await scene.agree()


async def _restarts(scene: Scene) -> None:
    """Each side in turn starts anew where nothing has changed: no record, no write."""
    await scene.create("web", syncPolicy=automated())
    await scene.synced("web")
    scene.fleet.crash(scene.spoke.controller)
    await trio.sleep(90)
    for program in (PRINCIPAL, scene.spoke.name):
        writes, records = scene.monitors.writes, scene.records
        scene.fleet.crash(program)
        await trio.sleep(1)
        scene.fleet.start(program)
        await trio.sleep(70)
        assert (scene.monitors.writes, scene.records) == (writes, records), "a start costs writes"


async def _gone_before_the_watch_told(scene: Scene) -> None:
    """What we have written goes before our own watch ever shows it, and a list takes its place."""
    await scene.agree()
    scene.fleet.clients["m1"].faults = Faults(stalls=1.0, stall=30.0, breaks=1.0)
    await scene.create("web", cascade=False)
    await trio.sleep(3)
    await scene.there.delete(APPLICATIONS, NAMESPACE, "web")
    scene.spoke.server.compact(scene.spoke.server.rv)
    await trio.sleep(40)
    scene.fleet.clients["m1"].faults = NONE
    await scene.agree()


async def _stale_lists(scene: Scene) -> None:
    """After a compaction the hub's lists show the past, in which an object had not been born."""
    await _plain(scene)
    hub = scene.fleet.hub
    for young in ("young", "younger", "youngest"):
        await scene.create(young, cascade=False)
        await scene.agree()
        before = scene.on_spoke(young)
        scene.fleet.clients[PRINCIPAL].faults = Faults(stale=1.0)
        hub.drop_watches(Unavailable("the simulated server restarts"))
        await scene.change(scene.hub, "web", {"labels": {"any": young}})
        hub.compact(hub.rv)
        await trio.sleep(20)
        scene.fleet.clients[PRINCIPAL].faults = NONE
        await scene.agree()
        after = scene.on_spoke(young)
        assert before is not None and after is not None and after.meta.uid == before.meta.uid


async def _few_calls(scene: Scene) -> None:
    """A watch that lags costs no further write: what we have written ourselves is known."""
    await scene.agree()
    scene.fleet.clients["m1"].faults = Faults(stalls=1.0, stall=20.0)
    sent: list[object] = []
    submit = scene.fleet.limbo.submit

    def count(request: Callable[[], Awaitable[None]]) -> None:
        sent.append(request)
        submit(request)

    setattr(scene.fleet.limbo, "submit", count)  # noqa: B010 (it is a method)
    scene.fleet.crash(scene.spoke.controller)
    await scene.create("web", cascade=False)
    await trio.sleep(1)
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await trio.sleep(1)
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    await trio.sleep(60)
    assert len(sent) <= 12, f"{len(sent)} writes for a create, a patch and a delete"
    scene.fleet.clients["m1"].faults = NONE


async def _two_at_work(scene: Scene) -> None:
    """The older process of an agent has not heard yet that it was replaced, and puts back what it knows."""
    await _plain(scene)
    seen: list[str] = []

    def watch(entry: LogEntry) -> None:
        if entry.new is not None and entry.actor == "agent" and entry.name == "web":
            seen.append(entry.new.value["spec"]["source"]["targetRevision"])

    scene.spoke.server.subscribe(watch)
    scene.fleet.network.half_open("m1")
    scene.fleet.clients["m1"].faults = Faults(stalls=1.0, stall=3.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_twin, scene, 55.0)
        await trio.sleep(5)
        for number in range(8):
            await scene.edit("web", {"source": {"targetRevision": f"v{number}.1"}})
            await trio.sleep(0.2)
            await scene.change(scene.there, "web", {"labels": {"rival": f"x{number}"}})
            await trio.sleep(0.2)
            await scene.edit("web", {"source": {"targetRevision": f"v{number}.2"}})
            await trio.sleep(5)
    scene.fleet.clients["m1"].faults = NONE
    assert seen == sorted(seen), f"a value came back: {seen}"


async def _deleted_by_the_successor(scene: Scene) -> None:
    """The second process of an agent deletes a copy: the first one does not bring it back."""
    await _plain(scene)
    made: list[str] = []

    def watch(entry: LogEntry) -> None:
        if entry.old is None and entry.actor == "agent" and entry.resource == APPLICATIONS:
            made.append(entry.name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_twin, scene, 50.0)
        await trio.sleep(5)
        scene.spoke.server.subscribe(watch)
        await scene.hub.delete(APPLICATIONS, "m1", "web")
        await trio.sleep(30)
        nursery.cancel_scope.cancel()
    assert not made, "what was deleted came back"


async def _slow_link(scene: Scene) -> None:
    """More waits than a link can carry: a sync overtakes it, and what changes all the time has its turn."""
    chance = Random("big")
    for number in range(24):
        await scene.create(f"app{number}", cascade=False, metadata=bulky(chance))
    await scene.agree()
    free = {True: 0.0, False: 0.0}

    def lateness(agent: str, up: bool, size: int) -> float:
        free[up] = max(trio.current_time(), free[up]) + size / 32_000
        return free[up] - trio.current_time()

    scene.fleet.network.shape = lateness
    for number in range(24):
        await bulky_edit(scene, f"app{number}", "v1", chance)
    await trio.sleep(1)
    await argocd_server.sync(scene.argocd, "m1", "app0")
    await scene.until(lambda: bool(scene.monitors.intents))
    left = [number for number in range(24) if _revision(scene, f"app{number}") != "v1"]
    assert len(left) >= 3, "a sync has waited for everything else"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_edit_for_ever, scene, 0, 0.3, chance)
        for number in range(1, 24):
            nursery.start_soon(_edit_for_ever, scene, number, 4.0, chance)
        await trio.sleep(15)
        before = _revision(scene, "app0")
        await trio.sleep(30)
        nursery.cancel_scope.cancel()
    assert _revision(scene, "app0") != before, "what changes all the time is never sent"


async def _edit_for_ever(scene: Scene, number: int, pace: float, chance: Random) -> None:
    turn = 0
    await trio.sleep(number * 0.17)
    while True:
        await trio.sleep(pace)
        turn += 1
        await bulky_edit(scene, f"app{number}", f"w{turn}", chance)


def _revision(scene: Scene, name: str) -> str:
    app = scene.on_spoke(name)
    return str(app.get("spec")["source"]["targetRevision"]) if app is not None else ""


async def _numbers_begin_anew(scene: Scene) -> None:
    """An edit, taken back since, is still being written when its number is given to a cascade."""
    await scene.agree()
    for number in range(16):
        await scene.create(f"app{number}", syncPolicy=automated())
    await scene.synced("app0", "app15")
    scene.fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    scene.fleet.start(PRINCIPAL)
    await trio.sleep(20)
    scene.fleet.clients["m1"].faults = Faults(slow=20.0)
    for number in range(8):
        await scene.edit(f"app{number}", {"source": {"targetRevision": "v2"}})
    await trio.sleep(1)
    scene.fleet.crash(PRINCIPAL)
    for number in range(8):
        await scene.edit(f"app{number}", {"source": {"targetRevision": "HEAD"}})
    for number in range(8, 16):
        await argocd_server.delete(scene.argocd, "m1", f"app{number}")
    scene.fleet.start(PRINCIPAL)
    await trio.sleep(150)


async def _told_amid_a_check(scene: Scene) -> None:
    """What is held changes at the very moment of a continuous check: the root comes after what it covers."""
    await _plain(scene)
    await trio.sleep(70)
    principal = scene.fleet.principal.instance
    assert principal is not None
    (up,) = (at for at, who, event in scene.fleet.events if (who, event.name) == (PRINCIPAL, "link-up"))
    for number in range(10, 40):
        await trio.sleep_until(up + number * principal.config.keepalive)
        status = {"health": {"status": f"Overwritten{number}"}}
        await scene.hub.patch(APPLICATIONS, "m1", "web", MergePatch({"status": status}))


async def _forbidden(scene: Scene) -> None:
    """The agent's rights are withdrawn for a while: what could not be written then is written afterwards."""
    await _plain(scene)
    scene.fleet.clients["m1"].faults = Faults(forbidden=1.0)
    await scene.edit("web", {"source": {"targetRevision": "v2"}})
    await trio.sleep(5)
    scene.fleet.clients["m1"].faults = NONE
    await scene.until(lambda: _revision(scene, "web") == "v2", 120)


async def _refused_body(scene: Scene) -> None:
    """A value that the spoke refuses is followed by one that it takes."""
    await _plain(scene)
    await restrict(scene.fleet.spoke_as("m1", "installer"), ("spec", "project"), ("default",))
    await scene.edit("web", {"project": "odd"})
    await trio.sleep(10)
    await scene.edit("web", {"project": "default", "source": {"targetRevision": "v2"}})
    await scene.until(lambda: _revision(scene, "web") == "v2", 20)


async def _deleted_unseen(scene: Scene) -> None:
    """An original goes while nobody watches: its copy goes with the next list."""
    await _plain(scene)
    await scene.create("other", cascade=False)
    await scene.agree()
    scene.fleet.clients[PRINCIPAL].faults = Faults(silences=1.0)
    await scene.edit("other", {"source": {"targetRevision": "v1"}})
    await trio.sleep(1)
    await scene.hub.delete(APPLICATIONS, "m1", "web")
    scene.fleet.hub.compact(scene.fleet.hub.rv)
    scene.fleet.hub.drop_watches()
    scene.fleet.clients[PRINCIPAL].faults = NONE
    await scene.agree()


LINKING: Final = (
    Race("put-back-over-a-link", _put_back_over_a_link, Mode.AUTONOMOUS),
    Race("rolling-update", _rolling_update),
    Race("answers-lost", _answers_lost),
    Race("conflicts", _conflicts),
    Race("half-open", _half_open),
    Race("silent-watch", _silent_watch),
    Race("restarts", _restarts),
    Race("gone-before-the-watch-told", _gone_before_the_watch_told),
    Race("stale-lists", _stale_lists),
    Race("few-calls", _few_calls),
    Race("two-at-work", _two_at_work),
    Race("deleted-by-the-successor", _deleted_by_the_successor),
    Race("slow-link", _slow_link),
    Race("numbers-begin-anew", _numbers_begin_anew),
    Race("told-amid-a-check", _told_amid_a_check),
    Race("forbidden", _forbidden),
    Race("refused-body", _refused_body),
    Race("deleted-unseen", _deleted_unseen),
)
