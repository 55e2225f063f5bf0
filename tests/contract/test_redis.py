"""The fake Redis and a real one keep the same contract."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from trio_argoagent.redis.client import open_redis
from trio_argoagent.redis.errors import RedisError
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.testing.redis_contract import PASSWORD, PATIENCE, USERNAME, RedisContract, Redises
from trio_argoagent.testing.redisfake import FakeRedis


class TestFake(RedisContract):
    """The suite over memory."""

    @pytest.fixture
    async def redis(self) -> AsyncIterator[Redises]:
        """Two fakes."""
        free, guarded = FakeRedis(), FakeRedis(PASSWORD, USERNAME)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(free.run)
            nursery.start_soon(guarded.run)
            yield Redises(free.server(), guarded.server())
            nursery.cancel_scope.cancel()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server on this machine")
class TestReal(RedisContract):
    """The suite over Debian's redis-server, on Unix sockets: no port can be taken."""

    @pytest.fixture
    async def redis(self, tmp_path: Path) -> AsyncIterator[Redises]:
        """Two processes."""
        async with _server(tmp_path / "free", []), _server(tmp_path / "guarded", _GUARD):
            yield Redises(_at(tmp_path / "free"), _at(tmp_path / "guarded"))


_GUARD = ["--requirepass", PASSWORD, "--user", USERNAME, "on", f">{PASSWORD}", "~*", "&*", "+@all"]


def _at(folder: Path) -> RedisServer:
    return RedisServer(str(folder), partial(trio.open_unix_socket, str(folder / "socket")))


@asynccontextmanager
async def _server(folder: Path, options: list[str]) -> AsyncIterator[None]:
    """A redis-server that keeps nothing on disk and is gone when the context ends."""
    await trio.Path(folder).mkdir()
    command = ["redis-server", "--port", "0", "--unixsocket", str(folder / "socket"), "--save", ""]
    command += ["--dir", str(folder), "--appendonly", "no", *options]
    process = await trio.lowlevel.open_process([*command, "--logfile", str(folder / "log")])
    try:
        with trio.fail_after(PATIENCE):
            while not await _answers(folder):
                assert process.poll() is None, "see its log: a mistake in its options"
                await trio.sleep(0.05)
        yield
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _answers(folder: Path) -> bool:
    try:
        async with open_redis(_at(folder)):
            return True
    except* RedisError:
        pass
    return False
