"""Two streams joined into one."""

from __future__ import annotations

import pytest
import trio
from trio.testing import memory_stream_pair

from trio_argoagent.net.relay import relay


async def test_bytes_and_ends_pass_both_ways() -> None:
    """Either side may end first; what the other one says then still arrives."""
    (client, near), (far, server) = memory_stream_pair(), memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(relay, near, far)
        await client.send_all(b"question")
        assert await server.receive_some() == b"question"
        await client.send_eof()
        assert await server.receive_some() == b""
        await server.send_all(b"answer")
        await server.send_eof()
        assert await client.receive_some() == b"answer"
        assert await client.receive_some() == b""


async def test_a_break_is_no_end() -> None:
    """Whoever called knows of it, outside any group, and breaks the other side."""
    (client, near), (far, server) = memory_stream_pair(), memory_stream_pair()
    client.receive_stream.close()
    await server.send_all(b"nobody hears it")
    with pytest.raises(trio.BrokenResourceError):
        await relay(near, far)
