"""Another connection before the old one is left, and how an agent stops."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from trio_argoagent.agent.uplink import REPLACED_WAIT
from trio_argoagent.ports.transport import Link
from trio_argoagent.runtime.backoff import FIRST
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m

from .test_uplink import WELCOME, Handler, Principal, Spoke, run_spoke, say, waits

MOVED = m.Goodbye(m.Reason.MOVED, "the agent goes on over another connection")


def asking(*after: float, goodbye: m.Goodbye | None = None) -> Handler:
    """Welcome every link, and ask the first ones for another connection after so many seconds each.

    Each link ends when the agent has said goodbye; ``goodbye``: what is said to it then.
    """

    async def handler(principal: Principal, link: Link) -> None:
        number = len(principal.dials)
        await say(WELCOME)(principal, link)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_ask_after, principal, link, after[number - 1 : number])
            await _listen(principal, link)
            nursery.cancel_scope.cancel()
        if goodbye is not None and number <= len(after):
            await say(goodbye)(principal, link)

    return handler


async def _ask_after(principal: Principal, link: Link, seconds: tuple[float, ...]) -> None:
    for each in seconds:
        await trio.sleep(each)
        await say(m.Drain())(principal, link)


async def _listen(principal: Principal, link: Link) -> None:
    """Until the link ends, or the agent says goodbye."""
    while frames := await link.receive():
        for message in map(codec.decode, frames):
            assert message is not None
            principal.heard.append(message)
            if isinstance(message, m.Ping):
                link.send_nowait(codec.encode(m.Pong(message.token)))
            if isinstance(message, m.Goodbye):
                return


def told(spoke: Spoke) -> list[m.Message]:
    """What matters of what the agent has said, in order."""
    return [message for message in spoke.principal.heard if isinstance(message, m.Hello | m.Goodbye)]


async def test_another_connection_comes_first(autojump_clock: MockClock) -> None:
    """The agent dials while the old link works, leaves that, and only then greets on the new one."""
    links: list[int] = []

    async def watch(spoke: Spoke) -> None:
        while True:
            links.append(spoke.network.links("edge"))
            await trio.sleep(0.01)

    spoke = await run_spoke(asking(100.0), 200, body=watch)
    first, goodbye, second = told(spoke)
    assert goodbye == MOVED
    assert isinstance(first, m.Hello) and isinstance(second, m.Hello)
    assert first.instance == second.instance
    assert 100.0 <= waits(spoke.principal)[0] <= 100.0 + FIRST + 0.1
    up = links[links.index(1) :]
    assert 0 not in up and 2 in up
    assert spoke.agent.status().links == 2


async def test_each_age_of_a_link(autojump_clock: MockClock) -> None:
    """Time after time, and each time with one session at once."""
    spoke = await run_spoke(asking(100.0, 100.0, 100.0), 500)
    assert [type(message) for message in told(spoke)] == [m.Hello, *(m.Goodbye, m.Hello) * 3]


async def test_nobody_else_is_there(autojump_clock: MockClock) -> None:
    """The old link is kept until there is another one."""

    async def away(spoke: Spoke) -> None:
        await trio.sleep(95)
        listening, spoke.network._arrivals = spoke.network._arrivals, None
        await trio.sleep(40)
        assert spoke.agent.status().links == 1
        assert spoke.network.links("edge") == 1
        spoke.network._arrivals = listening

    spoke = await run_spoke(asking(100.0), 200, body=away)
    assert [type(message) for message in told(spoke)] == [m.Hello, m.Goodbye, m.Hello]


async def test_a_link_that_is_never_to_last(autojump_clock: MockClock) -> None:
    """Moving is no way round the back-off: who is asked at once, each time, moves ever more rarely."""
    spoke = await run_spoke(asking(*(0.0,) * 100), 600)
    assert len(spoke.principal.dials) < 80


async def test_replaced_amid_a_move(autojump_clock: MockClock) -> None:
    """Another process has taken over meanwhile: the connection at hand is not used."""
    goodbye = m.Goodbye(m.Reason.REPLACED, "another one")
    spoke = await run_spoke(asking(100.0, goodbye=goodbye), 300)
    assert [type(message) for message in told(spoke)] == [m.Hello, m.Goodbye, m.Hello]
    assert waits(spoke.principal)[1] >= REPLACED_WAIT


async def test_a_link_that_breaks_amid_a_move(autojump_clock: MockClock) -> None:
    """What was begun to be dialled is used."""

    async def handler(principal: Principal, link: Link) -> None:
        first = len(principal.dials) == 1
        await say(WELCOME, *((m.Drain(),) if first else ()), stay=5.0 if first else 500.0)(principal, link)

    spoke = await run_spoke(handler, 100)
    assert 2 <= len(spoke.principal.dials) <= 3
    assert spoke.agent.status().links == 2


async def test_stopping(autojump_clock: MockClock) -> None:
    """An agent that is to stop says goodbye, once, and does not dial again by then."""

    async def stop(spoke: Spoke) -> None:
        await trio.sleep(50)
        began = trio.current_time()
        await spoke.agent.stop()
        assert trio.current_time() - began < 0.1

    spoke = await run_spoke(asking(), 50.2, body=stop)
    assert [type(message) for message in told(spoke)] == [m.Hello, m.Goodbye]
    assert isinstance(spoke.principal.heard[-1], m.Goodbye)
    assert spoke.principal.heard[-1].reason is m.Reason.SHUTDOWN


async def test_stopping_without_a_link(autojump_clock: MockClock) -> None:
    """There is nobody to say goodbye to."""

    async def stop(spoke: Spoke) -> None:
        spoke.network.cut("edge")
        await trio.sleep(50)
        began = trio.current_time()
        await spoke.agent.stop()
        assert trio.current_time() == began

    await run_spoke(asking(), 60, body=stop)
