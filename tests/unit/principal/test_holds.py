"""Deletions that wait for a person: shown on the hub, confirmed there, and told to the agent."""

from __future__ import annotations

from typing import Any

import msgspec
import trio
from trio.testing import MockClock

from trio_argoagent.model.records import Evidence, Outcome, Record
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, NAMESPACES
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.holds import CONFIRM, HELD, SHOWN, HeldEntry, confirmation, read_entry
from trio_argoagent.replication.memory import name_of
from trio_argoagent.stream.protocol import messages
from trio_argoagent.testing.argocd.applications import application

from .hub import EMPTY, HUB, Agent, Hub, app_key, copy_body, open_hub, value

SET, OTHER = "a" * 32, "b" * 32
KEYS = tuple(app_key(f"app-{number}") for number in range(3))


def held(name: str = SET, *keys: Any) -> messages.Held:
    """What an agent says."""
    return messages.Held(name, "because", len(keys or KEYS), keys or KEYS)


def state(hub: Hub, agent: str) -> dict[str, str]:
    """What the hub remembers of an agent."""
    found = hub.find(CONFIG_MAPS, HUB, name_of(agent))
    return dict(found.get("data") or {}) if found is not None else {}


async def confirm(hub: Hub, agent: str, name: str, at: float) -> None:
    """What ``ctl deletes confirm`` writes."""
    patch = MergePatch({"data": {CONFIRM: confirmation(name, at)}})
    await hub.users.patch(CONFIG_MAPS, HUB, name_of(agent), patch)


def confirms(agent: Agent) -> list[str]:
    """The sets that the principal has confirmed to this agent."""
    return [each.name for each in agent.heard if isinstance(each, messages.Confirm)]


def names(hub: Hub) -> list[str]:
    """What was reported of deletions."""
    return [event.name for event in hub.events if event.name.startswith("deletes-")]


async def test_a_managed_agents_holds(autojump_clock: MockClock) -> None:
    """Shown while they are held; only that set is confirmed, and once; then nothing is left of it."""
    async with open_hub("east") as hub:
        agent = await hub.join("east", root=b"\1" * 32)
        agent.say(held())
        await trio.sleep(5)
        entry = read_entry(state(hub, "east")[HELD])
        assert entry == HeldEntry(SET, "because", 3, tuple(f"Application argocd/{key.name}" for key in KEYS))
        assert hub.principal.status()[0].held == entry
        await confirm(hub, "east", OTHER, trio.current_time())
        await trio.sleep(5)
        assert confirms(agent) == []
        await confirm(hub, "east", SET, trio.current_time())
        await trio.sleep(5)
        assert confirms(agent) == [SET]
        agent.say(messages.Held("", "", 0, ()))
        await trio.sleep(5)
        assert not {HELD, CONFIRM} & set(state(hub, "east"))
        assert names(hub) == ["deletes-held", "deletes-confirmed", "deletes-released"]
        agent.say(held())
        await trio.sleep(5)
        assert confirms(agent) == [SET], "a confirmation serves once"


async def test_an_old_confirmation_is_none(autojump_clock: MockClock) -> None:
    """Fifteen minutes, then it has to be said again; and what is no time is never one."""
    async with open_hub("east") as hub:
        agent = await hub.join("east", root=b"\1" * 32)
        agent.say(held())
        await trio.sleep(5)
        await confirm(hub, "east", SET, trio.current_time() - 901)
        await trio.sleep(5)
        patch = MergePatch({"data": {CONFIRM: f"{SET} yesterday"}})
        await hub.users.patch(CONFIG_MAPS, HUB, name_of("east"), patch)
        await trio.sleep(5)
        assert confirms(agent) == []


async def test_confirmed_before_the_agent_comes(autojump_clock: MockClock) -> None:
    """The word stands on the hub: it meets the set on whichever link it is told of."""
    async with open_hub("east") as hub:
        first = await hub.join("east", root=b"\1" * 32)
        first.say(held())
        await trio.sleep(5)
        first.link.break_off("cut", lose=True)
        await trio.sleep(1)
        await confirm(hub, "east", SET, trio.current_time())
        await trio.sleep(5)
        second = await hub.join("east", root=b"\1" * 32)
        await trio.sleep(5)
        assert confirms(second) == []
        second.say(held())
        await trio.sleep(5)
        assert confirms(second) == [SET]


async def test_agreement_ends_it(autojump_clock: MockClock) -> None:
    """An agent that has restarted, and holds what it should, holds no deletion back either."""
    async with open_hub("east") as hub:
        first = await hub.join("east", root=b"\1" * 32)
        first.say(held())
        await trio.sleep(5)
        first.link.break_off("cut", lose=True)
        await trio.sleep(1)
        await hub.join("east", root=EMPTY)
        await trio.sleep(5)
        assert HELD not in state(hub, "east")


