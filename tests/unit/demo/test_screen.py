"""The screen: each agent's line, the log, and where kubectl may look."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import trio
from rich.console import Console
from trio.testing import MockClock

from trio_argoagent.agent.uplink import LinkState
from trio_argoagent.demo.fleet import Fleet
from trio_argoagent.demo.screen import LOG_LINES, Log, Screen
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.world import seeded_env

from .fleets import agent_says, idle_fleet, principal_says, source

COLUMNS = (
    "agent",
    "mode",
    "link",
    "objects held",
    "dirty",
    "in flight",
    "consistent as of",
    "last propagation",
)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A fleet that is not running."""
    return idle_fleet(tmp_path)


def fixed_env() -> Env:
    """Midnight, for ever."""
    world = seeded_env("screen")
    return Env(now=lambda: 0.0, random=world.random, entropy=world.entropy)


async def drawn(fleet: Fleet, log: Log, width: int = 160, height: int = 40) -> str:
    """What a person sees after the first picture."""
    console = Console(file=io.StringIO(), record=True, width=width, height=height, force_terminal=True)
    with trio.move_on_after(0.1):
        await Screen(fleet, log, console).run()
    return console.export_text()


def row(text: str, name: str) -> list[str]:
    """The cells of an agent's line in the last picture."""
    *_, line = [line for line in text.splitlines() if line.startswith(f"│ {name} ")]
    return [cell.strip() for cell in line.strip("│").split("│")]


async def test_an_agent_that_is_connected(fleet: Fleet, autojump_clock: MockClock) -> None:
    """Dirty and in flight are those of both directions; both sides say as of when they agree."""
    node = fleet.nodes["west"]
    agent_says(node, observed=source(dirty=1, in_flight=2))
    principal_says(fleet, source(dirty=10, in_flight=20))
    node.stopwatch.last = 4.26
    text = await drawn(fleet, Log(fixed_env()))
    assert all(column in text for column in COLUMNS)
    assert row(text, "west") == ["west", "managed", "live", "0", "11", "22", "hub 17 / spoke 42", "4.3 ms"]


async def test_an_agent_that_is_not(fleet: Fleet, autojump_clock: MockClock) -> None:
    """A stopped program, a link that was cut, one that is being dialled."""
    fleet.nodes["west"].is_cut = True
    agent_says(fleet.nodes["west"], link=LinkState.WAITING, observed=source())
    agent_says(fleet.nodes["edge"], link=LinkState.DIALING, observed=source())
    text = await drawn(fleet, Log(fixed_env()))
    assert row(text, "east")[:4] == ["east", "managed", "stopped", "-"]
    assert row(text, "west")[2:4] == ["cut", "0"]
    assert row(text, "edge")[1:3] == ["autonomous", "dialing"]
    assert row(text, "edge")[-2:] == ["hub - / spoke 42", "-"], "the principal is not running"


async def test_the_log_and_the_hints(fleet: Fleet, autojump_clock: MockClock) -> None:
    """The newest lines that fit, as they are; a kubeconfig for each cluster, whole."""
    log = Log(fixed_env())
    for number in range(100):
        log.add("west", f"line {number} [bold]not markup[/bold]", "cyan")
    text = await drawn(fleet, log, height=30)
    assert "00:00:00 west       line 99 [bold]not markup[/bold]" in text
    assert "line 10 " not in text
    for machine in fleet.machines():
        assert f"kubectl --kubeconfig {machine.kubeconfig} get applications -A" in text
    assert "Application controllers are simulated" in text


@pytest.mark.parametrize(("width", "height"), [(20, 5), (80, 24), (400, 100)])
async def test_any_terminal(fleet: Fleet, autojump_clock: MockClock, width: int, height: int) -> None:
    """One that is much too small shows less, and fails at nothing."""
    log = Log(fixed_env())
    log.add("hub", "a line")
    assert "trio" in await drawn(fleet, log, width, height)


def test_the_log_is_bounded() -> None:
    """A demo that runs for a week keeps the last lines."""
    log = Log(fixed_env())
    for number in range(LOG_LINES + 5):
        log.add("hub", str(number))
    assert len(log.lines) == LOG_LINES
    assert log.lines[0].plain.endswith(" 5")
