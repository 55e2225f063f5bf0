"""Our server, beside the RFC. No case leaves a handler, a stream or a byte of queue behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
import trio.testing
from hyperframe.frame import SettingsFrame

from tests.unit.net.conformance import answers, compression, frames, messages, opening, states
from tests.unit.net.conformance.case import Case
from tests.unit.net.rawpeer import RawPeer
from trio_argoagent.net.http import Exchange
from trio_argoagent.net.http2 import Http2Connection, open_http2
from trio_argoagent.net.protocol.limits import Limits

CASES = opening.CASES + states.CASES + frames.CASES + messages.CASES + compression.CASES
SETTLED = 1.0  # seconds of virtual time in which everything has happened that will
LONG_BODY = 200_000


async def handler(exchange: Exchange) -> None:
    """``/long`` is long, ``/wait`` never answers, everything else is the request's own body."""
    match exchange.request.path:
        case "/long":
            await exchange.respond(200, [], bytes(LONG_BODY))
        case "/wait":
            await exchange.start(200)
            await trio.sleep_forever()
        case _:
            await exchange.respond(200, [], await exchange.body())


async def provoke(case: Case, peer: RawPeer) -> None:
    """Send what the case sends; all that comes back is kept."""
    async with trio.open_nursery() as nursery:
        if not case.raw:
            await peer.greet(dict(case.settings))
        nursery.start_soon(peer.read)
        for part in case.sends:
            try:
                if part:
                    await peer.send(part)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                break
            await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(SETTLED)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("case", CASES, ids=[each.name for each in CASES])
async def test_server(case: Case, autojump_clock: trio.testing.MockClock) -> None:
    """See the case."""
    near, far = trio.testing.memory_stream_pair()
    peer = RawPeer(near)
    before = trio.lowlevel.current_statistics().tasks_living
    async with open_http2(far, client=False, handler=handler, limits=Limits()) as server:
        await provoke(case, peer)
        fault = case.outcome.fault(peer.seen, ended=peer.ended)
        assert not fault, f"{fault}; received: {peer.seen}"
        assert isinstance(peer.seen[0], SettingsFrame) and "ACK" not in peer.seen[0].flags
        await near.aclose()
        await server.wait_closed()
        await trio.testing.wait_all_tasks_blocked()
        assert not leftovers(server)
    assert trio.lowlevel.current_statistics().tasks_living == before


def leftovers(connection: Http2Connection) -> list[str]:
    """What a connection that is over still holds."""
    held = connection.statistics()
    return [f"{held.streams_open} streams"] if held.streams_open else []


def test_no_case_is_there_twice() -> None:
    """Else one of them was meant to be another."""
    names = [each.name for each in CASES]
    assert len(set(names)) == len(names)


def test_the_page_counts_them() -> None:
    """docs/link.md says how many there are."""
    page = (Path(__file__).parents[4] / "docs" / "link.md").read_text(encoding="utf-8")
    assert f"{len(CASES)} cases hold the server" in page and f"{len(answers.REPLIES)} hold the client" in page
