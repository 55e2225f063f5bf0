"""What the programs of a fleet show of themselves while the hub is away, and while it is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.agent import health as agents
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.net.http import Request
from trio_argoagent.principal import Principal
from trio_argoagent.principal import health as principals
from trio_argoagent.runtime.events import ignore
from trio_argoagent.runtime.material import Material
from trio_argoagent.runtime.observing import conditions, routes
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.sync.replica import Replica
from trio_argoagent.sync.source import Source
from trio_argoagent.testing.faults import Faults
from trio_argoagent.testing.fleet import NAMESPACE, Fleet, SpokePlan, open_fleet

PAGE = Path(__file__).parents[2] / "docs" / "health.md"
ROW = re.compile(r"\| ((?:`[a-z-]+`(?:, )?)+) \| (both|agent|principal) \| (yes|no) \|")
HOUR = 3_600.0
"""Seconds in which every watch ends, and is not let begin again."""
NUMBER = re.compile(r"\d+")
VARIES = re.compile(r"event loop: .*\n")


def board_of(fleet: Fleet, name: str) -> Board:
    """Of the agent of that name, or of the principal, as it runs now."""
    board, material = Board(), Material(fleet.env, ignore)
    if name == "principal":
        principals.show(board, principal_of(fleet), material, fleet.env.now)
    else:
        agent = fleet.agents[name].instance
        assert agent is not None
        agents.show(board, agent, material, fleet.env.now)
    return board


def principal_of(fleet: Fleet) -> Principal:
    """As it runs now."""
    assert fleet.principal.instance is not None
    return fleet.principal.instance


def ask(board: Board, target: str) -> routes.Answer:
    """What is answered."""
    return routes.answer(routes.health(board), Request("GET", target, ()))


async def get(board: Board, target: str) -> tuple[int, str]:
    """Status and body; numbers that are not asserted are N."""
    found = ask(board, target)
    return found.status, NUMBER.sub("N", VARIES.sub("", (await found.body()).decode()))


def link(fleet: Fleet, name: str) -> int:
    """The status of the condition that does not count; 0: the agent does not run yet."""
    running = fleet.agents[name].instance is not None
    return ask(board_of(fleet, name), "/readyz/link").status if running else 0


def shown(fleet: Fleet, name: str) -> set[tuple[str, bool]]:
    """A program's conditions, and whether each counts."""
    return {(each.name, each.counts) for each in board_of(fleet, name).conditions()}


def told(program: str) -> set[tuple[str, bool]]:
    """Likewise, as the page has them."""
    rows = ROW.findall(PAGE.read_text())
    assert len(rows) == 8
    return {
        (name, counts == "yes")
        for names, of, counts in rows
        for name in re.findall(r"`([a-z-]+)`", names)
        if of in (program, "both")
    }


AGENT = """\
[+]started ok: settings, TLS material and the cluster have been found
[+]informer-applications ok: N objects as of N
[+]informer-appprojects ok: N objects as of N
[+]certificates ok: there are none
[+]link ok: connected as aN since N-N-N N:N:N UTC
feed observed: consistent as of N; N of N unsettled, the oldest for N s; N refused
feed desired: N held, N waiting, N rejected
readyz check passed
"""
PRINCIPAL = """\
[+]started ok: settings, TLS material and the cluster have been found
[+]informer-applications ok: N objects as of N
[+]informer-appprojects ok: N objects as of N
[+]informer-secrets ok: N objects as of N
[+]informer-configmaps ok: N objects as of N
[+]informer-cluster-secrets ok: N objects as of N
[+]informer-namespaces ok: N objects as of N
[+]certificates ok: there are none
[+]listener ok: agents may dial
agents: N of N connected
feed desired of aN: consistent as of N; N of N unsettled, the oldest for N s; N refused
feed observed of aN: N held, N waiting, N rejected
feed desired of mN: consistent as of N; N of N unsettled, the oldest for N s; N refused
feed observed of mN: N held, N waiting, N rejected
readyz check passed
"""


async def test_a_hub_that_is_away_fails_no_probe(autojump_clock: MockClock) -> None:
    """An agent stays live, healthy and ready; it says since when it is not connected, and why."""
    async with open_fleet([SpokePlan("m1"), SpokePlan("a1", Mode.AUTONOMOUS)]) as fleet:
        await fleet.until(lambda: link(fleet, "m1") == link(fleet, "a1") == 200)
        await fleet.wait_consistent()
        assert await get(board_of(fleet, "a1"), "/readyz?verbose") == (200, AGENT)
        assert await get(board_of(fleet, "principal"), "/readyz?verbose") == (200, PRINCIPAL)
        assert shown(fleet, "m1") == told("agent")
        assert shown(fleet, "principal") == told("principal")
        fleet.kill("principal")
        await fleet.until(lambda: link(fleet, "m1") == link(fleet, "a1") == 503)
        for name in fleet.spokes:
            board = board_of(fleet, name)
            for path in ("/livez", "/healthz", "/readyz"):
                assert await get(board, path) == (200, "ok\n")
            said = (await get(board, "/readyz?verbose"))[1].splitlines()
            (line,) = (each for each in said if each.startswith("[-]"))
            down = r"\[-\]link failed, does not count: \w+, not connected since N-N-N N:N:N UTC: \w.+"
            assert re.fullmatch(down, line)
        fleet.restart("principal")
        await fleet.until(lambda: link(fleet, "m1") == link(fleet, "a1") == 200)


