"""Emptied, restored and rebuilt clusters: nothing is silently lost, and what is meant gets through."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio

from trio_argoagent.apiserver.core.values import Verb
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.holds import HeldEntry
from trio_argoagent.sync import guard
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL
from trio_argoagent.testing.operator import confirm, read_held

from .helpers import Scene, play

MODES = [Mode.MANAGED, Mode.AUTONOMOUS]
NAMES = ("a", "b", "c")
QUIET = 60.0
"""Seconds in which anything that is not held would have happened."""


class Side:
    """One fleet seen from the side that owns the objects, whichever that is."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.fleet = scene, scene.fleet
        self.fleet.confirming = False
        self.agent = scene.spoke.name
        autonomous = scene.spoke.mapping.autonomous
        self.program = self.agent if autonomous else PRINCIPAL
        """The program that is the source of objects."""
        self.server = scene.spoke.server if autonomous else scene.fleet.hub
        self.users = scene.there if autonomous else scene.hub
        self.namespace = NAMESPACE if autonomous else self.agent
        self.copy = scene.on_hub if autonomous else scene.on_spoke
        self.copies = scene.fleet.hub if autonomous else scene.spoke.server

    async def begin(self, *names: str, minutes: float = 0.0) -> None:
        """Create these Applications, wait for their copies, and then until the first minutes are over."""
        for name in names:
            await self.scene.create(name)
        await self.scene.until(lambda: self.standing(names) == list(names))
        await self.scene.agree()
        await trio.sleep(minutes * 60.0)

    async def delete(self, *names: str) -> None:
        """Delete them where they are owned, without cascade."""
        for name in names:
            patch = MergePatch({"metadata": {"finalizers": None}})
            await self.users.patch(APPLICATIONS, self.namespace, name, patch)
            await self.users.delete(APPLICATIONS, self.namespace, name)

    def standing(self, names: Sequence[str] = NAMES) -> list[str]:
        """The names whose copies stand and are not on their way out."""
        found = {name: self.copy(name) for name in names}
        return [name for name, copy in found.items() if copy is not None and not copy.deleting]

    def deletions(self) -> int:
        """How many copies were ever deleted, or told to go."""
        return sum(
            entry.resource == APPLICATIONS
            and (entry.verb is Verb.DELETE or (entry.new is not None and entry.new.deleting))
            for entry in self.copies.log
        )

    async def held(self) -> HeldEntry:
        """What the hub shows as held, once it does."""
        with trio.fail_after(120.0):
            while True:
                found = await read_held(self.fleet.hub_as("operator"), NAMESPACE)
                if self.agent in found:
                    return found[self.agent]
                await trio.sleep(0.5)

    async def confirm(self, name: str) -> None:
        """Confirm a set, as ``ctl deletes confirm`` does."""
        hub = self.fleet.hub_as("operator")
        await confirm(hub, NAMESPACE, self.agent, name, self.fleet.env.now())

    def events(self, name: str) -> list[str]:
        """What the principal has reported under this name."""
        return [event.text for _, who, event in self.fleet.events if who == PRINCIPAL and event.name == name]


async def held_until_confirmed(side: Side, names: Sequence[str], why: str) -> None:
    """These are held, visibly and for good; and go once that very set is confirmed."""
    entry = await side.held()
    assert why in entry.reason
    assert entry.objects == tuple(f"Application {NAMESPACE}/{name}" for name in sorted(names))
    assert side.events("deletes-held")
    await trio.sleep(QUIET)
    assert side.standing(names) == list(names)
    await side.confirm("0" * 32)
    await trio.sleep(QUIET)
    assert side.standing(names) == list(names)
    await side.confirm((await side.held()).set)
    await side.scene.until(lambda: not side.standing(names))
    assert side.events("deletes-confirmed")
    await side.scene.agree()
    assert not await read_held(side.fleet.hub_as("operator"), NAMESPACE)


