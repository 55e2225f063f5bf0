"""Requests that are answered without a task."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import attrs
import pytest
import trio
import trio.testing

from trio_argoagent.errors import LinkBroken, LocalProtocolError
from trio_argoagent.net.http import Exchange, Request
from trio_argoagent.net.http2 import open_http2
from trio_argoagent.net.server import serve_http2

from .wiring import read_all


class Hall:
    """A handler that says where it runs; what is under /slow may take its time."""

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.bodies: list[bytes] = []

    def is_prompt(self, request: Request) -> bool:
        """See ``Prompt``."""
        return not request.path.startswith("/slow")

    async def __call__(self, exchange: Exchange) -> None:
        """See ``Handler``."""
        self.tasks.append(trio.lowlevel.current_task().name)
        self.bodies.append(await exchange.body())
        match exchange.request.path:
            case "/in-parts":
                await exchange.start(200)
                await exchange.send(b"one")
                await exchange.send(b"two")
                await exchange.end()
            case "/bug":
                raise ZeroDivisionError
            case "/lie":
                await trio.sleep(1)
            case _:
                await exchange.respond(200, [], b"an answer")

    @property
    def served_in_tasks(self) -> Sequence[bool]:
        """For each request: had it one of its own?"""
        return [name.startswith("stream") for name in self.tasks]


@attrs.frozen
class Told:
    """An answer, and what the server has said of errors meanwhile."""

    status: int
    body: bytes
    errors: Sequence[Exception]


async def ask(hall: Hall, path: str, *, method: str = "GET") -> Told:
    """A request without a body, on a connection of its own."""
    near, far = trio.testing.memory_stream_pair()
    errors: list[Exception] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve_http2, hall, far, on_error=errors.append))
        async with open_http2(near, client=True, authority="x") as client:
            stream = await client.open_stream(method, path, end_stream=True)
            status, _ = await stream.response()
            told = Told(status, await read_all(stream), errors)
        nursery.cancel_scope.cancel()
    return told


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("/", "GET", b"an answer"),
        ("/", "HEAD", b""),
        ("/in-parts", "GET", b"onetwo"),
        ("/in-parts", "HEAD", b""),
    ],
)
async def test_an_answer_without_a_task(path: str, method: str, body: bytes) -> None:
    """In one go or in parts, and with a body or without."""
    hall = Hall()
    assert await ask(hall, path, method=method) == Told(200, body, [])
    assert hall.served_in_tasks == [False]


async def test_whoever_may_wait_has_a_task() -> None:
    """The handler says so."""
    hall = Hall()
    assert await ask(hall, "/slow") == Told(200, b"an answer", [])
    assert hall.served_in_tasks == [True]


async def test_a_failure_is_told_and_apologised_for() -> None:
    """As if there were a task."""
    told = await ask(Hall(), "/bug")
    assert (told.status, told.body) == (500, b"internal error\n")
    assert [type(error) for error in told.errors] == [ZeroDivisionError]


async def test_a_handler_that_waits_all_the_same() -> None:
    """It is a bug, comes out of ``open_http2`` as any other does, and nobody waits for the answer."""
    near, far = trio.testing.memory_stream_pair()
    hall = Hall()
    with pytest.RaisesGroup(LocalProtocolError, flatten_subgroups=True):
        async with (
            open_http2(far, client=False, handler=hall, prompt=hall.is_prompt),
            open_http2(near, client=True, authority="x") as client,
        ):
            stream = await client.open_stream("GET", "/lie", end_stream=True)
            with pytest.raises(LinkBroken):
                await stream.response()
            await trio.sleep_forever()


async def test_bodies() -> None:
    """One that comes with its request is there at once; for one that is still to come a task waits."""
    near, far = trio.testing.memory_stream_pair()
    hall = Hall()
    async with (
        open_http2(far, client=False, handler=hall, prompt=hall.is_prompt),
        open_http2(near, client=True, authority="x") as client,
    ):

        whole = await client.open_stream("POST", "/")
        whole.send_nowait(b"all of it")
        whole.end()
        assert await read_all(whole) == b"an answer"
        late = await client.open_stream("POST", "/")
        late.send_nowait(b"a part")
        await trio.testing.wait_all_tasks_blocked()
        late.send_nowait(b", the rest")
        late.end()
        assert await read_all(late) == b"an answer"
    assert hall.bodies == [b"all of it", b"a part, the rest"]
    assert hall.served_in_tasks == [False, True]


async def test_a_request_that_was_taken_back() -> None:
    """Who resets it before it was looked at has not asked: nothing is done for it, as with a task."""
    near, far = trio.testing.memory_stream_pair()
    hall = Hall()
    async with (
        open_http2(far, client=False, handler=hall, prompt=hall.is_prompt),
        open_http2(near, client=True, authority="x") as client,
    ):
        await client.wait_ready()
        (await client.open_stream("GET", "/", end_stream=True)).reset()
        assert await read_all(await client.open_stream("GET", "/", end_stream=True)) == b"an answer"
    assert hall.bodies == [b""]