async def test_an_api_server_that_turns_away_fails_no_probe(autojump_clock: MockClock) -> None:
    """What has been listed once is held; that nothing new is heard is said."""
    async with open_fleet([SpokePlan("m1")]) as fleet:
        await fleet.until(lambda: link(fleet, "m1") == 200)
        for program, client in fleet.clients.items():
            if program in ("principal", "m1"):
                client.faults = Faults(forbidden=1.0)
        board = board_of(fleet, "m1"), board_of(fleet, "principal")
        doubts = "[+]informer-applications ok: N objects as of N; "

        def told_by(board: Board) -> str:
            return NUMBER.sub("N", conditions.shown(board.conditions()))

        await fleet.until(lambda: all(doubts in told_by(each) for each in board), HOUR)
        assert [await get(each, "/readyz") for each in board] == [(200, "ok\n")] * 2


async def test_a_principal_is_ready_when_agents_may_dial(autojump_clock: MockClock) -> None:
    """Not before it knows the hub, and not while it takes its leave."""
    async with open_fleet([SpokePlan("m1")]) as fleet:
        await fleet.until(lambda: link(fleet, "m1") == 200)
        principal = fleet.principal.instance
        assert principal is not None
        board = board_of(fleet, "principal")
        assert await get(board, "/readyz") == (200, "ok\n")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(principal.stop)
            await trio.sleep(0.1)
            status, said = await get(board, "/readyz")
            assert status == 503 and "[-]listener failed: agents cannot dial\n" in said
            assert await get(board, "/livez") == (200, "ok\n")
        fleet.clients["principal"].faults = Faults(forbidden=1.0)
        fleet.restart("principal")
        await fleet.until(lambda: fleet.principal.instance not in (None, principal))
        await trio.sleep(20)
        status, said = await get(board_of(fleet, "principal"), "/readyz")
        assert status == 503 and "[-]informer-applications failed: not listed yet" in said


async def test_what_a_probe_costs(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubelet's question counts nothing; a person's counts the feeds that are shown, agent by agent."""
    monkeypatch.setattr(principals, "SHOWN", 2)
    async with open_fleet([SpokePlan(f"m{number}") for number in range(4)]) as fleet:
        await fleet.until(lambda: all(link(fleet, name) == 200 for name in fleet.spokes))
        await fleet.wait_consistent()
        counted: Counter[type] = Counter()
        for core in (Source, Replica):
            monkeypatch.setattr(core, "statistics", note(counted, core, core.statistics))
        boards = [board_of(fleet, "m1"), board_of(fleet, "principal")]
        for board in boards:
            for path in ("/livez", "/readyz", "/readyz/started", "/readyz/link"):
                await get(board, path)
        assert not counted
        said = [(await get(board, "/readyz?verbose"))[1] for board in boards]
        assert counted == {Source: 1 + 2, Replica: 1 + 2}
        assert "agents: N of N connected\n" in said[1] and "and N agents more\n" in said[1]
        assert len([piece for piece in principals.facts(principal_of(fleet)) if not piece]) == 4


def note(counted: Counter[type], core: type, plain: Callable[..., Any]) -> Callable[..., Any]:
    """Count the calls."""

    def called(*args: Any) -> Any:
        counted[core] += 1
        return plain(*args)

    return called


async def test_agents_may_go_while_they_are_told_of(autojump_clock: MockClock) -> None:
    """What is told of the others is whole."""
    async with open_fleet([SpokePlan("m1"), SpokePlan("m2")]) as fleet:
        await fleet.until(lambda: link(fleet, "m1") == link(fleet, "m2") == 200)
        principal = principal_of(fleet)
        telling = iter(principals.facts(principal))
        assert [next(telling) for _ in range(3)] == ["", "", "agents: 2 of 2 connected"]
        await fleet.cluster("hub").delete(SECRETS, NAMESPACE, "cluster-m1")
        await fleet.until(lambda: "m1" not in principal.peers)
        assert [line.partition(":")[0] for line in telling] == ["feed desired of m2", "feed observed of m2"]
