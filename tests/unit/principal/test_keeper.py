"""What the principal writes on the hub by itself, one object after another."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.errors import Throttled
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.keeper import GRACE, Keeper
from trio_argoagent.sync import names, operations
from trio_argoagent.sync.selection import is_ignored

from ..replication.world import NAMESPACE, World, make_env, open_world


def keeper(world: World, *, carried_out: bool = False) -> Keeper:
    """A keeper of this world's Applications."""
    questions = (lambda obj: carried_out, lambda obj: not is_ignored(obj), lambda obj: False)
    return Keeper(world.executor, make_env(), *questions)


async def keep(keeper: Keeper, seconds: float = 10.0) -> None:
    """Let it work."""
    with trio.move_on_after(seconds):
        await keeper.run()


async def request(world: World) -> Object:
    """A sync as a user asks for it."""
    operation = MergePatch({"operation": {"sync": {"revision": "one"}}})
    asked = await world.users.patch(APPLICATIONS, NAMESPACE, "web", operation)
    await wait_all_tasks_blocked()
    return asked


async def test_a_request_is_stamped_once(autojump_clock: MockClock) -> None:
    """However often the object is looked at, and although the server was busy."""
    async with open_world() as world:
        await world.add()
        await request(world)
        mine = keeper(world)
        world.script.refuse("patch", Throttled("busy", retry_after=2.0))
        mine.touch(NAMESPACE, "web")
        await keep(mine)
        stamped = world.now().get("operation")
        assert [entry["name"] for entry in stamped["info"]] == [names.INFO_ENTRY]
        mine.touch(NAMESPACE, "web")
        await keep(mine)
        assert world.now().get("operation") == stamped
        assert world.script.calls.count("patch") == 2


async def test_finalizers_go_only_when_the_spoke_has_done_its_part(autojump_clock: MockClock) -> None:
    """All of Argo CD's, and nobody else's."""
    async with open_world() as world:
        await world.add(finalizers=[names.FAMILY, "post-delete-finalizer.argocd.argoproj.io", "my.own/one"])
        await world.users.delete(APPLICATIONS, NAMESPACE, "web")
        await wait_all_tasks_blocked()
        for carried_out, left in ((False, 3), (True, 1)):
            mine = keeper(world, carried_out=carried_out)
            mine.touch(NAMESPACE, "web")
            await keep(mine)
            assert len(world.now().finalizers) == left


async def test_a_rejection_of_what_has_gone_is_forgotten(autojump_clock: MockClock) -> None:
    """Nothing is kept for objects that are no more."""
    async with open_world() as world:
        mine = keeper(world)
        mine.reject(NAMESPACE, "web", "i1", "cannot")
        await keep(mine)
        assert mine._rejected == {}


async def test_an_ignored_object_is_left_alone(autojump_clock: MockClock) -> None:
    """Its label keeps it out of replication, and so its requests unstamped."""
    async with open_world() as world:
        await world.add()
        label = MergePatch({"metadata": {"labels": {names.IGNORE_SYNC: "true"}}})
        await world.users.patch(APPLICATIONS, NAMESPACE, "web", label)
        asked = await request(world)
        mine = keeper(world)
        mine.touch(NAMESPACE, "web")
        await keep(mine)
        assert world.now().meta.resource_version == asked.meta.resource_version


async def test_the_finalizers_of_an_ignored_object_are_left_alone(autojump_clock: MockClock) -> None:
    """On a hybrid hub its own Argo CD has yet to prune what they stand for."""
    async with open_world() as world:
        await world.add(finalizers=[names.FAMILY], labels={names.IGNORE_SYNC: "true"})
        await world.users.delete(APPLICATIONS, NAMESPACE, "web")
        await wait_all_tasks_blocked()
        version = world.now().meta.resource_version
        mine = keeper(world, carried_out=True)
        mine.touch(NAMESPACE, "web")
        await keep(mine)
        assert world.now().meta.resource_version == version


async def overwritten(world: World, mine: Keeper) -> tuple[str, str]:
    """The ids before and after somebody patches the same request over the stamped one."""
    ids = []
    for _ in range(2):
        await world.users.patch(APPLICATIONS, NAMESPACE, "web", MergePatch({"operation": {"info": None}}))
        await request(world)
        mine.touch(NAMESPACE, "web")
        await keep(mine)
        await wait_all_tasks_blocked()
        mine.touch(NAMESPACE, "web")
        ids.append(operations.classify(world.now().get("operation")).id)
    return ids[0], ids[1]


async def test_the_same_request_over_a_standing_one_keeps_its_id(autojump_clock: MockClock) -> None:
    """Else it would run once more for each time that our entry is overwritten."""
    async with open_world() as world:
        await world.add()
        first, second = await overwritten(world, keeper(world))
        assert first and first == second


async def test_the_same_request_after_the_end_is_a_new_one(autojump_clock: MockClock) -> None:
    """Whether we were told of the end, or saw no operation; the end of another intent is none."""
    async with open_world() as world:
        await world.add()
        mine = keeper(world)
        first, _ = await overwritten(world, mine)
        mine.ended(NAMESPACE, "web", "another")
        assert await overwritten(world, mine) == (first, first)
        mine.ended(NAMESPACE, "web", first)
        second, _ = await overwritten(world, mine)
        await world.users.patch(APPLICATIONS, NAMESPACE, "web", MergePatch({"operation": None}))
        await wait_all_tasks_blocked()
        mine.touch(NAMESPACE, "web")
        third, _ = await overwritten(world, mine)
        assert len({first, second, third}) == 3


async def test_another_request_over_a_standing_one_is_a_new_one(autojump_clock: MockClock) -> None:
    """What is asked for has changed, so it is asked for."""
    async with open_world() as world:
        await world.add()
        mine = keeper(world)
        first, _ = await overwritten(world, mine)
        change = MergePatch({"operation": {"info": None, "sync": {"prune": True}}})
        await world.users.patch(APPLICATIONS, NAMESPACE, "web", change)
        await wait_all_tasks_blocked()
        mine.touch(NAMESPACE, "web")
        await keep(mine)
        assert operations.classify(world.now().get("operation")).id not in ("", first)


async def expiring(world: World, *, started: bool) -> list[str]:
    """What the hub shows of a sync that must start within a minute, before and after that; what is told."""
    told: list[str] = []

    def tell(name: str, text: str, level: str) -> None:
        told.append(name)

    questions = (lambda obj: False, lambda obj: True, lambda obj: started)
    mine = Keeper(world.executor, make_env(), *questions, 60.0, tell)
    await world.add()
    await request(world)
    mine.touch(NAMESPACE, "web")
    found = []
    await keep(mine, 1.0)
    mine.touch(NAMESPACE, "web")
    for seconds in (58.0 + GRACE, 3.0):
        await keep(mine, seconds)
        await wait_all_tasks_blocked()
        status = world.now().get("status") or {}
        found.append((status.get("operationState") or {}).get("phase", "waits"))
    return [*found, *told]


async def test_a_sync_that_nobody_starts_expires(autojump_clock: MockClock) -> None:
    """By itself, without the object being touched again, and not before its time."""
    async with open_world() as world:
        assert await expiring(world, started=False) == ["waits", "Error", "sync-expired"]
        assert world.now().get("operation") is None


async def test_a_sync_that_has_started_does_not_expire(autojump_clock: MockClock) -> None:
    """However long it runs."""
    async with open_world() as world:
        assert await expiring(world, started=True) == ["waits", "waits"]
        assert operations.classify(world.now().get("operation")).until > 0
