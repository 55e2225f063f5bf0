"""A peer that sends nonsense gets a rejection or loses its link; nobody else notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from trio.testing import MockClock

from trio_argoagent.model.keys import Kind
from trio_argoagent.model.records import Result
from trio_argoagent.principal.holds import read_entry
from trio_argoagent.principal.presence import read_answer
from trio_argoagent.principal.trust import read_seen
from trio_argoagent.stream.protocol import messages as m

from .hub import APPLIED, REJECTED, app_key, copy_body, open_hub, project_body, value

DEEP = b"[" * 100_000
NESTED = b'{"a":' * 900 + b"1" + b"}" * 900
GOOD: dict[str, Any] = {
    "status": {"health": {"status": "Healthy"}},
    "operation": None,
    "intent": "",
    "refresh": False,
}


def status(**parts: Any) -> dict[str, Any]:
    """A status body with these parts wrong."""
    return GOOD | parts


STATUSES = [
    b"nonsense",
    b"[]",
    b"17",
    DEEP,
    b'{"status":{"x":' + NESTED + b'},"operation":null,"intent":"","refresh":false}',
    {},
    {"status": {}},
    status(status=5),
    status(status=None),
    status(operation=5),
    status(operation="x"),
    status(operation={"info": 5}),
    status(operation={"info": [5]}),
    status(intent=5),
    status(refresh="yes"),
    status(status={"operationState": 5}),
    status(status={"operationState": []}),
    status(status={"operationState": {"startedAt": 5}}),
    status(status={"operationState": {"operation": 5}}),
    status(status={"operationState": {"operation": {"info": {"name": "x"}}}}),
    status(status={"resources": 5}),
    status(status={"resources": [5]}),
]


@pytest.mark.parametrize("number", range(len(STATUSES)))
async def test_a_status_without_sense(number: int, autojump_clock: MockClock) -> None:
    """It is rejected; the next one of the same agent, and other agents, are served as ever."""
    async with open_hub("edge", "other") as hub:
        bad, good = await hub.autonomous("edge"), await hub.autonomous("other")
        assert (await bad.ask(value(app_key(), copy_body()))).outcome is APPLIED
        key = app_key(kind=Kind.STATUS)
        assert (await bad.ask(value(key, STATUSES[number]))).outcome is REJECTED
        assert (await bad.ask(value(key, GOOD, digest="D2"))).outcome is APPLIED
        assert (await good.ask(value(app_key(), copy_body()))).outcome is APPLIED


COPIES = [
    b"nonsense",
    b"null",
    DEEP,
    b'{"annotations":{},"finalizers":[],"labels":{},"spec":' + NESTED + b"}",
    {},
    copy_body(spec=5),
    copy_body(spec=None),
    copy_body(annotations=[]),
    copy_body(labels="x"),
    copy_body(finalizers={}),
    copy_body(spec={"destination": 5}),
    copy_body(spec={"destination": {"name": "x"}, "project": ["a"], "source": 5}),
    copy_body(annotations={"a": 5}),
    copy_body(labels={"a": {"b": "c"}}),
    copy_body(labels={"no such label!": "x"}),
]


@pytest.mark.parametrize("number", range(len(COPIES)))
async def test_an_application_without_sense(number: int, autojump_clock: MockClock) -> None:
    """It is rejected, by us or by the API server, and nothing of it is stored."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        assert (await agent.ask(value(app_key(), COPIES[number]))).outcome is REJECTED
        assert hub.app("edge") is None
        assert (await agent.ask(value(app_key(), copy_body(), digest="D2"))).outcome is APPLIED


@pytest.mark.parametrize(
    "spec",
    [
        {"destinations": 5},
        {"destinations": [5]},
        {"destinations": {"a": 1}},
        {"roles": 5},
        {"roles": {"ab": 1}},
        {"roles": [{"name": "r", "policies": [5]}]},
        {"roles": [{"name": "r", "policies": 5}]},
    ],
)
async def test_a_project_without_sense(spec: Any, autojump_clock: MockClock) -> None:
    """The translation of its names rejects what it cannot read."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        key = app_key("mine", Kind.APP_PROJECT)
        assert (await agent.ask(value(key, project_body(spec=spec)))).outcome is REJECTED
        assert hub.project("edge-mine") is None


async def test_a_digest_of_two_words(autojump_clock: MockClock) -> None:
    """A marker with it could never be read again, and the copy would be written for ever."""
    async with open_hub("edge") as hub:
        agent = await hub.autonomous("edge")
        assert (await agent.ask(value(app_key(), copy_body(), digest="D 1"))).outcome is REJECTED


@pytest.mark.parametrize("read", [read_answer, read_entry, read_seen])
def test_a_note_of_many_levels(read: Callable[[str], object]) -> None:
    """What stands in ConfigMaps and annotations may be anybody's who may write there; it ends nothing."""
    read('{"x":' + "[" * 9_000 + "]" * 9_000 + "}")
    assert read("[" * 9_000) is None
    assert read("\ud800") is None


async def test_what_does_not_exist_can_be_claimed(autojump_clock: MockClock) -> None:
    """Holdings of invented keys lead to tombstones for the inventor and to nothing else."""
    async with open_hub("edge") as hub:
        agent = await hub.join("edge")
        invented = [app_key(f"x{n}", kind) for n, kind in enumerate(Kind) if kind is not Kind.INTENT]
        agent.say(m.Have(tuple((key, None) for key in invented)))
        agent.say(m.Results((Result(1, APPLIED), Result(99, REJECTED, "no"))))
        agent.say(m.Ping(b"still there?"))
        assert (await agent.hear(m.Pong)).token == b"still there?"
