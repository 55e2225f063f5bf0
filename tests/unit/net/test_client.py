"""The client: connections are opened as they are needed, and left as the server wants."""

from __future__ import annotations

from functools import partial

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from trio_argoagent.net.client import DIAL_TIMEOUT, RELUCTANT
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import Http2Connection, open_http2
from trio_argoagent.net.lanes import HTTP2_CONNECTIONS
from trio_argoagent.net.protocol.limits import STREAM_WINDOW, Limits
from trio_argoagent.net.server import serve_http2

from .clientside import Wires
from .wiring import echo


class Hold:
    """A handler that answers when it is told to."""

    def __init__(self) -> None:
        self.go = trio.Event()
        self.busy = self.most = 0

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await self.go.wait()
        finally:
            self.busy -= 1
        await exchange.respond(200, (), b"ok")


async def test_streams_that_run_out_are_another_connection() -> None:
    """Nine requests at once, four streams a connection: three connections, and nobody waits."""
    hold = Hold()
    wires = Wires(partial(serve_http2, hold, limits=Limits(streams=4)))
    async with wires.client() as client, trio.open_nursery() as nursery:
        for _ in range(9):
            nursery.start_soon(client.request, "GET", "/")
        await trio.testing.wait_all_tasks_blocked()
        assert (hold.busy, wires.dials) == (9, 3)
        hold.go.set()
    assert hold.most == 9


async def test_a_long_answer_to_what_was_sent() -> None:
    """No window is opened for it in advance; all of it comes as it is read."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(200, (), bytes(3 * STREAM_WINDOW))

    wires = Wires(partial(serve_http2, answer))
    async with wires.client() as client:
        response = await client.request("PATCH", "/", body=b"{}")
    assert len(response.body) == 3 * STREAM_WINDOW


async def test_connections_are_bounded() -> None:
    """What does not fit waits for a stream, and is answered; a later request dials nothing new."""
    hold = Hold()
    wires = Wires(partial(serve_http2, hold, limits=Limits(streams=2)))
    async with wires.client() as client:
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(client.request, "GET", "/")
            await trio.testing.wait_all_tasks_blocked()
            assert (hold.busy, wires.dials) == (2 * HTTP2_CONNECTIONS, HTTP2_CONNECTIONS)
            hold.go.set()
        assert (await client.request("GET", "/")).body == b"ok"
        assert (client.statistics().requests, client.statistics().dials) == (51, HTTP2_CONNECTIONS)


async def test_a_request_that_leaves_the_queue_wakes_the_next() -> None:
    """Whoever waits for a stream may be cancelled, at any moment, without a wakeup being lost."""
    hold = Hold()
    wires = Wires(partial(serve_http2, hold, limits=Limits(streams=1)))
    async with wires.client() as client, trio.open_nursery() as nursery:
        scopes = [trio.CancelScope() for _ in range(20)]

        async def ask(scope: trio.CancelScope) -> None:
            with scope:
                await client.request("GET", "/")

        for scope in scopes:
            nursery.start_soon(ask, scope)
        await trio.testing.wait_all_tasks_blocked()
        hold.go.set()
        # The streams become free in the same moment in which half of those who wait for one go.
        for scope in scopes[::2]:
            scope.cancel()
    assert hold.busy == 0


async def test_a_dial_too_many_that_fails(autojump_clock: MockClock) -> None:
    """While there is a connection, whoever waits goes on waiting for it, and dials are rare."""
    hold = Hold()
    wires = Wires(partial(serve_http2, hold, limits=Limits(streams=1)))
    wires.refuse_after = 1
    async with wires.client() as client, trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(client.request, "GET", "/")
        await trio.sleep(RELUCTANT * 10)
        assert wires.dials == 2
        hold.go.set()
    assert hold.most == 1


class Drainable:
    """A server whose connections a test can end."""

    def __init__(self, hold: Hold, **limits: int) -> None:
        self.connections: list[Http2Connection] = []
        self._hold, self._limits = hold, Limits(**limits)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """One connection."""
        async with open_http2(stream, client=False, handler=self._hold, limits=self._limits) as connection:
            self.connections.append(connection)
            await connection.wait_closed()


async def test_a_server_that_says_goaway() -> None:
    """What is in progress finishes on the old connection, a new request dials."""
    hold = Hold()
    server = Drainable(hold)
    wires = Wires(server.serve)
    async with wires.client() as client, trio.open_nursery() as nursery:
        nursery.start_soon(client.request, "GET", "/old")
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(server.connections[0].drain, 1000)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(client.request, "GET", "/new")
        await trio.testing.wait_all_tasks_blocked()
        assert (hold.busy, wires.dials) == (2, 2)
        hold.go.set()


async def test_waiting_for_a_stream_of_a_server_that_says_goaway() -> None:
    """Who waits for its turn on the old connection does not wait for its end."""
    hold = Hold()
    server = Drainable(hold, streams=1)
    wires = Wires(server.serve)
    async with wires.client() as client, trio.open_nursery() as nursery:
        for _ in range(HTTP2_CONNECTIONS + 1):
            nursery.start_soon(client.request, "GET", "/")
        await trio.testing.wait_all_tasks_blocked()
        assert hold.busy == HTTP2_CONNECTIONS
        nursery.start_soon(server.connections[0].drain, 1000)
        await trio.testing.wait_all_tasks_blocked()
        assert (hold.busy, wires.dials) == (HTTP2_CONNECTIONS + 1, HTTP2_CONNECTIONS + 1)
        hold.go.set()


async def test_a_server_that_never_answers_the_preface(autojump_clock: MockClock) -> None:
    """A black hole costs the time of one dial, and the request was not sent."""

    async def swallow(stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    wires = Wires(swallow)
    async with wires.client() as client:
        began = trio.current_time()
        with pytest.raises(ConnectionBroken, match="SETTINGS") as caught:
            await client.request("GET", "/")
        assert not caught.value.sent
        assert trio.current_time() - began <= DIAL_TIMEOUT + 2
        assert client.statistics().connections == 0


async def test_a_server_that_is_gone_is_dialled_again() -> None:
    """A connection that broke is forgotten; the failed dial is told to everybody who waits for it."""
    wires = Wires(partial(serve_http2, echo))
    async with wires.client() as client:
        await client.request("GET", "/")
        await wires.streams[0].aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert (await client.request("POST", "/", (), b"x")).body == b"x"
        assert client.statistics().dials == 2
        wires.refuse_after = 2
        await wires.streams[1].aclose()
        await trio.testing.wait_all_tasks_blocked()
        failures: list[ConnectionBroken] = []

        async def fail() -> None:
            with pytest.raises(ConnectionBroken, match="nobody there") as caught:
                await client.request("GET", "/")
            failures.append(caught.value)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(fail)
        assert len(failures) == 3 and not any(failure.sent for failure in failures)
        assert wires.dials == 3
