"""Faults that are ordered beforehand."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio
import trio.testing

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.http import Access, ApiHandler, Faults
from trio_argoagent.apiserver.http.faults import MAX_FAULTS, Fault, What
from trio_argoagent.errors import BadRequest, LinkBroken, Throttled
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.net.http import Request
from trio_argoagent.ports.env import Env

from ..core.helpers import NOW, NS, make
from .exchanges import ask, exchange

MAPS = f"/api/v1/namespaces/{NS}/configmaps"
VALUE = {"metadata": {"name": "c1"}}


@pytest.fixture
def faults() -> Faults:
    """None yet."""
    return Faults()


@pytest.fixture
def handler(server: ApiServer, faults: Faults) -> ApiHandler:
    """A handler whose clients may order faults."""
    chance = random.Random(2)
    env = Env(lambda: NOW, chance, chance.randbytes)
    return ApiHandler(server, env=env, authenticate=Access({"t": "alice"}), faults=faults)


async def order(handler: ApiHandler, *orders: dict[str, Any]) -> Any:
    """Order them over HTTP."""
    answer = await ask(handler, "POST", "/faults", list(orders))
    assert answer.status == 201, answer.value
    return answer.value


async def test_whose_answer_may_have_to_wait(
    handler: ApiHandler, autojump_clock: trio.testing.MockClock
) -> None:
    """A watch's, and anybody's while a fault waits for its request: these have tasks of their own."""

    def is_prompt(target: str) -> bool:
        return handler.is_prompt(Request("GET", target, ()))

    assert is_prompt(MAPS) and is_prompt(f"{MAPS}?limit=1")
    assert not is_prompt(f"{MAPS}?watch=1") and not is_prompt(f"{MAPS}?watch")
    await order(handler, {"what": "delay", "seconds": 1})
    assert not is_prompt(MAPS)
    await ask(handler, "GET", MAPS)
    assert is_prompt(MAPS)


async def test_a_status_so_many_times(handler: ApiHandler, server: ApiServer) -> None:
    """Those requests it is meant for, and no others; nothing is done for them."""
    await order(
        handler,
        {
            "what": "status", "code": 429, "seconds": 3, "verbs": ["create"], "plural": "configmaps",
            "count": 2,
        },
    )  # fmt: skip
    rv = server.rv
    assert (await ask(handler, "GET", MAPS)).status == 200
    for _ in range(2):
        refused = await ask(handler, "POST", MAPS, VALUE)
        assert (refused.status, refused.headers["retry-after"]) == (429, "3")
        assert refused.value["reason"] == "TooManyRequests"
    assert server.rv == rv
    assert (await ask(handler, "POST", MAPS, VALUE)).status == 201
    assert (await ask(handler, "GET", "/faults")).value == {"happened": 2, "waiting": []}


async def test_a_conflict_on_the_next_write(handler: ApiHandler) -> None:
    """For one object by its name."""
    await order(handler, {"what": "status", "code": 409, "name": "c1"})
    assert (await ask(handler, "GET", f"{MAPS}/c2")).status == 404
    answer = await ask(handler, "DELETE", f"{MAPS}/c1")
    assert (answer.status, answer.value["reason"]) == (409, "Conflict")


async def test_a_delay(handler: ApiHandler, autojump_clock: trio.testing.MockClock) -> None:
    """The request is held back."""
    await order(handler, {"what": "delay", "seconds": 5, "verbs": ["list"]})
    before = trio.current_time()
    assert (await ask(handler, "GET", MAPS)).status == 200
    assert trio.current_time() - before == 5


async def test_a_lost_answer(handler: ApiHandler, server: ApiServer) -> None:
    """The write is done, and the client does not learn of it."""
    await order(handler, {"what": "lose"})
    made = exchange("POST", MAPS, VALUE)
    with pytest.raises(LinkBroken):
        await handler(made)
    assert (made.data, made.ended) == (b"", False)
    assert server.get(CONFIG_MAPS, NS, "c1")


async def test_a_truncated_list_and_watch(handler: ApiHandler, server: ApiServer) -> None:
    """Half of it arrives, and no end."""
    make(server, VALUE, CONFIG_MAPS)
    for query, verb in (("", "list"), ("?watch=1&resourceVersion=0", "watch")):
        await order(handler, {"what": "truncate", "verbs": [verb]})
        made = exchange("GET", MAPS + query)
        with pytest.raises(LinkBroken):
            await handler(made)
        assert made.status == 200
        assert made.data.startswith(b"{")
        assert not made.data.endswith((b"}", b"\n"))
        assert not made.ended
    assert server.statistics().watches == 0


async def test_dropped_watches_and_a_forgotten_past(handler: ApiHandler, server: ApiServer) -> None:
    """Both happen at once; with a code, the last event says it."""
    plain = server.watch(CONFIG_MAPS)
    await order(handler, {"what": "drop_watches"})
    assert plain.closed
    assert plain.error is None
    told = server.watch(CONFIG_MAPS)
    await order(handler, {"what": "drop_watches", "code": 410})
    assert told.error is not None
    assert (told.error.status_code, told.error.status_reason) == (410, "Expired")
    make(server, VALUE, CONFIG_MAPS)
    await order(handler, {"what": "compact"})
    late = await ask(handler, "GET", f"{MAPS}?watch=1&resourceVersion=1")
    assert late.lines[0]["object"]["code"] == 410


async def test_orders_can_be_withdrawn(handler: ApiHandler) -> None:
    """And are seen until then."""
    shown = await order(handler, {"what": "lose", "count": 3})
    assert [(fault["what"], fault["count"]) for fault in shown["waiting"]] == [("lose", 3)]
    assert (await ask(handler, "DELETE", "/faults")).value["waiting"] == []
    assert (await ask(handler, "GET", MAPS)).status == 200
    assert (await ask(handler, "PUT", "/faults", {})).status == 405


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([1], "a fault is an object"),
        ({}, "what: choose of status"),
        ({"what": "rain"}, "what: choose of status"),
        ({"what": "lose", "who": "me"}, "no 'who'"),
        ({"what": "lose", "verbs": "get"}, "verbs: must be a list"),
        ({"what": "lose", "count": 0}, "count: at least 1"),
        ({"what": "lose", "count": True}, "count: must be a number"),
        ({"what": "status", "code": 200}, "code: must be that of an error"),
        ({"what": "delay", "seconds": -1}, "seconds: must be a number"),
        ({"what": "delay", "seconds": 1e9}, "seconds: at most"),
        ({"what": "lose", "plural": 1}, "plural: must be a text"),
    ],
)
async def test_bad_orders(handler: ApiHandler, faults: Faults, value: Any, says: str) -> None:
    """Refused with what is wrong; nothing is ordered."""
    answer = await ask(handler, "POST", "/faults", value)
    assert (answer.status, says in answer.value["message"]) == (400, True)
    assert faults.document()["waiting"] == []


async def test_nobody_orders_faults_unasked(server: ApiServer) -> None:
    """Without ``faults`` there is no such place; and strangers have no say."""
    chance = random.Random(2)
    env = Env(lambda: NOW, chance, chance.randbytes)
    handler = ApiHandler(server, env=env, authenticate=Access({"t": "alice"}))
    assert (await ask(handler, "GET", "/faults")).status == 404
    handler = ApiHandler(server, env=env, authenticate=Access({"t": "alice"}), faults=Faults())
    assert (await ask(handler, "POST", "/faults", {"what": "lose"}, token="")).status == 401


def test_orders_are_bounded() -> None:
    """There is an end to what can wait."""
    faults = Faults()
    for _ in range(MAX_FAULTS):
        faults.order(Fault(What.LOSE))
    with pytest.raises(Throttled):
        faults.order(Fault(What.LOSE))
    with pytest.raises(BadRequest):
        Fault.parse(None)
