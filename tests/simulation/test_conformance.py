"""The conformance peer: our own programs pass it, and those that are wrong are told in what."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

import pytest
import trio

from trio_argoagent.errors import LinkError, ProtocolError
from trio_argoagent.model.identity import Mode
from trio_argoagent.ports.transport import Link
from trio_argoagent.principal.gatekeeper import Gatekeeper
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.testing.conformance import (
    Claim,
    Verdict,
    agents,
    check_agent,
    check_principal,
    principals,
)
from trio_argoagent.testing.conformance.cases import ENDING, STEADY
from trio_argoagent.testing.fleet import PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

PRINCIPAL_CASES = len(principals._Asking(Claim()).greetings()) + len(STEADY) + len(ENDING)
AGENT_CASES = len(agents.LINKS) + 1

Check = Callable[[Fleet, Callable[[Verdict], None]], Awaitable[None]]


async def ask_principal(fleet: Fleet, report: Callable[[Verdict], None]) -> None:
    """In the place of its agent; whoever asks may break the protocol as often as that takes."""
    fleet.crash("m1")
    await trio.sleep(1)
    gate = fleet.network.gate
    assert isinstance(gate, Gatekeeper)
    gate.bans = False
    mode = fleet.spokes["m1"].plan.mode
    await check_principal(fleet.network.dialer("m1"), report, Claim(mode=mode, cluster_uid="spoke"))


async def ask_agent(fleet: Fleet, report: Callable[[Verdict], None]) -> None:
    """In the place of its principal."""
    fleet.crash(PRINCIPAL)
    await trio.sleep(1)
    await check_agent(fleet.network.listener(), report)


def verdicts(check: Check, *, level: int = 1, mode: Mode = Mode.MANAGED) -> list[Verdict]:
    """What came of all cases."""
    told: list[Verdict] = []

    async def main() -> None:
        async with open_fleet((SpokePlan("m1", mode),), level=level) as fleet:
            await check(fleet, told.append)

    simulate(main, seed=1)
    return told


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("mode", list(Mode))
def test_our_principal(mode: Mode, level: int) -> None:
    """Every case holds, over frames in memory and over HTTP/2."""
    told = verdicts(ask_principal, level=level, mode=mode)
    assert [f"{each.case.name}: {each.fault}" for each in told if each.fault] == []
    assert len({each.case.name for each in told}) == len(told) == PRINCIPAL_CASES


@pytest.mark.parametrize("level", [1, 2])
def test_our_agent(level: int) -> None:
    """Likewise."""
    told = verdicts(ask_agent, level=level)
    assert [f"{each.case.name}: {each.fault}" for each in told if each.fault] == []
    assert len({each.case.name for each in told}) == len(told) == AGENT_CASES


def test_a_principal_that_is_wrong_is_told_in_what() -> None:
    """One that welcomes everybody with what nobody offered, and says nothing else."""

    async def serve(link: Link) -> None:
        while frames := await link.receive():
            for frame in frames:
                with contextlib.suppress(ProtocolError):
                    message = codec.decode(frame)
                    if isinstance(message, m.Hello):
                        welcome = m.Welcome(9, ("flying",), "0", "i", "p", "m1", bytes(m.ROOT_SIZE), 60.0)
                        link.send_nowait(codec.encode(welcome))

    async def ask(fleet: Fleet, report: Callable[[Verdict], None]) -> None:
        fleet.crash("m1")
        fleet.crash(PRINCIPAL)
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            await nursery.start(fleet.network.listener().serve, serve)
            await check_principal(fleet.network.dialer("m1"), report)
            nursery.cancel_scope.cancel()
        fleet.network.failures.clear()  # Of links that we have left in the middle.

    told = {each.case.name: each.fault for each in verdicts(ask)}
    assert told["hello"] == "it chose protocol 9, which was not offered"
    assert told["newer-agent"] == "it welcomed capabilities that were not offered: flying"
    assert told["mode"].startswith("expected Refuse, it said none for 10 s")
    assert told["before-hello"] == "it should have ended the link, and has not for 10 s"
    assert all(told.values())


def test_an_agent_that_is_wrong_is_told_in_what() -> None:
    """One that says hello and nothing more, whatever it hears."""

    async def ask(fleet: Fleet, report: Callable[[Verdict], None]) -> None:
        fleet.crash("m1")
        fleet.crash(PRINCIPAL)
        await trio.sleep(1)

        async def dumb() -> None:
            while True:
                with contextlib.suppress(LinkError):
                    async with fleet.network.dialer("m1").dial() as link:
                        link.send_nowait(codec.encode(Claim().hello()))
                        while await link.receive():
                            pass
                await trio.sleep(0.5)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(dumb)
            await check_agent(fleet.network.listener(), report)
            nursery.cancel_scope.cancel()
        fleet.network.failures.clear()  # Of links that it has left in the middle.

    told = {each.case.name: each.fault for each in verdicts(ask)}
    assert {name for name, fault in told.items() if not fault} == {"hello"}
    assert told["ping"] == "expected Pong, it said none for 10 s"
    assert told["unknown"] == "it should have ended the link, and has not for 10 s"
    assert told["retry-after"].startswith("it should have ended")
