"""What every Redis must do for this project: one suite for the fake and for a real server.

Make a subclass with a fixture ``redis``, and pytest collects it. Needs pytest and pytest-trio.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import pytest
import trio

from trio_argoagent.errors import leaves
from trio_argoagent.redis.client import open_redis
from trio_argoagent.redis.errors import RedisRefused
from trio_argoagent.redis.protocol.resp import Map
from trio_argoagent.redis.server import RedisServer

PATIENCE = 60.0
"""Seconds for anything that has to come true."""
USERNAME, PASSWORD = "cache-user", "secret-word"


@attrs.frozen
class Redises:
    """Two servers, the second of which wants ``PASSWORD``, from the default user and from ``USERNAME``."""

    open: RedisServer
    guarded: RedisServer


@contextmanager
def refuses(text: str) -> Iterator[None]:
    """Redis refuses something here, and says this among its words."""
    try:
        yield
    except* RedisRefused as group:
        assert all(text in str(each) for each in leaves(group)), list(leaves(group))
    else:
        pytest.fail(f"nothing was refused with {text!r}")


class RedisContract:
    """See the module."""

    @pytest.fixture
    def redis(self) -> Redises:
        """What the suite is about."""
        raise NotImplementedError

    async def test_set_get_delete(self, redis: Redises) -> None:
        """Any bytes are kept as they are; what is not there is None, and deleting it is nothing."""
        value = bytes(range(256)) * 1000
        async with open_redis(redis.open) as connection:
            await connection.set("k", value)
            await connection.set(b"\r\n\x00", b"")
            assert await connection.get("k") == value
            assert await connection.get(b"\r\n\x00") == b""
            assert await connection.get("other") is None
            assert await connection.delete("k", "other", b"\r\n\x00") == 2
            assert await connection.get("k") is None
            assert await connection.delete("k") == 0

    async def test_expiry(self, redis: Redises) -> None:
        """A key that is set with a time goes by itself; set again without one, it stays."""
        async with open_redis(redis.open) as connection:
            await connection.set("long", b"v", expire=600)
            left = await connection.call("TTL", "long")
            assert isinstance(left, int) and 500 < left <= 600
            await connection.set("long", b"v")
            assert await connection.call("TTL", "long") == -1
            assert await connection.call("TTL", "nothing") == -2
            await connection.set("short", b"v", expire=1)
            with trio.fail_after(PATIENCE):
                while await connection.get("short") is not None:  # noqa: ASYNC110
                    await trio.sleep(0.1)
            assert await connection.call("TTL", "short") == -2

    async def test_databases(self, redis: Redises) -> None:
        """Each database has its own keys."""
        third = attrs.evolve(redis.open, database=3)
        async with open_redis(redis.open) as zero, open_redis(third) as three:
            await zero.set("where", b"0")
            await three.set("where", b"3")
            assert await zero.get("where") == b"0"
            assert await three.get("where") == b"3"
        with refuses("out of range"):
            async with open_redis(attrs.evolve(redis.open, database=9999)):
                pass

    async def test_passwords(self, redis: Redises) -> None:
        """Nobody does anything without the password; with it the default user and others may."""
        for username in ("", USERNAME):
            good = attrs.evolve(redis.guarded, username=username, password=PASSWORD)
            async with open_redis(good) as connection:
                await connection.ping()
        for username, password in (("", "wrong"), (USERNAME, "wrong"), ("nobody", PASSWORD)):
            bad = attrs.evolve(redis.guarded, username=username, password=password)
            with refuses("WRONGPASS"):
                async with open_redis(bad):
                    pass
        async with open_redis(redis.guarded) as connection:
            with refuses("NOAUTH"):
                await connection.get("k")
        with refuses("without any password"):
            async with open_redis(attrs.evolve(redis.open, password=PASSWORD)):
                pass

    async def test_hello(self, redis: Redises) -> None:
        """RESP3 may be agreed on, with and without a password; then maps are maps and null is null."""
        async with open_redis(redis.guarded) as connection:
            with refuses("NOAUTH"):
                await connection.call("HELLO", 3)
            said = await connection.call("HELLO", 3, "AUTH", "default", PASSWORD)
            assert isinstance(said, Map) and dict(said.pairs)[b"proto"] == 3
            assert await connection.get("nothing") is None
            with refuses("NOPROTO"):
                await connection.call("HELLO", 9)
            assert isinstance(await connection.call("HELLO", 2), tuple)

    async def test_mistakes(self, redis: Redises) -> None:
        """A refused command costs nothing but itself."""
        async with open_redis(redis.open) as connection:
            times = (("SET", "k", "v", "EX", time) for time in ("soon", "0"))
            for wrong in (("NONSENSE",), ("GET",), *times):
                with refuses("ERR"):
                    await connection.call(*wrong)
            await connection.ping()

    async def test_pipeline(self, redis: Redises) -> None:
        """Many tasks on one connection: each gets its own answer."""
        got: dict[int, bytes | None] = {}

        async with open_redis(redis.open) as connection:

            async def one(number: int) -> None:
                await connection.set(f"n{number}", b"%d" % number)
                got[number] = await connection.get(f"n{number}")

            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(one, number)
        assert got == {number: b"%d" % number for number in range(200)}
