"""Fleets whose links are the product's own HTTP/2, over bytes that are cut anywhere."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LinkBroken, UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.ports.transport import Link
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.chaos import FAULTS, WIRE_FAULTS, Aim
from trio_argoagent.testing.conditions import Tear
from trio_argoagent.testing.fleet import Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate, stream
from trio_argoagent.testing.trial import Options, draw_plan, run_plan, run_trial
from trio_argoagent.testing.wire import HEAD, SOCKET, WireNetwork

OTHERS = ("twin", "crash-both", "namespace-recreated")
NETWORK = [name for name, fault in WIRE_FAULTS.items() if fault.aim is Aim.AGENT and name not in OTHERS]
"""What befalls links, at level 2."""
CHUNK = 64 * 1024


def heard(fleet: Fleet, program: str, event: str) -> list[str]:
    """What a program has reported under that name."""
    return [each.text for _, who, each in fleet.events if (who, each.name) == (program, event)]


@pytest.mark.parametrize("seed", range(1, 5))
def test_chaos_ends_in_agreement_at_level_2(seed: int) -> None:
    """The same judges, every fault, and real HTTP/2 beneath."""
    assert run_trial(seed, Options(level=2)).writes > 0


@pytest.mark.parametrize("fault", NETWORK)
def test_each_trouble_of_links_is_survived(fault: str) -> None:
    """Switched on by its name it is the only trouble, it strikes, and it breaks no rule."""
    report = run_trial(3, Options(seconds=15.0, level=2, faults=(fault,)))
    assert list(report.faults) == [fault]


def test_both_levels_play_the_same_plan() -> None:
    """A seed plans alike at both; only what links are made of differs."""
    one, two = (draw_plan(5, Options(level=level, faults=tuple(FAULTS))) for level in (1, 2))
    assert one.items == two.items
    assert run_plan(one).digest != run_plan(two).digest


def test_what_needs_bytes_is_refused_at_level_1() -> None:
    """And a level that does not exist at all."""
    assert set(WIRE_FAULTS) - set(FAULTS) == {"torn", "goaway", "reset-stream"}
    with pytest.raises(UserError, match="faults: there is no 'torn'"):
        Options(faults=("torn",))
    for make in (lambda: Options(level=3), lambda: Fleet(1, [], level=3)):
        with pytest.raises(UserError, match="level: must be 1 or 2, not 3"):
            make()


@given(size=st.integers(0, 5000), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=200)
def test_bytes_are_cut_anywhere_and_none_is_lost(size: int, seed: int) -> None:
    """Together the parts are what was sent, and none is empty."""
    sent = random.Random(size).randbytes(size)
    parts = list(WireNetwork(stream(seed, "cuts")).cut_up(sent))
    assert b"".join(parts) == sent
    assert all(parts)


def test_the_heads_of_frames_are_cut_at_every_place() -> None:
    """Within some thousand sends every boundary of a head has been met, and most of the others."""
    network, places = WireNetwork(stream(1, "cuts")), dict[int, None]()
    for _ in range(2000):
        at = 0
        for part in network.cut_up(bytes(200)):
            at += len(part)
            places[at] = None
    assert set(range(1, HEAD)) <= set(places)
    assert len(places) > 150


def test_a_peer_that_never_reads_is_given_up() -> None:
    """The sender stops after a bounded number of bytes, and the link is broken within a minute."""

    async def handler(link: Link) -> None:
        await trio.sleep_forever()

    async def main() -> None:
        network, sent, scope = WireNetwork(stream(1, "network")), 0, trio.CancelScope()
        async with trio.open_nursery() as nursery:
            await nursery.start(network.listener().serve, handler)
            async with network.dialer("a1").dial() as link:
                # Nothing of what the agent sends is read by the principal's process from now on.
                network.pause(network.principal, 1000.0)
                with trio.fail_after(100), suppress(LinkBroken), scope:
                    while True:
                        await link.wait_room()
                        link.send_nowait(bytes(CHUNK))
                        sent += CHUNK
            assert 0 < sent <= SOCKET + 6 * CHUNK + 256 * 1024
            assert trio.current_time() < 60
            nursery.cancel_scope.cancel()

    simulate(main, seed=1)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("how", list(Tear))
def test_a_torn_link_is_dialled_again_and_nothing_is_lost(mode: Mode, how: Tear) -> None:
    """Wherever the bytes stop, both sides agree in the end."""

    async def main() -> None:
        async with open_fleet([SpokePlan("east", mode)], seed=2, level=2) as fleet:
            owned = ("east", "hub") if mode is Mode.MANAGED else ("argocd", "east")
            await fleet.until(lambda: fleet.network.links("east") == 1)
            for number in range(12):
                fleet.tear("east", after=37 * number, how=how)
                app = application(f"app{number}", namespace=owned[0], syncPolicy=automated())
                await fleet.apply(app, owned[1])
                await trio.sleep(5.0)
            await fleet.wait_synced()
            assert len(heard(fleet, "east", "link-up")) > 3

    simulate(main, seed=2)


@pytest.mark.parametrize("program", ["principal", "east"])
def test_a_killed_program_says_no_goodbye(program: str) -> None:
    """Its peer sees a connection that broke, and none that was closed."""

    async def main() -> None:
        async with open_fleet([SpokePlan("east")], seed=2, level=2) as fleet:
            await fleet.until(lambda: fleet.network.links("east") == 1)
            await trio.sleep(1.0)
            other = "east" if program == "principal" else "principal"
            fleet.kill(program)
            await trio.sleep(0.5)
            said = " ".join(heard(fleet, other, "link-broken"))
            assert "the connection broke" in said
            assert "clos" not in said

    simulate(main, seed=2)


def test_a_refused_agent_hears_why_over_http() -> None:
    """The principal's 403 is what the agent reports."""

    async def main() -> None:
        async with open_fleet([SpokePlan("east")], seed=2, level=2, start=False) as fleet:
            fleet.expire_certificate("east")
            fleet.start()
            await trio.sleep(5.0)
            said = heard(fleet, "east", "link-refused")
            assert "the certificate has expired" in said[0]

    simulate(main, seed=2)
