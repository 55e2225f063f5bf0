"""Each outage does what it says, for as long as it says."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
import trio

from trio_argoagent.errors import Expired, UserError
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.testing import Fleet, SpokePlan

from .stories import CONTROLLER, copy, move, path_of, play


def test_a_cut_lasts_until_it_is_healed() -> None:
    """Nothing crosses a cut network, for an hour; the other agent does not notice; healing is enough."""

    async def story(fleet: Fleet) -> None:
        fleet.cut("east")
        await move(fleet, "helm-guestbook")
        await move(fleet, "helm-guestbook", "west")
        await trio.sleep(3600)
        assert (path_of(fleet), path_of(fleet, "west")) == ("guestbook", "helm-guestbook")
        fleet.heal("east")
        assert await fleet.wait_consistent() < 60
        assert path_of(fleet) == "helm-guestbook"

    play(story, "east", "west")


def test_a_slow_network_is_slow_each_way_until_it_is_healed() -> None:
    """A change takes as long as the frame is under way, and no longer once the network is healed."""

    async def story(fleet: Fleet) -> None:
        fleet.slow("east", 7.0)
        began = trio.current_time()
        await move(fleet, "helm-guestbook")
        await fleet.until(lambda: path_of(fleet) == "helm-guestbook")
        assert 7.0 <= trio.current_time() - began < 9.0
        await fleet.wait_consistent()
        fleet.heal("east")
        await trio.sleep(10.0)
        began = trio.current_time()
        await move(fleet, "guestbook")
        await fleet.until(lambda: path_of(fleet) == "guestbook")
        assert trio.current_time() - began < 1.0

    play(story)


def test_a_narrow_network_carries_so_much_a_second() -> None:
    """A large change takes as long as its bytes, and no longer once the network is healed."""

    async def story(fleet: Fleet) -> None:
        fleet.narrow("east", down=1000.0)
        began = trio.current_time()
        await write_note(fleet, 1)
        assert trio.current_time() - began > 10.0
        await fleet.wait_consistent()
        fleet.heal("east")
        await trio.sleep(10.0)
        began = trio.current_time()
        await write_note(fleet, 2)
        assert trio.current_time() - began < 1.0

    async def write_note(fleet: Fleet, seed: int) -> None:
        # 10,000 bytes at the least, however it travels.
        note = {"note": Random(seed).randbytes(10_000).hex()}
        patch = MergePatch({"metadata": {"annotations": note}})
        await fleet.cluster("hub").patch(APPLICATIONS, "east", "web", patch)
        await fleet.until(lambda: copy(fleet).meta.annotations.get("note") == note["note"])

    play(story)


def test_a_half_open_link_is_found_out() -> None:
    """Neither side is told; their keepalives find out, and a new link brings what was lost."""

    async def story(fleet: Fleet) -> None:
        agent = fleet.agents["east"].instance
        assert agent is not None
        fleet.half_open("east")
        await move(fleet, "helm-guestbook")
        await trio.sleep(5.0)
        assert fleet.network.links("east") == 1
        assert path_of(fleet) == "guestbook"
        await fleet.until(lambda: path_of(fleet) == "helm-guestbook", timeout=300)

    play(story)


@pytest.mark.parametrize("program", ["principal", "east"])
def test_a_killed_program_stays_down_until_it_is_restarted(program: str) -> None:
    """Without either program nothing arrives; started again it has an empty memory and catches up."""

    async def story(fleet: Fleet) -> None:
        fleet.kill(program)
        await move(fleet, "helm-guestbook")
        await trio.sleep(600)
        assert path_of(fleet) == "guestbook"
        fleet.restart(program)
        await fleet.wait_consistent()
        assert path_of(fleet) == "helm-guestbook"
        assert fleet.programs[program].starts == 2

    play(story)


def test_a_running_program_can_be_restarted() -> None:
    """A restart of a program that runs ends it first."""

    async def story(fleet: Fleet) -> None:
        before = fleet.agents["east"].instance
        fleet.restart("east")
        await fleet.until(lambda: fleet.agents["east"].starts == 2)
        assert fleet.agents["east"].instance is not before
        await fleet.wait_consistent()

    play(story)


@pytest.mark.parametrize("program", ["principal", "east"])
def test_a_paused_program_goes_on_where_it_was(program: str) -> None:
    """For ten seconds it hears and says nothing; then it goes on, with its memory and its link."""

    async def story(fleet: Fleet) -> None:
        fleet.pause(program, 10.0)
        await move(fleet, "helm-guestbook")
        await trio.sleep(9.9)
        assert path_of(fleet) == "guestbook"
        await fleet.until(lambda: path_of(fleet) == "helm-guestbook", timeout=2.0)
        assert fleet.programs[program].starts == 1
        assert fleet.network.links("east") == 1

    play(story)


def test_a_pause_stalls_the_link_alone_as_well() -> None:
    """A pause of the principal outlasts the agent's patience: it dials again, and all is well afterwards."""

    async def story(fleet: Fleet) -> None:
        fleet.pause("principal", 400.0)
        await trio.sleep(399.0)
        assert any(event.name == "link-broken" for _, who, event in fleet.events if who == "east")
        await trio.sleep(2.0)
        await move(fleet, "helm-guestbook")
        await fleet.wait_consistent()
        assert path_of(fleet) == "helm-guestbook"

    play(story)