@pytest.mark.parametrize("mode", MODES)
def test_emptied_while_nobody_looked(mode: Mode) -> None:
    """All objects vanish while the source's program is down: held, shown, and deleted when confirmed."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin(*NAMES, minutes=11)
        scene.fleet.kill(side.program)
        await side.delete(*NAMES)
        scene.fleet.start(side.program)
        await held_until_confirmed(side, NAMES, "nothing would be left of 3")

    play(story, mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_what_users_delete_goes_at_once(mode: Mode) -> None:
    """Deletions that were seen to happen need nobody, be it all there is; nor does one of three unseen."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin(*NAMES, minutes=11)
        scene.fleet.kill(side.program)
        await side.delete("a")
        scene.fleet.start(side.program)
        await scene.until(lambda: side.standing() == ["b", "c"], timeout=60.0)
        await side.delete("b", "c")
        await scene.until(lambda: not side.standing(), timeout=5.0)
        assert not side.events("deletes-held")

    play(story, mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_restored_database(mode: Mode) -> None:
    """What was made since the backup is held, be it one object; what was deleted since comes back."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin("a", "b", minutes=11)
        snapshot = side.server.rv
        await side.delete("b")
        await side.begin("c")
        await trio.sleep(30.0)
        scene.fleet.kill(side.program)
        for controller in scene.fleet.controllers:
            scene.fleet.kill(controller)
        side.server.restore(snapshot)
        scene.fleet.start()
        await scene.until(lambda: side.standing() == list(NAMES))
        await held_until_confirmed(side, ("c",), "gone back in time")

    play(story, mode=mode, watched=False)


@pytest.mark.parametrize("mode", MODES)
def test_a_restored_database_whose_revisions_were_bumped(mode: Mode) -> None:
    """No resourceVersion tells of the restore: the counter of sessions does."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin("a", "b", minutes=11)
        snapshot = side.server.rv
        await trio.sleep(3700.0)
        await scene.cut()
        scene.fleet.heal(side.agent)
        await side.begin("c")
        await trio.sleep(10.0)
        later = side.server.rv
        scene.fleet.kill(side.program)
        for controller in scene.fleet.controllers:
            scene.fleet.kill(controller)
        side.server.restore(snapshot)
        for number in range(later - snapshot + 10):
            await side.users.create(NAMESPACES, _namespace(f"other-{number}"))
        scene.fleet.start()
        await held_until_confirmed(side, ("c",), "restored from a backup")

    play(story, mode=mode, watched=False)


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]], ids=len)
def test_a_deleted_namespace_prunes_nothing(names: tuple[str, ...]) -> None:
    """``kubectl delete namespace`` on the hub takes every Application along: nobody asked for each."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin(*names, minutes=11)
        await scene.hub.delete(NAMESPACES, "", side.agent)
        await held_until_confirmed(side, names, "namespace is being deleted")

    play(story)


def test_a_namespace_that_was_created_again() -> None:
    """Gone and back under another uid while the principal was down: even a single one is not inferred."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin("a", minutes=11)
        scene.fleet.kill(PRINCIPAL)
        await side.delete("a")
        await scene.hub.delete(NAMESPACES, "", side.agent)
        await trio.sleep(10.0)
        await scene.hub.create(NAMESPACES, _namespace(side.agent))
        scene.fleet.start(PRINCIPAL)
        await held_until_confirmed(side, ("a",), "deleted, or was deleted and created again")

    play(story)


