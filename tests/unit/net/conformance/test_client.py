"""Our client, beside the RFC: it reads what it may, and nothing of what it may not."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from hyperframe.frame import GoAwayFrame, RstStreamFrame

from tests.unit.net.conformance.answers import REPLIES, Reply
from tests.unit.net.rawpeer import PREFACE, RawPeer, settings
from tests.unit.net.wiring import read_all
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http2 import Http2Connection, open_http2

SETTLED = 1.0  # seconds of virtual time


async def ask(client: Http2Connection) -> bytes | ConnectionBroken:
    """One request: the answer's body, or why there is none."""
    try:
        stream = await client.open_stream("POST", "/", end_stream=True)
        await stream.response()
        return await read_all(stream)
    except ConnectionBroken as exc:
        return exc


async def play(reply: Reply, server: RawPeer) -> None:
    """The server's part: it answers when it has seen the preface, and says no more than it must."""
    preface = await server.stream.receive_some(len(PREFACE))
    assert preface == PREFACE
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.read)
        for part in reply.sends:
            await server.send(part)
            await trio.testing.wait_all_tasks_blocked()
        if reply.sends[0] == settings():
            await server.send(settings(ack=True))
        await trio.sleep(SETTLED)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("reply", REPLIES, ids=[each.name for each in REPLIES])
async def test_client(reply: Reply, autojump_clock: trio.testing.MockClock) -> None:
    """See the reply."""
    near, far = trio.testing.memory_stream_pair()
    server, got = RawPeer(far), list[bytes | ConnectionBroken]()
    async with open_http2(near, client=True, authority="x") as client:

        async def user() -> None:
            got.append(await ask(client))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(user)
            await play(reply, server)
            nursery.cancel_scope.cancel()
        offence = [each for each in server.seen if isinstance(each, RstStreamFrame | GoAwayFrame)]
        assert {each.error_code for each in offence} <= set(reply.codes) and bool(offence) == bool(
            reply.codes
        )
        if reply.body is not None:
            assert got == [reply.body]
        elif got and not isinstance(got[0], ConnectionBroken):
            assert reply.section == "5.1" and got == [b""]  # The answer was whole before the offence.
        else:
            assert isinstance(got[0], ConnectionBroken) and got[0].sent is not reply.retry
    assert not client.statistics().streams_open


def test_no_reply_is_there_twice() -> None:
    """Else one of them was meant to be another."""
    names = [each.name for each in REPLIES]
    assert len(set(names)) == len(names)