async def test_only_some_are_listed(autojump_clock: MockClock) -> None:
    """However many are held, what the hub stores is bounded; the total is told."""
    async with open_hub("east") as hub:
        agent = await hub.join("east", root=b"\1" * 32)
        keys = tuple(app_key(f"app-{number:03}") for number in range(messages.MAX_ENTRIES))
        agent.say(held(SET, *keys))
        await trio.sleep(5)
        entry = read_entry(state(hub, "east")[HELD])
        assert entry is not None
        assert (entry.total, len(entry.objects)) == (messages.MAX_ENTRIES, SHOWN)


async def test_an_agent_confirms_nothing(autojump_clock: MockClock) -> None:
    """Whoever rules a spoke does not rule what the hub deletes: saying so ends the link."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        agent.say(messages.Confirm(SET))
        await agent.wait_end()
        assert any("Confirm must not be received" in event.text for event in hub.events)


async def test_the_principal_guards_mirrors(autojump_clock: MockClock) -> None:
    """All of an autonomous agent's mirrors are reported missing: held, shown, told, and confirmed."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        agent.say(messages.View("ns-1", "m", 1))
        for key in KEYS:
            assert (await agent.ask(value(key, copy_body(), f"uid-{key.name}"))).outcome is Outcome.APPLIED
        await trio.sleep(700)
        for key in KEYS:
            await agent.send(Record(key, f"uid-{key.name}", "", "7", None, Evidence.INFERRED))
        await trio.sleep(60)
        assert all(hub.app("edge", key.name) is not None for key in KEYS)
        entry = read_entry(state(hub, "edge")[HELD])
        assert entry is not None
        assert "nothing would be left of 3" in entry.reason
        told = [each for each in agent.heard if isinstance(each, messages.Held)]
        assert [(each.name, each.total, each.keys) for each in told] == [(entry.set, 3, KEYS)]
        await confirm(hub, "edge", entry.set, trio.current_time())
        await trio.sleep(5)
        assert not any(hub.app("edge", key.name) is not None for key in KEYS)
        assert told != [each for each in agent.heard if isinstance(each, messages.Held)], (
            "it is told of the end"
        )
        assert not {HELD, CONFIRM} & set(state(hub, "edge"))


async def test_a_doubted_autonomous_cluster(autojump_clock: MockClock) -> None:
    """A spoke that counts fewer sessions than before was restored: not one mirror is inferred away."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        agent.say(messages.View("ns-1", "m", 9))
        for key in KEYS:
            await agent.ask(value(key, copy_body(), f"uid-{key.name}"))
        await trio.sleep(700)
        agent.say(messages.View("ns-1", "m", 4))
        await agent.send(Record(KEYS[0], f"uid-{KEYS[0].name}", "", "7", None, Evidence.INFERRED))
        await trio.sleep(60)
        assert hub.app("edge", KEYS[0].name) is not None
        assert "restored from a backup" in state(hub, "edge")[HELD]
        assert "deletes-doubted" in names(hub)


async def test_a_namespace_that_goes_takes_witnesses_along(autojump_clock: MockClock) -> None:
    """What is deleted because its namespace is, is no decision about each of them: inferred, or not told."""
    async with open_hub("east") as hub:
        for name in ("one", "two"):
            await hub.users.create(APPLICATIONS, application(name, namespace="east", cascade=name == "two"))
        agent = await hub.join("east", root=EMPTY)
        agent.say(messages.Leaf(bytes(range(256)), (), True))
        await trio.sleep(5)
        await hub.users.delete(NAMESPACES, "", "east")
        await trio.sleep(1)
        hub.server.collect(trio.current_time())
        await trio.sleep(5)
        records = [each.record for each in agent.heard if isinstance(each, messages.RecordMessage)]
        leaving = [r for r in records if r.key.name == "two" and r.evidence is not None]
        assert [record.evidence for record in leaving] == [Evidence.INFERRED]
        gone = [record for record in records if record.tombstone and record.key.name == "one"]
        assert all(record.evidence is Evidence.INFERRED for record in gone)
        assert "namespace east is being deleted" in hub.principal.status()[0].silence
        assert "tombstones-off" in [event.name for event in hub.events]


def test_what_an_operator_may_have_broken() -> None:
    """Text that is no entry is no entry."""
    for text in ("", "x", "[]", "{}", '{"set": 1}'):
        assert read_entry(text) is None
    entry = HeldEntry(SET, "why", 1, ("Application argocd/a",))
    assert read_entry(msgspec.json.encode(entry).decode()) == entry