@pytest.mark.parametrize("mode", MODES)
def test_a_definition_that_is_not_served_says_nothing(mode: Mode) -> None:
    """404 for the whole kind is no absence of its objects: nothing goes, nothing is even held."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin(*NAMES, minutes=11)
        before = side.deletions()
        scene.fleet.clients[side.program].faults = Faults(unserved=1.0)
        scene.fleet.break_watch("hub" if side.program == PRINCIPAL else side.agent)
        await trio.sleep(QUIET)
        assert side.deletions() == before
        off = [event.text for _, _, event in scene.fleet.events if event.name == "tombstones-off"]
        assert any("no tombstones of Application" in text for text in off)
        scene.fleet.clients[side.program].faults = NONE
        await trio.sleep(QUIET)
        await scene.agree()
        assert side.deletions() == before
        assert not side.events("deletes-held")

    play(story, mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_list_of_the_current_version_is_not_believed(mode: Mode) -> None:
    """The API server lies: nothing there, at its newest resourceVersion. Later it tells the truth again."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin(*NAMES, minutes=11)
        before = side.deletions()
        scene.fleet.clients[side.program].faults = Faults(vanished=1.0)
        scene.fleet.restart(side.program)
        entry = await side.held()
        assert "nothing would be left of 3" in entry.reason
        await trio.sleep(QUIET)
        scene.fleet.clients[side.program].faults = NONE
        scene.fleet.restart(side.program)
        await trio.sleep(QUIET)
        await scene.agree()
        assert side.deletions() == before
        assert not await read_held(scene.fleet.hub_as("operator"), NAMESPACE)

    play(story, mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_rebuilt_cluster_with_the_same_applications(mode: Mode) -> None:
    """Other uids, equal specs: the copies are restamped where they stand. None is deleted or re-created."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        empty = side.server.rv
        await side.begin(*NAMES, minutes=11)
        uids = [_uid(side, name) for name in NAMES]
        scene.fleet.kill(side.program)
        for controller in scene.fleet.controllers:
            scene.fleet.kill(controller)
        side.server.restore(empty)
        for name in NAMES:
            await scene.create(name)
        scene.fleet.start()
        await trio.sleep(QUIET)
        await scene.agree()
        assert [_uid(side, name) for name in NAMES] == uids
        assert not side.events("deletes-held")

    play(story, mode=mode, watched=False)


@pytest.mark.parametrize("mode", MODES)
def test_a_confirmation_survives_what_comes_between(mode: Mode) -> None:
    """Confirmed while the link is cut, and then the principal restarts: the set goes when they meet."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin(*NAMES, minutes=11)
        scene.fleet.kill(side.program)
        await side.delete(*NAMES)
        scene.fleet.start(side.program)
        entry = await side.held()
        await scene.cut()
        await side.confirm(entry.set)
        await trio.sleep(QUIET)
        scene.fleet.restart(PRINCIPAL)
        await trio.sleep(QUIET)
        assert mode is Mode.AUTONOMOUS or side.standing() == list(NAMES)
        scene.fleet.heal(side.agent)
        await scene.until(lambda: not side.standing())
        await scene.agree()

    play(story, mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_both_restarted_and_one_deleted_waits_for_ten_minutes(mode: Mode) -> None:
    """A receiver that has just started lets nothing inferred through; then what is within the budget goes."""

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin(*NAMES)
        for program in (PRINCIPAL, side.agent):
            scene.fleet.kill(program)
        await side.delete("a")
        scene.fleet.start()
        entry = await side.held()
        assert "less than 10 minutes" in entry.reason
        await trio.sleep(guard.WINDOW - 2 * QUIET)
        assert side.standing() == list(NAMES)
        await scene.until(lambda: side.standing() == ["b", "c"], timeout=4 * QUIET)
        await scene.agree()

    play(story, mode=mode)


def _uid(side: Side, name: str) -> str:
    copy = side.copy(name)
    assert copy is not None
    return copy.meta.uid


def _namespace(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.mark.parametrize("mode", MODES)
def test_the_monitor_sees_what_no_guard_holds(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a guard that lets everything pass, an emptied side breaks I4."""
    monkeypatch.setattr(guard.Guard, "ask", lambda self, departure, now: guard.PASSED)

    async def story(scene: Scene) -> None:
        side = Side(scene)
        await side.begin(*NAMES)
        scene.fleet.kill(side.program)
        await side.delete(*NAMES)
        scene.fleet.start(side.program)
        await scene.until(lambda: not side.standing())

    with pytest.raises(AssertionError, match="I4"):
        play(story, mode=mode)