def test_a_paused_controller_does_nothing() -> None:
    """Argo CD's controller can be paused, too: it has no link, only its API server."""

    async def story(fleet: Fleet) -> None:
        fleet.pause(CONTROLLER, 600.0)
        await trio.sleep(1.0)
        seen = copy(fleet).get("status")
        await move(fleet, "helm-guestbook")
        await trio.sleep(590.0)
        assert path_of(fleet) == "helm-guestbook"
        assert copy(fleet).get("status") == seen
        await fleet.until(lambda: copy(fleet).get("status") != seen)

    play(story)


def test_a_clock_can_be_wrong() -> None:
    """A controller whose clock is a day ahead writes tomorrow's date; set right, it writes today's."""

    async def story(fleet: Fleet) -> None:
        def day() -> int:
            return int((copy(fleet).get("status") or {})["reconciledAt"][8:10])

        today = day()
        fleet.skew_clock(CONTROLLER, 86_400.0)
        await trio.sleep(600.0)
        assert day() == today + 1
        fleet.skew_clock(CONTROLLER, 0.0)
        # By itself it would wait a day now: its last look lies in the future.
        await move(fleet, "helm-guestbook")
        await trio.sleep(60.0)
        assert day() == today

    play(story)


@pytest.mark.parametrize("cluster", ["hub", "east"])
def test_a_throttled_server_is_waited_for(cluster: str) -> None:
    """While every call is turned away the fleet's programs write nothing there; users still do."""

    async def story(fleet: Fleet) -> None:
        server = fleet.servers[cluster]
        fleet.throttle_api(cluster, 1.0)
        await trio.sleep(10.0)
        await move(fleet, "helm-guestbook")
        await fleet.cluster("east").get(APPLICATIONS, "argocd", "web")
        await trio.sleep(120.0)
        writers = {entry.actor for entry in server.log if entry.at > fleet.env.now() - 120.0}
        assert writers <= {"user"}
        fleet.throttle_api(cluster)
        await fleet.wait_synced()
        assert path_of(fleet) == "helm-guestbook"

    play(story)


def test_a_slow_server_makes_every_call_slow() -> None:
    """With 3 s for each call a change arrives after 3 s at the earliest, refusals or not."""

    async def story(fleet: Fleet) -> None:
        fleet.throttle_api("east", 0.3, seconds=3.0)
        began = trio.current_time()
        await move(fleet, "helm-guestbook")
        await fleet.until(lambda: path_of(fleet) == "helm-guestbook")
        assert trio.current_time() - began >= 3.0
        await fleet.wait_consistent()

    play(story)


@pytest.mark.parametrize("cluster", ["hub", "east"])
def test_a_broken_watch_is_listed_again(cluster: str) -> None:
    """The server has forgotten its past, and changes made right then are not missed."""

    async def story(fleet: Fleet) -> None:
        server = fleet.servers[cluster]
        past = str(server.rv - 1)
        fleet.break_watch(cluster)
        with pytest.raises(Expired):
            server.watch(APPLICATIONS, resource_version=past)
        await move(fleet, "helm-guestbook")
        await fleet.until(lambda: path_of(fleet) == "helm-guestbook")
        await fleet.wait_synced()

    play(story)


def test_an_expired_certificate_ends_the_link_until_it_is_renewed() -> None:
    """Healing the network is no help; the agent says why it is turned away; a new certificate is enough."""

    async def story(fleet: Fleet) -> None:
        fleet.expire_certificate("east")
        await trio.sleep(1.0)
        assert fleet.network.links("east") == 0
        fleet.heal("east")
        await move(fleet, "helm-guestbook")
        await trio.sleep(300.0)
        assert path_of(fleet) == "guestbook"
        said = [event.text for _, _, event in fleet.events if event.name == "link-refused"]
        assert said and "expired" in said[-1]
        fleet.renew_certificate("east")
        assert await fleet.wait_consistent() < 60
        assert path_of(fleet) == "helm-guestbook"

    play(story)


@pytest.mark.parametrize(
    ("act", "known"),
    [
        (lambda fleet: fleet.cut("nowhere"), "east"),
        (lambda fleet: fleet.heal("principal"), "east"),
        (lambda fleet: fleet.slow("hub", 1.0), "east"),
        (lambda fleet: fleet.kill("east/argocd"), CONTROLLER),
        (lambda fleet: fleet.pause("hub", 1.0), "principal"),
        (lambda fleet: fleet.skew_clock("hub", 1.0), "principal"),
        (lambda fleet: fleet.throttle_api("principal", 1.0), "hub"),
        (lambda fleet: fleet.break_watch("principal"), "hub"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(act: Callable[[Fleet], None], known: str) -> None:
    """A misspelt agent, program or cluster is an error that helps, never an outage of nothing."""
    with pytest.raises(UserError, match=known):
        act(_unstarted())


@pytest.mark.parametrize(("share", "seconds"), [(1.5, 0.0), (-0.1, 0.0), (0.0, -1.0)])
def test_a_share_is_one(share: float, seconds: float) -> None:
    """A throttle that makes no sense is refused."""
    with pytest.raises(UserError):
        _unstarted().throttle_api("hub", share, seconds=seconds)


def _unstarted() -> Fleet:
    return Fleet(1, [SpokePlan("east")])
