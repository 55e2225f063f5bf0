"""One connection to Redis: what is lost when it is lost, and that nobody waits for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from trio_argoagent.errors import leaves
from trio_argoagent.redis.client import (
    CALL_TIMEOUT,
    CONNECT_TIMEOUT,
    MAX_WAITING,
    RedisConnection,
    open_redis,
)
from trio_argoagent.redis.errors import RedisError, RedisRefused, RedisUnavailable
from trio_argoagent.redis.server import RedisServer

Script = Callable[[trio.abc.Stream], Awaitable[None]]


async def fails(script: Script, using: Callable[[RedisConnection], Awaitable[None]], **server: str) -> str:
    """What comes out of using a server that behaves like this."""
    async with trio.open_nursery() as nursery:

        async def connect() -> trio.abc.Stream:
            near, far = memory_stream_pair()
            nursery.start_soon(script, far)
            return near

        try:
            async with open_redis(RedisServer("here", connect, **server)) as connection:
                await using(connection)
        except* RedisError as group:
            assert {type(each) for each in leaves(group)} <= {RedisUnavailable, RedisRefused}
            texts = {str(each) for each in leaves(group)}
        else:
            texts = {"nothing"}
        nursery.cancel_scope.cancel()
    assert len(texts) == 1
    return texts.pop()


async def silence(stream: trio.abc.Stream) -> None:
    """Reads all and says nothing."""
    while await stream.receive_some():
        pass


def saying(data: bytes, *, end: bool = True) -> Script:
    """Answers the first thing it hears with these bytes, and hangs up."""

    async def script(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(data)
        if end:
            await stream.aclose()

    return script


async def ping(connection: RedisConnection) -> None:
    """Use it once."""
    await connection.ping()


async def wait(connection: RedisConnection) -> None:
    """Do something else while it lasts."""
    await trio.sleep_forever()


async def test_no_answer_ends_the_connection(autojump_clock: MockClock) -> None:
    """In time, and whoever else waits for this Redis is told, too."""
    began = trio.current_time()
    assert f"no answer within {CALL_TIMEOUT:g} s" in await fails(silence, ping)
    assert trio.current_time() == began + CALL_TIMEOUT


async def test_no_connection_in_time(autojump_clock: MockClock) -> None:
    """A black hole does not hold anybody for minutes."""
    server = RedisServer("there", trio.sleep_forever)  # type: ignore[arg-type]
    with pytest.raises(RedisUnavailable, match=f"there: no connection within {CONNECT_TIMEOUT:g} s"):
        async with open_redis(server):
            pass


async def test_nobody_there() -> None:
    """The reason is the system's own."""

    async def connect() -> trio.abc.Stream:
        raise ConnectionRefusedError("refused")

    with pytest.raises(RedisUnavailable, match="there: refused"):
        async with open_redis(RedisServer("there", connect)):
            pass


@pytest.mark.parametrize("using", [ping, wait])
async def test_hanging_up_ends_the_scope(using: Callable[[RedisConnection], Awaitable[None]]) -> None:
    """Whether somebody waits for an answer or does something else."""

    async def hang_up(stream: trio.abc.Stream) -> None:
        await stream.aclose()

    assert "here: " in await fails(hang_up, using)


@pytest.mark.parametrize(
    ("data", "text"), [(b"HTTP/1.1 400\r\n", "begins with"), (b"+PONG\r\n+more\r\n", "nobody has asked")]
)
async def test_what_is_no_redis(data: bytes, text: str) -> None:
    """Nonsense, or one answer too many, ends it: which answer belongs to what cannot be known any more."""
    assert text in await fails(saying(data, end=False), wait_after_ping)


async def wait_after_ping(connection: RedisConnection) -> None:
    """Use it, and stay."""
    await connection.ping()
    await trio.sleep_forever()


async def test_a_refused_password() -> None:
    """The server's words come out, and the password does not."""
    denied = saying(b"-WRONGPASS invalid username-password pair\r\n")
    text = await fails(denied, ping, password="hunter2")
    assert text == "WRONGPASS invalid username-password pair"
    assert "hunter2" not in repr(RedisServer("here", trio.sleep_forever, password="hunter2"))  # type: ignore[arg-type]


async def test_a_cancelled_call_takes_its_answer_along(autojump_clock: MockClock) -> None:
    """The next caller gets its own answer, not the one that nobody waits for any more."""

    async def slow(stream: trio.abc.Stream) -> None:
        await trio.sleep(3)
        await stream.send_all(b"$1\r\na\r\n$1\r\nb\r\n")

    async def using(connection: RedisConnection) -> None:
        with trio.move_on_after(1):
            await connection.get("first")
        assert await connection.get("second") == b"b"
        raise RedisUnavailable("done")

    assert await fails(slow, using) == "done"


async def test_pushes_are_not_answers() -> None:
    """What answers nothing is passed over."""

    async def using(connection: RedisConnection) -> None:
        assert await connection.get("k") == b"v"
        raise RedisUnavailable("done")

    assert await fails(saying(b">1\r\n+news\r\n$1\r\nv\r\n", end=False), using) == "done"


async def test_commands_that_wait_are_bounded(autojump_clock: MockClock) -> None:
    """One more than that is refused at once; the others wait on."""

    async def using(connection: RedisConnection) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(MAX_WAITING):
                nursery.start_soon(connection.ping)
            await wait_all_tasks_blocked()
            try:
                await connection.ping()
            except RedisUnavailable as exc:
                assert "wait for an answer" in str(exc)
                nursery.cancel_scope.cancel()
            else:
                pytest.fail("one too many was taken")
        raise RedisUnavailable("done")

    assert await fails(silence, using) == "done"
